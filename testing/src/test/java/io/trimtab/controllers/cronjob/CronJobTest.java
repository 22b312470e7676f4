package io.trimtab.controllers.cronjob;

import static io.trimtab.junit.Workloads.pod;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;

/** CronJobs in a whole cluster: hours of schedules in milliseconds. */
@TrimtabCluster
class CronJobTest {
    private static CronJob cronJob(String schedule, String script) {
        PodSpec spec = pod("tick").getSpec();
        spec.setRestartPolicy("Never");
        spec.getContainers().get(0).setCommand(List.of("sh", "-c", script));
        return new CronJobBuilder()
                .withNewMetadata()
                .withName("tick")
                .withNamespace("default")
                .endMetadata()
                .withNewSpec()
                .withSchedule(schedule)
                .withNewJobTemplate()
                .withNewSpec()
                .withBackoffLimit(0)
                .withNewTemplate()
                .withSpec(spec)
                .endTemplate()
                .endSpec()
                .endJobTemplate()
                .endSpec()
                .build();
    }

    private static List<Job> jobs(Cluster cluster) {
        return cluster.list(Job.class, "default");
    }

    @Test
    void givenAMinutelySchedule_whenAMinuteComes_thenAJobIsMadeForIt(Cluster cluster) {
        CronJob cron = cluster.create(cronJob("* * * * *", "sleep 20"));
        cluster.advance(Duration.ofSeconds(65));

        assertThat(jobs(cluster)).hasSize(1);
        Job job = jobs(cluster).get(0);
        Instant time = Instant.parse(
                job.getMetadata().getAnnotations().get("batch.kubernetes.io/cronjob-scheduled-timestamp"));
        assertThat(time.atZone(ZoneOffset.UTC).getSecond()).isZero();
        assertThat(job.getMetadata().getName()).isEqualTo("tick-" + time.getEpochSecond() / 60);
        assertThat(job.getMetadata().getOwnerReferences())
                .singleElement()
                .satisfies(owner -> assertThat(owner.getKind()).isEqualTo("CronJob"));
        assertThat(cluster.refresh(cron).getStatus().getActive()).hasSize(1);
        assertThat(cluster.refresh(cron).getStatus().getLastScheduleTime()).isEqualTo(time.toString());
        assertThat(cluster.events(cron))
                .extracting(Event::getType, Event::getReason, Event::getMessage)
                .contains(tuple(
                        "Normal",
                        "SuccessfulCreate",
                        "Created job " + job.getMetadata().getName()));

        cluster.advance(Duration.ofSeconds(40));

        assertThat(cluster.events(cron))
                .extracting(Event::getReason, Event::getMessage)
                .contains(tuple(
                        "SawCompletedJob",
                        "Saw completed job: " + job.getMetadata().getName() + ", condition: Complete"));
        assertThat(cluster.refresh(cron).getStatus().getLastSuccessfulTime()).isNotNull();
    }

    @Test
    void givenForbid_whenAJobStillRuns_thenNoOtherIsMade(Cluster cluster) {
        CronJob cron = cronJob("* * * * *", "sleep 3600");
        cron.getSpec().setConcurrencyPolicy("Forbid");
        cluster.create(cron);
        cluster.advance(Duration.ofMinutes(4));

        assertThat(jobs(cluster)).hasSize(1);
        assertThat(cluster.events(cron))
                .extracting(Event::getReason, Event::getMessage)
                .contains(tuple(
                        "JobAlreadyActive",
                        "Not starting job because prior execution is running and concurrency policy is Forbid"));
    }

    @Test
    void givenReplace_whenAJobStillRuns_thenItGivesWay(Cluster cluster) {
        CronJob cron = cronJob("* * * * *", "sleep 3600");
        cron.getSpec().setConcurrencyPolicy("Replace");
        cluster.create(cron);
        cluster.advance(Duration.ofSeconds(65));
        String first = jobs(cluster).get(0).getMetadata().getName();

        cluster.advance(Duration.ofSeconds(65));

        assertThat(jobs(cluster)).hasSize(1);
        assertThat(jobs(cluster).get(0).getMetadata().getName()).isNotEqualTo(first);
        assertThat(cluster.events(cron))
                .extracting(Event::getReason, Event::getMessage)
                .contains(tuple("SuccessfulDelete", "Deleted job " + first));
    }

    @Test
    void givenAllow_whenJobsStillRun_thenTheyPileUp(Cluster cluster) {
        cluster.create(cronJob("* * * * *", "sleep 3600"));
        cluster.advance(Duration.ofMinutes(3).plusSeconds(5));
        assertThat(jobs(cluster)).hasSize(3);
    }

    @Test
    void givenHistoryLimits_whenJobsEnd_thenOnlyTheLastAreKept(Cluster cluster) {
        CronJob good = cronJob("* * * * *", "exit 0");
        good.getSpec().setSuccessfulJobsHistoryLimit(2);
        cluster.create(good);
        CronJob bad = cronJob("* * * * *", "exit 1");
        bad.getMetadata().setName("bad");
        bad.getSpec().setFailedJobsHistoryLimit(1);
        cluster.create(bad);

        cluster.advance(Duration.ofMinutes(6).plusSeconds(30));

        assertThat(jobs(cluster))
                .filteredOn(j -> j.getMetadata().getName().startsWith("tick-"))
                .hasSize(2);
        assertThat(jobs(cluster))
                .filteredOn(j -> j.getMetadata().getName().startsWith("bad-"))
                .hasSize(1);
    }

    @Test
    void givenSuspended_whenTimePasses_thenNothingHappensUntilItIsNot(Cluster cluster) {
        CronJob cron = cronJob("* * * * *", "exit 0");
        cron.getSpec().setSuspend(true);
        cluster.create(cron);
        cluster.advance(Duration.ofMinutes(5).minusSeconds(20));
        assertThat(jobs(cluster)).isEmpty();

        cluster.edit(cron, c -> {
            c.getSpec().setSuspend(false);
            c.getSpec().setStartingDeadlineSeconds(30L);
        });
        cluster.advance(Duration.ofSeconds(65));

        assertThat(jobs(cluster)).hasSize(1);
    }

    @Test
    void givenATimeZone_whenTheHourComesThere_thenTheJobIsMade(Cluster cluster) {
        int here = cluster.now().atZone(ZoneOffset.UTC).getHour();
        int there = (here + 1 + 9) % 24; // an hour from now, in Tokyo
        CronJob cron = cronJob("0 " + there + " * * *", "exit 0");
        cron.getSpec().setTimeZone("Asia/Tokyo");
        cluster.create(cron);

        cluster.advance(Duration.ofMinutes(60).plusSeconds(5));

        assertThat(jobs(cluster)).hasSize(1);
    }

    @Test
    void givenAJobThatSomebodyDeletes_whenTheControllerLooks_thenItIsNoLongerActive(Cluster cluster) {
        CronJob cron = cluster.create(cronJob("* * * * *", "sleep 3600"));
        cluster.advance(Duration.ofSeconds(65));
        Job job = jobs(cluster).get(0);

        cluster.delete(job).advance(Duration.ofSeconds(40));

        assertThat(cluster.refresh(cron).getStatus().getActive()).isEmpty();
        assertThat(cluster.events(cron))
                .extracting(Event::getReason, Event::getMessage)
                .contains(tuple(
                        "MissingJob",
                        "Active job went missing: " + job.getMetadata().getName()));
    }
}
