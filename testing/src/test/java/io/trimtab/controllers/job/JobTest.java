package io.trimtab.controllers.job;

import static io.trimtab.junit.Workloads.pod;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.JobCondition;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicyBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.SuccessPolicyBuilder;
import io.fabric8.kubernetes.api.model.policy.v1.EvictionBuilder;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Pods;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Jobs in a whole cluster, in virtual time: how they end, what they say, and what they leave. */
@TrimtabCluster
class JobTest {
    private static final String ODD_FAILS = "exit $((JOB_COMPLETION_INDEX % 2))";

    private static Job job(String script) {
        PodSpec spec = pod("job").getSpec();
        spec.setRestartPolicy("Never");
        spec.getContainers().get(0).setName("c");
        spec.getContainers().get(0).setCommand(List.of("sh", "-c", script));
        return new JobBuilder()
                .withNewMetadata()
                .withName("job")
                .withNamespace("default")
                .endMetadata()
                .withNewSpec()
                .withTemplate(new PodTemplateSpecBuilder().withSpec(spec).build())
                .endSpec()
                .build();
    }

    private static Job indexed(String script, int completions) {
        return new JobBuilder(job(script))
                .editSpec()
                .withCompletionMode("Indexed")
                .withCompletions(completions)
                .withParallelism(completions)
                .endSpec()
                .build();
    }

    private static List<org.assertj.core.groups.Tuple> conditions(Job job) {
        return job.getStatus().getConditions().stream()
                .map(c -> tuple(c.getType(), c.getStatus(), c.getReason(), c.getMessage()))
                .toList();
    }

    private static List<Pod> running(Cluster cluster) {
        return cluster.pods().stream()
                .filter(p -> Pods.isRunning(p) && !Pods.isTerminating(p))
                .toList();
    }

    @Test
    void givenThreeCompletionsTwoAtATime_whenThePodsSucceed_thenTheJobIsComplete(Cluster cluster) {
        Job job = cluster.create(new JobBuilder(job("sleep 5"))
                .editSpec()
                .withCompletions(3)
                .withParallelism(2)
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(3));
        assertThat(running(cluster)).hasSize(2);
        assertThat(cluster.refresh(job).getStatus().getActive()).isEqualTo(2);
        assertThat(cluster.refresh(job).getStatus().getReady()).isEqualTo(2);

        cluster.advance(Duration.ofSeconds(20));

        Job done = cluster.refresh(job);
        assertThat(conditions(done))
                .containsExactly(
                        tuple(
                                "SuccessCriteriaMet",
                                "True",
                                "CompletionsReached",
                                "Reached expected number of succeeded pods"),
                        tuple("Complete", "True", "CompletionsReached", "Reached expected number of succeeded pods"));
        assertThat(done.getStatus().getSucceeded()).isEqualTo(3);
        assertThat(done.getStatus().getActive()).isIn(null, 0);
        assertThat(done.getStatus().getCompletionTime()).isNotNull();
        assertThat(cluster.pods())
                .hasSize(3)
                .allSatisfy(p -> assertThat(p.getMetadata().getFinalizers()).isEmpty());
        assertThat(cluster.events(job))
                .extracting(Event::getType, Event::getReason)
                .contains(tuple("Normal", "SuccessfulCreate"), tuple("Normal", "Completed"));
        assertThat(cluster.events(job)).extracting(Event::getMessage).contains("Job completed");
    }

