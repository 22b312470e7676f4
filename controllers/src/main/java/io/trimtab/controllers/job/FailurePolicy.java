package io.trimtab.controllers.job;

import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicyOnExitCodesRequirement;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicyRule;
import io.trimtab.controllers.pods.Pods;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a Job's rules say about a pod that failed: the first that matches decides. Pure. */
final class FailurePolicy {
    private FailurePolicy() {}

    /**
     * The verdict about one failed pod.
     *
     * @param failJob why the whole Job fails; null if it does not
     * @param counts the failure counts towards the limit
     * @param failIndex the pod's index has failed for good
     */
    record Verdict(@Nullable String failJob, boolean counts, boolean failIndex) {
        static final Verdict COUNTS = new Verdict(null, true, false);
    }

    static Verdict judge(Job job, Pod pod) {
        if (job.getSpec().getPodFailurePolicy() == null || !Pods.phase(pod).equals("Failed")) {
            return Verdict.COUNTS;
        }
        List<PodFailurePolicyRule> rules = job.getSpec().getPodFailurePolicy().getRules();
        for (int i = 0; i < rules.size(); i++) {
            PodFailurePolicyRule rule = rules.get(i);
            String match = match(rule, pod);
            if (match != null) {
                return switch (String.valueOf(rule.getAction())) {
                    case "Ignore" -> new Verdict(null, false, false);
                    case "FailIndex" -> new Verdict(null, true, true);
                    case "FailJob" -> new Verdict(match + " matching FailJob rule at index " + i, true, false);
                    default -> Verdict.COUNTS;
                };
            }
        }
        return Verdict.COUNTS;
    }

    private static @Nullable String match(PodFailurePolicyRule rule, Pod pod) {
        String name = pod.getMetadata().getNamespace() + "/" + pod.getMetadata().getName();
        PodFailurePolicyOnExitCodesRequirement codes = rule.getOnExitCodes();
        if (codes != null && pod.getStatus() != null) {
            List<ContainerStatus> all = new ArrayList<>(pod.getStatus().getContainerStatuses());
            all.addAll(pod.getStatus().getInitContainerStatuses());
            for (ContainerStatus status : all) {
                ContainerStateTerminated ended =
                        status.getState() == null ? null : status.getState().getTerminated();
                boolean named = codes.getContainerName() == null
                        || codes.getContainerName().equals(status.getName());
                if (ended == null || ended.getExitCode() == null || ended.getExitCode() == 0 || !named) {
                    continue;
                }
                if (codes.getValues().contains(ended.getExitCode()) == "In".equals(codes.getOperator())) {
                    return "Container " + status.getName() + " for pod " + name + " failed with exit code "
                            + ended.getExitCode();
                }
            }
            return null;
        }
        for (var pattern : rule.getOnPodConditions()) {
            boolean there = Pods.condition(pod, pattern.getType())
                    .filter(c -> c.getStatus().equals(pattern.getStatus() == null ? "True" : pattern.getStatus()))
                    .isPresent();
            if (there) {
                return "Pod " + name + " has condition " + pattern.getType();
            }
        }
        return null;
    }
}
