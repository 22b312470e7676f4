package io.trimtab.controllers.podautoscaler;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.Quantity;
import io.trimtab.controllers.pods.Pods;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How many replicas bring what the pods use to its target. Pods that tell nothing yet are counted so that they can soften a
 * change but never cause or turn one. Pure: each method throws {@link MetricsException} if nothing can be said.
 */
final class ReplicaCalculator {
    /** A ratio this close to 1 is left alone. */
    private static final double TOLERANCE = 0.1;
    /** For so long after a pod's start, what it uses of a processor counts only while it is ready. */
    private static final Duration STARTING = Duration.ofMinutes(5);
    /** A pod that became unready so soon after its start has never been ready. */
    private static final Duration NEVER_READY = Duration.ofSeconds(30);

    private static final String NO_PODS = "no pods returned by selector while calculating replica count";

    /**
     * @param used by a pod on average, in thousandths
     * @param percent of what the pods request; 0 where the target is no percentage
     */
    record Proposal(int replicas, long used, int percent) {}

    private ReplicaCalculator() {}

    /** By a percentage of what the pods request of a resource; of one container only if that is named. */
    static Proposal byUtilization(
            int current,
            int targetPercent,
            String resource,
            @Nullable String container,
            List<Pod> pods,
            Map<String, Sample> samples,
            Instant now) {
        requirePods(pods);
        Groups groups = Groups.of(pods, samples, resource.equals("cpu"), now);
        Map<String, Long> requests = requests(pods, resource, container);
        return propose(
                current,
                groups,
                values -> utilization(values, requests, targetPercent),
                pod -> requests.getOrDefault(pod, 0L) * Math.max(100, targetPercent) / 100);
    }

    /** By an amount that each pod should use on average, in thousandths. */
    static Proposal byAverage(
            int current, long target, boolean processor, List<Pod> pods, Map<String, Sample> samples, Instant now) {
        requirePods(pods);
        Groups groups = Groups.of(pods, samples, processor, now);
        return propose(current, groups, values -> average(values, target), pod -> target);
    }

    /** By one value that should be as large as the target, and grows or shrinks with the number of ready pods. */
    static Proposal byValue(int current, long value, long target, List<Pod> pods) {
        double ratio = (double) value / target;
        if (current == 0) {
            return new Proposal((int) Math.ceil(ratio), value, 0);
        }
        if (isNear(ratio)) {
            return new Proposal(current, value, 0);
        }
        if (pods.isEmpty()) {
            throw new MetricsException("unable to calculate ready pods: " + NO_PODS);
        }
        long ready = pods.stream()
                .filter(pod -> Pods.phase(pod).equals("Running") && Pods.isReady(pod))
                .count();
        return new Proposal((int) Math.ceil(ratio * ready), value, 0);
    }

    /** By one value of which each pod should have so much. */
    static Proposal byShare(int counted, long value, long target) {
        int replicas = counted;
        if (!isNear(value / ((double) target * counted))) {
            replicas = (int) Math.min(Integer.MAX_VALUE, Math.ceil((double) value / target));
        }
        return new Proposal(replicas, (long) Math.ceil((double) value / counted), 0);
    }

    private static void requirePods(List<Pod> pods) {
        if (pods.isEmpty()) {
            throw new MetricsException(NO_PODS);
        }
    }

    private static boolean isNear(double ratio) {
        return 1 - TOLERANCE <= ratio && ratio <= 1 + TOLERANCE;
    }

    private record Ratio(double ratio, long used, int percent) {}

    private static Ratio utilization(Map<String, Long> values, Map<String, Long> requests, int targetPercent) {
        long used = 0;
        long requested = 0;
        int count = 0;
        for (Map.Entry<String, Long> value : values.entrySet()) {
            Long request = requests.get(value.getKey());
            if (request != null) {
                used += value.getValue();
                requested += request;
                count++;
            }
        }
        if (requested == 0) {
            throw new MetricsException("no metrics returned matched known pods");
        }
        int percent = (int) (used * 100 / requested);
        return new Ratio((double) percent / targetPercent, used / count, percent);
    }

    private static Ratio average(Map<String, Long> values, long target) {
        long used = values.values().stream().mapToLong(Long::longValue).sum() / values.size();
        return new Ratio((double) used / target, used, 0);
    }