    @Test
    void givenAPodThatFails_whenTheBackoffLimitIsExceeded_thenTheJobHasFailed(Cluster cluster) {
        Job job = cluster.create(new JobBuilder(job("exit 1"))
                .editSpec()
                .withBackoffLimit(2)
                .endSpec()
                .build());
        cluster.advance(Duration.ofMinutes(10));

        Job done = cluster.refresh(job);
        assertThat(conditions(done))
                .containsExactly(
                        tuple(
                                "FailureTarget",
                                "True",
                                "BackoffLimitExceeded",
                                "Job has reached the specified backoff limit"),
                        tuple("Failed", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit"));
        assertThat(done.getStatus().getFailed()).isEqualTo(3);
        assertThat(cluster.events(job))
                .extracting(Event::getType, Event::getReason, Event::getMessage)
                .contains(tuple("Warning", "BackoffLimitExceeded", "Job has reached the specified backoff limit"));
    }

    @Test
    void givenAPodThatFails_whenItIsReplaced_thenEachTimeLater(Cluster cluster) {
        cluster.create(job("exit 1"));
        cluster.advance(Duration.ofMinutes(3));

        List<Instant> made = cluster.pods().stream()
                .map(p -> Instant.parse(p.getMetadata().getCreationTimestamp()))
                .sorted(Comparator.naturalOrder())
                .toList();
        assertThat(made).hasSizeGreaterThanOrEqualTo(4);
        assertThat(Duration.between(made.get(0), made.get(1)))
                .isBetween(Duration.ofSeconds(10), Duration.ofSeconds(12));
        assertThat(Duration.between(made.get(1), made.get(2)))
                .isBetween(Duration.ofSeconds(20), Duration.ofSeconds(22));
        assertThat(Duration.between(made.get(2), made.get(3)))
                .isBetween(Duration.ofSeconds(40), Duration.ofSeconds(42));
    }

    @Test
    void givenADeadline_whenItPasses_thenThePodsAreStoppedAndTheJobHasFailed(Cluster cluster) {
        Job job = cluster.create(new JobBuilder(job("sleep 3600"))
                .editSpec()
                .withActiveDeadlineSeconds(30L)
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(29));
        assertThat(running(cluster)).hasSize(1);

        cluster.advance(Duration.ofSeconds(5));

        assertThat(conditions(cluster.refresh(job)))
                .contains(tuple("Failed", "True", "DeadlineExceeded", "Job was active longer than specified deadline"));
        assertThat(cluster.pods()).isEmpty();
    }

    @Test
    void givenAnIndexedJob_whenItRuns_thenEachPodKnowsItsIndex(Cluster cluster) {
        Job job = cluster.create(indexed("exit 0", 3));
        cluster.advance(Duration.ofSeconds(10));

        assertThat(cluster.refresh(job).getStatus().getCompletedIndexes()).isEqualTo("0-2");
        assertThat(cluster.pods()).hasSize(3).allSatisfy(p -> {
            String index = p.getMetadata().getLabels().get("batch.kubernetes.io/job-completion-index");
            assertThat(p.getMetadata().getAnnotations())
                    .containsEntry("batch.kubernetes.io/job-completion-index", index);
            assertThat(p.getMetadata().getName()).startsWith("job-" + index + "-");
            assertThat(p.getSpec().getHostname()).isEqualTo("job-" + index);
        });
    }

    @Test
    void givenABackoffLimitPerIndex_whenSomeIndexesFail_thenTheOthersGoOnAndTheJobFailsAtTheEnd(Cluster cluster) {
        Job job = cluster.create(new JobBuilder(indexed(ODD_FAILS, 4))
                .editSpec()
                .withBackoffLimitPerIndex(1)
                .endSpec()
                .build());
        cluster.advance(Duration.ofMinutes(2));

        Job done = cluster.refresh(job);
        assertThat(done.getStatus().getCompletedIndexes()).isEqualTo("0,2");
        assertThat(done.getStatus().getFailedIndexes()).isEqualTo("1,3");
        assertThat(done.getStatus().getFailed()).isEqualTo(4);
        assertThat(conditions(done)).contains(tuple("Failed", "True", "FailedIndexes", "Job has failed indexes"));
        assertThat(cluster.pods())
                .filteredOn(p ->
                        "1".equals(p.getMetadata().getAnnotations().get("batch.kubernetes.io/job-index-failure-count")))
                .hasSize(2);
    }

    @Test
    void givenAMostOfFailedIndexes_whenItIsExceeded_thenTheJobFailsAtOnce(Cluster cluster) {
        Job job = cluster.create(new JobBuilder(indexed("[ $JOB_COMPLETION_INDEX -lt 2 ] && exit 1; sleep 3600", 4))
                .editSpec()
                .withBackoffLimitPerIndex(0)
                .withMaxFailedIndexes(1)
                .endSpec()
                .build());
        cluster.advance(Duration.ofMinutes(1));

        Job done = cluster.refresh(job);
        assertThat(conditions(done))
                .contains(tuple(
                        "Failed",
                        "True",
                        "MaxFailedIndexesExceeded",
                        "Job has exceeded the specified maximal number of failed indexes"));
        assertThat(running(cluster)).isEmpty();
    }

    @Test
    void givenAFailurePolicyThatFailsTheJob_whenTheExitCodeMatches_thenTheJobFailsWithoutRetry(Cluster cluster) {
        Job job = cluster.create(new JobBuilder(job("exit 42"))
                .editSpec()
                .withPodFailurePolicy(new PodFailurePolicyBuilder()
                        .addNewRule()
                        .withAction("FailJob")
                        .withNewOnExitCodes()
                        .withContainerName("c")
                        .withOperator("In")
                        .withValues(42)
                        .endOnExitCodes()
                        .endRule()
                        .build())
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(10));

        assertThat(cluster.pods()).hasSize(1);
        String name = cluster.pods().get(0).getMetadata().getName();
        assertThat(conditions(cluster.refresh(job)))
                .contains(tuple(
                        "Failed",
                        "True",
                        "PodFailurePolicy",
                        "Container c for pod default/" + name
                                + " failed with exit code 42 matching FailJob rule at index 0"));
    }

    @Test
    void givenAFailurePolicyThatFailsAnIndex_whenTheExitCodeMatches_thenTheIndexIsNotTriedAgain(Cluster cluster) {
        Job job = cluster.create(new JobBuilder(indexed("[ $JOB_COMPLETION_INDEX = 0 ] && exit 42; exit 0", 2))
                .editSpec()
                .withBackoffLimitPerIndex(5)
                .withPodFailurePolicy(new PodFailurePolicyBuilder()
                        .addNewRule()
                        .withAction("FailIndex")
                        .withNewOnExitCodes()
                        .withOperator("In")
                        .withValues(42)
                        .endOnExitCodes()
                        .endRule()
                        .build())
                .endSpec()
                .build());
        cluster.advance(Duration.ofMinutes(2));

        Job done = cluster.refresh(job);
        assertThat(done.getStatus().getFailedIndexes()).isEqualTo("0");
        assertThat(done.getStatus().getFailed()).isEqualTo(1);
        assertThat(cluster.pods()).hasSize(2);
    }

    @Test
    void givenAFailurePolicyThatIgnoresDisruptions_whenAPodIsEvicted_thenItIsReplacedAndNotCounted(Cluster cluster) {
        Job job = cluster.create(new JobBuilder(job("sleep 60"))
                .editSpec()
                .withBackoffLimit(0)
                .withPodFailurePolicy(new PodFailurePolicyBuilder()
                        .addNewRule()
                        .withAction("Ignore")
                        .addNewOnPodCondition("True", "DisruptionTarget")
                        .endRule()
                        .build())
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(5));
        Pod evicted = running(cluster).get(0);
        cluster.client()
                .pods()
                .resource(evicted)
                .evict(new EvictionBuilder()
                        .withNewMetadata()
                        .withName(evicted.getMetadata().getName())
                        .withNamespace("default")
                        .endMetadata()
                        .build());
        cluster.advance(Duration.ofMinutes(3));

        Job done = cluster.refresh(job);
        assertThat(conditions(done)).extracting(t -> t.toList().get(0)).contains("Complete");
        assertThat(done.getStatus().getFailed()).isIn(null, 0);
    }

    @Test
    void givenASuccessPolicy_whenItsIndexesSucceed_thenTheJobIsCompleteAndTheRestIsStopped(Cluster cluster) {
        Job job = cluster.create(new JobBuilder(indexed("[ $JOB_COMPLETION_INDEX = 0 ] && exit 0; sleep 3600", 3))
                .editSpec()
                .withSuccessPolicy(new SuccessPolicyBuilder()
                        .addNewRule()
                        .withSucceededIndexes("0")
                        .endRule()
                        .build())
                .endSpec()
                .build());
        cluster.advance(Duration.ofMinutes(1));

        Job done = cluster.refresh(job);
        assertThat(conditions(done))
                .containsExactly(
                        tuple("SuccessCriteriaMet", "True", "SuccessPolicy", "Matched rules at index 0"),
                        tuple("Complete", "True", "SuccessPolicy", "Matched rules at index 0"));
        assertThat(done.getStatus().getSucceeded()).isEqualTo(1);
        assertThat(running(cluster)).isEmpty();
    }

    @Test
    void givenASuspendedJob_whenItIsResumedAndSuspendedAgain_thenItsPodsComeAndGo(Cluster cluster) {
        Job job = cluster.create(new JobBuilder(job("sleep 3600"))
                .editSpec()
                .withSuspend(true)
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(5));
        assertThat(cluster.pods()).isEmpty();
        assertThat(cluster.refresh(job).getStatus().getStartTime()).isNull();
        assertThat(conditions(cluster.refresh(job)))
                .containsExactly(tuple("Suspended", "True", "JobSuspended", "Job suspended"));

        cluster.edit(job, j -> j.getSpec().setSuspend(false));
        cluster.advance(Duration.ofSeconds(5));
        assertThat(running(cluster)).hasSize(1);
        assertThat(conditions(cluster.refresh(job)))
                .containsExactly(tuple("Suspended", "False", "JobResumed", "Job resumed"));
        assertThat(cluster.refresh(job).getStatus().getStartTime()).isNotNull();

        cluster.edit(job, j -> j.getSpec().setSuspend(true));
        cluster.advance(Duration.ofSeconds(5));
        assertThat(cluster.pods()).isEmpty();
        assertThat(cluster.refresh(job).getStatus().getFailed()).isIn(null, 0);
        assertThat(cluster.events(job))
                .extracting(Event::getReason)
                .contains("Suspended", "Resumed", "SuccessfulDelete");
    }

    @Test
    void givenAnotherController_whenTheJobNamesIt_thenOursLeavesTheJobAlone(Cluster cluster) {
        Job job = cluster.create(new JobBuilder(job("exit 0"))
                .editSpec()
                .withManagedBy("example.com/other")
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(30));

        assertThat(cluster.pods()).isEmpty();
        assertThat(cluster.refresh(job).getStatus().getStartTime()).isNull();
    }

    @Test
    void givenReplacementOfFailedPodsOnly_whenAPodIsBeingDeleted_thenItsSuccessorWaits(Cluster cluster) {
        Job wanted = job("_term() { sleep 20; exit 1; }; trap _term TERM; while true; do sleep 1; done");
        Job job = cluster.create(new JobBuilder(wanted)
                .editSpec()
                .withPodReplacementPolicy("Failed")
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(5));
        cluster.delete(running(cluster).get(0));
        cluster.advance(Duration.ofSeconds(10));
        assertThat(cluster.pods()).hasSize(1).allMatch(Pods::isTerminating);
        assertThat(cluster.refresh(job).getStatus().getTerminating()).isEqualTo(1);

        cluster.advance(Duration.ofSeconds(40));

        assertThat(running(cluster)).hasSize(1);
        assertThat(cluster.refresh(job).getStatus().getFailed()).isEqualTo(1);
    }

    @Test
    void givenATimeToLive_whenTheJobHasEnded_thenItAndItsPodsGo(Cluster cluster) {
        Job job = cluster.create(new JobBuilder(job("exit 0"))
                .editSpec()
                .withTtlSecondsAfterFinished(30)
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(20));
        assertThat(cluster.exists(job)).isTrue();

        cluster.advance(Duration.ofSeconds(30));

        assertThat(cluster.exists(job)).isFalse();
        assertThat(cluster.pods()).isEmpty();
    }

    @Test
    void givenAWorkQueue_whenOnePodSucceeds_thenNoNewOneIsMade(Cluster cluster) {
        Job job = cluster.create(new JobBuilder(job("sleep 10"))
                .editSpec()
                .withParallelism(3)
                .withCompletions(null)
                .endSpec()
                .build());
        cluster.edit(job, j -> {});
        cluster.advance(Duration.ofSeconds(30));

        Job done = cluster.refresh(job);
        assertThat(done.getStatus().getSucceeded()).isEqualTo(3);
        assertThat(done.getStatus().getConditions())
                .extracting(JobCondition::getType)
                .contains("Complete");
        assertThat(cluster.pods()).hasSize(3);
    }

    @Test
    void givenAnIndexedJob_whenItShrinks_thenTheIndexesBeyondAreNotCounted(Cluster cluster) {
        Job job = cluster.create(indexed("sleep 60", 4));
        cluster.advance(Duration.ofSeconds(10));
        cluster.edit(job, j -> {
            j.getSpec().setCompletions(2);
            j.getSpec().setParallelism(2);
        });
        cluster.advance(Duration.ofMinutes(2));

        assertThat(cluster.refresh(job).getStatus().getCompletedIndexes()).isEqualTo("0,1");
        assertThat(cluster.refresh(job).getStatus().getSucceeded()).isEqualTo(2);
    }

    @Test
    void givenAJobWithoutASelector_whenCreated_thenItsPodsCarryItsLabels(Cluster cluster) {
        Job job = cluster.create(job("sleep 10"));
        cluster.advance(Duration.ofSeconds(2));

        Map<String, String> labels = cluster.pods().get(0).getMetadata().getLabels();
        assertThat(labels)
                .containsEntry("batch.kubernetes.io/job-name", "job")
                .containsEntry("job-name", "job")
                .containsEntry(
                        "batch.kubernetes.io/controller-uid", job.getMetadata().getUid());
    }

    @Test
    void givenARunningJob_whenItIsDeleted_thenItsPodsGo(Cluster cluster) {
        Job job = cluster.create(job("sleep 3600"));
        cluster.advance(Duration.ofSeconds(5));

        cluster.delete(job).advance(Duration.ofSeconds(40));

        assertThat(cluster.pods()).isEmpty();
    }
}
