package io.trimtab.controllers.job;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobCondition;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.ownership.OwnerReferences;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Questions about Jobs and their pods. Pure functions. */
final class JobPods {
    static final String FINALIZER = "batch.kubernetes.io/job-tracking";
    static final String INDEX = "batch.kubernetes.io/job-completion-index";
    static final String FAILURES = "batch.kubernetes.io/job-index-failure-count";
    static final String IGNORED_FAILURES = "batch.kubernetes.io/job-index-ignored-failure-count";
    static final String CONTROLLER = "kubernetes.io/job-controller";

    private static final int LONGEST_PREFIX = 58;

    /** Least missed first. */
    static final Comparator<Pod> VICTIMS = Comparator.comparing((Pod pod) -> Pods.nodeName(pod) != null)
            .thenComparingInt(pod -> switch (Pods.phase(pod)) {
                case "Pending" -> 0;
                case "Unknown" -> 1;
                default -> 2;
            })
            .thenComparing(Pods::isReady)
            .thenComparing(
                    pod -> Objects.requireNonNullElse(Pods.readySince(pod), Instant.EPOCH), Comparator.reverseOrder())
            .thenComparing(pod -> Comparator.<Integer>reverseOrder().compare(restarts(pod), 0))
            .thenComparing(
                    pod -> Objects.requireNonNullElse(Pods.createdAt(pod), Instant.EPOCH), Comparator.reverseOrder())
            .thenComparing(pod -> pod.getMetadata().getName());

    private JobPods() {}

    static boolean hasFinalizer(Pod pod) {
        return pod.getMetadata().getFinalizers().contains(FINALIZER);
    }

    static boolean isIndexed(Job job) {
        return "Indexed".equals(job.getSpec().getCompletionMode());
    }

    static boolean isSuspended(Job job) {
        return Boolean.TRUE.equals(job.getSpec().getSuspend());
    }

    static boolean isManagedByOther(Job job) {
        String manager = job.getSpec().getManagedBy();
        return manager != null && !manager.equals(CONTROLLER);
    }

    static Optional<JobCondition> condition(Job job, String type) {
        return job.getStatus() == null
                ? Optional.empty()
                : job.getStatus().getConditions().stream()
                        .filter(c -> type.equals(c.getType()))
                        .findFirst();
    }

    static boolean isTrue(Job job, String type) {
        return condition(job, type).filter(c -> "True".equals(c.getStatus())).isPresent();
    }

    static boolean isFinished(Job job) {
        return isTrue(job, "Complete") || isTrue(job, "Failed");
    }

    /** Replacements wait until pods have truly failed. */
    static boolean replacesOnlyFailed(Job job) {
        return "Failed".equals(job.getSpec().getPodReplacementPolicy())
                || job.getSpec().getPodFailurePolicy() != null
                        && !"TerminatingOrFailed".equals(job.getSpec().getPodReplacementPolicy());
    }

    /** A pod that is going away counts as failed, unless replacements wait for its end. */
    static boolean isFailed(Pod pod, Job job) {
        if (Pods.phase(pod).equals("Failed")) {
            return true;
        }
        return !replacesOnlyFailed(job)
                && Pods.isDeleting(pod)
                && !Pods.phase(pod).equals("Succeeded");
    }

    /** The pod's completion index; -1 if it has none. */
    static int index(Pod pod) {
        return number(pod, INDEX, -1);
    }

    static int failures(Pod pod) {
        return number(pod, FAILURES, 0);
    }

    static int ignoredFailures(Pod pod) {
        return number(pod, IGNORED_FAILURES, 0);
    }

    private static int number(Pod pod, String annotation, int fallback) {
        Map<String, String> annotations = pod.getMetadata().getAnnotations();
        String text = annotations == null ? null : annotations.get(annotation);
        return text != null && text.matches("\\d{1,9}") ? Integer.parseInt(text) : fallback;
    }

    static int restarts(Pod pod) {
        if (pod.getStatus() == null) {
            return 0;
        }
        int sum = 0;
        for (ContainerStatus status : pod.getStatus().getContainerStatuses()) {
            sum += status.getRestartCount() == null ? 0 : status.getRestartCount();
        }
        for (ContainerStatus status : pod.getStatus().getInitContainerStatuses()) {
            sum += status.getRestartCount() == null ? 0 : status.getRestartCount();
        }
        return sum;
    }