    /** @param missing what a pod that was not measured is taken to use when the others ask for fewer */
    private static Proposal propose(
            int current, Groups groups, Function<Map<String, Long>, Ratio> measure, Function<String, Long> missing) {
        Map<String, Long> values = groups.measured;
        Ratio first = measure.apply(values);
        boolean unreadyMatter = !groups.unready.isEmpty() && first.ratio > 1;
        if (!unreadyMatter && groups.missing.isEmpty()) {
            int replicas = isNear(first.ratio) ? current : (int) Math.ceil(first.ratio * groups.ready);
            return new Proposal(replicas, first.used, first.percent);
        }
        if (first.ratio < 1) {
            groups.missing.forEach(pod -> values.put(pod, missing.apply(pod)));
        } else if (first.ratio > 1) {
            groups.missing.forEach(pod -> values.put(pod, 0L));
        }
        if (unreadyMatter) {
            groups.unready.forEach(pod -> values.put(pod, 0L));
        }
        double ratio = measure.apply(values).ratio;
        int replicas = (int) Math.ceil(ratio * values.size());
        boolean turned = first.ratio < 1 && ratio > 1 || first.ratio > 1 && ratio < 1;
        boolean contrary = ratio < 1 && replicas > current || ratio > 1 && replicas < current;
        return new Proposal(isNear(ratio) || turned || contrary ? current : replicas, first.used, first.percent);
    }

    /** What each pod requests of a resource. */
    private static Map<String, Long> requests(List<Pod> pods, String resource, @Nullable String container) {
        Map<String, Long> requests = new HashMap<>();
        for (Pod pod : pods) {
            requests.put(pod.getMetadata().getName(), request(pod, resource, container));
        }
        return requests;
    }

    private static long request(Pod pod, String resource, @Nullable String container) {
        if (container == null && pod.getSpec().getResources() != null) {
            Quantity whole = pod.getSpec().getResources().getRequests() == null
                    ? null
                    : pod.getSpec().getResources().getRequests().get(resource);
            if (whole != null) {
                return Amount.milli(whole);
            }
        }
        List<Container> containers = new ArrayList<>(pod.getSpec().getContainers());
        pod.getSpec().getInitContainers().stream()
                .filter(init -> "Always".equals(init.getRestartPolicy()))
                .forEach(containers::add);
        long sum = 0;
        for (Container one : containers) {
            if (container == null || container.equals(one.getName())) {
                Quantity request =
                        one.getResources() == null || one.getResources().getRequests() == null
                                ? null
                                : one.getResources().getRequests().get(resource);
                if (request == null) {
                    throw new MetricsException("missing request for " + resource + " in container " + one.getName()
                            + " of Pod " + pod.getMetadata().getName());
                }
                sum += Amount.milli(request);
            }
        }
        return sum;
    }

    /**
     * The pods by what their measurements are worth.
     *
     * @param ready how many have one that counts
     * @param measured the values that count, by pod; changed by who owns this
     */
    private record Groups(int ready, Set<String> unready, Set<String> missing, Map<String, Long> measured) {
        static Groups of(List<Pod> pods, Map<String, Sample> samples, boolean processor, Instant now) {
            int ready = 0;
            Set<String> unready = new HashSet<>();
            Set<String> missing = new HashSet<>();
            Map<String, Long> measured = new HashMap<>();
            samples.forEach((pod, sample) -> measured.put(pod, sample.milli()));
            for (Pod pod : pods) {
                String name = pod.getMetadata().getName();
                Sample sample = samples.get(name);
                if (Pods.isDeleting(pod) || Pods.phase(pod).equals("Failed")) {
                    measured.remove(name);
                } else if (Pods.phase(pod).equals("Pending")) {
                    unready.add(name);
                    measured.remove(name);
                } else if (sample == null) {
                    missing.add(name);
                } else if (processor && isStarting(pod, sample, now)) {
                    unready.add(name);
                    measured.remove(name);
                } else {
                    ready++;
                }
            }
            if (measured.isEmpty()) {
                throw new MetricsException("did not receive metrics for targeted pods (pods might be unready)");
            }
            return new Groups(ready, unready, missing, measured);
        }

        /** A pod that starts uses more of a processor, or less, than it will. */
        private static boolean isStarting(Pod pod, Sample sample, Instant now) {
            PodCondition condition = Pods.condition(pod, "Ready").orElse(null);
            Instant started = Pods.time(pod.getStatus().getStartTime());
            Instant changed = condition == null ? null : Pods.time(condition.getLastTransitionTime());
            if (condition == null || started == null || changed == null) {
                return true;
            }
            boolean isUnready = "False".equals(condition.getStatus());
            if (started.plus(STARTING).isAfter(now)) {
                return isUnready || sample.time().isBefore(changed.plus(sample.window()));
            }
            return isUnready && started.plus(NEVER_READY).isAfter(changed);
        }
    }
}