    /** When the last of its containers ended; else when it was deleted; else what is given. */
    static Instant finishedAt(Pod pod, Instant fallback) {
        Instant last = null;
        if (pod.getStatus() != null) {
            for (ContainerStatus status : pod.getStatus().getContainerStatuses()) {
                var ended = status.getState() == null ? null : status.getState().getTerminated();
                Instant time = ended == null ? null : Pods.time(ended.getFinishedAt());
                if (time != null && (last == null || time.isAfter(last))) {
                    last = time;
                }
            }
        }
        if (last == null) {
            last = Pods.time(pod.getMetadata().getDeletionTimestamp());
        }
        return last == null ? fallback : last;
    }

    /** The active pods that go: those whose index is not wanted or twice there, then the least missed. */
    static List<Pod> victims(Job job, List<Pod> active, int atLeast) {
        List<Pod> victims = new ArrayList<>();
        List<Pod> rest = new ArrayList<>(active);
        rest.sort(VICTIMS);
        if (isIndexed(job)) {
            int completions = job.getSpec().getCompletions();
            Set<Integer> seen = new HashSet<>();
            for (int i = rest.size() - 1; i >= 0; i--) {
                int index = index(rest.get(i));
                if (index < 0 || index >= completions || !seen.add(index)) {
                    victims.add(rest.remove(i));
                }
            }
        }
        if (victims.size() < atLeast) {
            victims.addAll(rest.subList(0, Math.min(rest.size(), atLeast - victims.size())));
        }
        return victims;
    }

    /**
     * A pod for a Job.
     *
     * @param index -1 for none
     * @param before the failed pod of the index that it replaces; null if there is none
     * @param counts whether that failure counts
     */
    static Pod fromTemplate(Job job, int index, @Nullable Pod before, boolean counts) {
        Pod pod = PodControl.fromTemplate(job.getSpec().getTemplate(), job, OwnerReferences.newControllerRef(job));
        List<String> finalizers = new ArrayList<>(pod.getMetadata().getFinalizers());
        if (!finalizers.contains(FINALIZER)) {
            finalizers.add(FINALIZER);
        }
        pod.getMetadata().setFinalizers(finalizers);
        if (index < 0) {
            return pod;
        }
        String name = job.getMetadata().getName();
        Map<String, String> annotations =
                new HashMap<>(Objects.requireNonNullElse(pod.getMetadata().getAnnotations(), Map.of()));
        annotations.put(INDEX, String.valueOf(index));
        if (job.getSpec().getBackoffLimitPerIndex() != null) {
            int failures = before == null ? 0 : failures(before);
            int ignored = before == null ? 0 : ignoredFailures(before);
            annotations.put(FAILURES, String.valueOf(before != null && counts ? failures + 1 : failures));
            if (before != null && !counts || ignored > 0) {
                annotations.put(IGNORED_FAILURES, String.valueOf(before != null && !counts ? ignored + 1 : ignored));
            }
        }
        Map<String, String> labels =
                new HashMap<>(Objects.requireNonNullElse(pod.getMetadata().getLabels(), Map.of()));
        labels.put(INDEX, String.valueOf(index));
        String suffix = "-" + index + "-";
        String base = name.length() + suffix.length() > LONGEST_PREFIX
                ? name.substring(0, LONGEST_PREFIX - suffix.length())
                : name;
        PodBuilder builder = new PodBuilder(pod)
                .editMetadata()
                .withGenerateName(base + suffix)
                .withAnnotations(annotations)
                .withLabels(labels)
                .endMetadata();
        Pod indexed =
                builder.editSpec().withHostname(name + "-" + index).endSpec().build();
        indexed.getSpec().getContainers().forEach(JobPods::addIndexVariable);
        indexed.getSpec().getInitContainers().forEach(JobPods::addIndexVariable);
        return indexed;
    }

    private static void addIndexVariable(Container container) {
        if (container.getEnv().stream().anyMatch(env -> "JOB_COMPLETION_INDEX".equals(env.getName()))) {
            return;
        }
        List<EnvVar> variables = new ArrayList<>(container.getEnv());
        variables.add(new EnvVarBuilder()
                .withName("JOB_COMPLETION_INDEX")
                .withNewValueFrom()
                .withNewFieldRef()
                .withApiVersion("v1")
                .withFieldPath("metadata.labels['" + INDEX + "']")
                .endFieldRef()
                .endValueFrom()
                .build());
        container.setEnv(variables);
    }
}
