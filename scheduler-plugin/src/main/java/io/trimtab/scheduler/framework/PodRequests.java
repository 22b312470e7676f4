package io.trimtab.scheduler.framework;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Adds up what a pod asks for: the larger of all containers together and the peak of the init sequence, plus overhead; requests
 * of the pod as a whole take the place of the sum. Pure.
 */
final class PodRequests {
    private PodRequests() {}

    static long[] of(Pod pod, boolean withDefaults) {
        PodSpec spec = pod.getSpec();
        Map<String, Quantity> whole =
                spec.getResources() == null ? null : spec.getResources().getRequests();
        boolean cpuDefault = withDefaults && (whole == null || !whole.containsKey("cpu"));
        boolean memoryDefault = withDefaults && (whole == null || !whole.containsKey("memory"));

        long[] sum = new long[3];
        for (Container container : spec.getContainers()) {
            sum = Resources.plus(sum, container(pod, container, false, cpuDefault, memoryDefault));
        }
        long[] sidecars = new long[3];
        long[] peak = new long[3];
        for (Container container : spec.getInitContainers()) {
            boolean sidecar = "Always".equals(container.getRestartPolicy());
            long[] own = container(pod, container, sidecar, cpuDefault, memoryDefault);
            if (sidecar) {
                sum = Resources.plus(sum, own);
                sidecars = Resources.plus(sidecars, own);
                peak = Resources.max(peak, sidecars);
            } else {
                peak = Resources.max(peak, Resources.plus(own, sidecars));
            }
        }
        long[] total = Resources.max(sum, peak);
        if (whole != null) {
            for (Map.Entry<String, Quantity> entry : whole.entrySet()) {
                int number = Resources.number(entry.getKey());
                total = Resources.grown(total, number + 1);
                total[number] =
                        number == Resources.CPU ? Resources.milli(entry.getValue()) : Resources.whole(entry.getValue());
            }
        }
        Map<String, Quantity> overhead = spec.getOverhead();
        return overhead == null || overhead.isEmpty() ? total : Resources.plus(total, Resources.amounts(overhead));
    }

    private static long[] container(
            Pod pod, Container container, boolean init, boolean cpuDefault, boolean memoryDefault) {
        ResourceRequirements resources = container.getResources();
        Map<String, Quantity> requests = resources == null ? null : resources.getRequests();
        long[] amounts = Resources.amounts(requests);
        ContainerStatus status = status(pod, container.getName(), init);
        if (status != null) {
            // While a resize is under way the node holds the larger of what is wished, granted and in effect.
            amounts = Resources.max(amounts, Resources.amounts(status.getAllocatedResources()));
            if (status.getResources() != null) {
                amounts = Resources.max(
                        amounts, Resources.amounts(status.getResources().getRequests()));
            }
        }
        if (cpuDefault && (requests == null || !requests.containsKey("cpu"))) {
            amounts[Resources.CPU] = Resources.DEFAULT_CPU;
        }
        if (memoryDefault && (requests == null || !requests.containsKey("memory"))) {
            amounts[Resources.MEMORY] = Resources.DEFAULT_MEMORY;
        }
        return amounts;
    }

    private static @Nullable ContainerStatus status(Pod pod, String name, boolean init) {
        if (pod.getStatus() == null) {
            return null;
        }
        List<ContainerStatus> statuses = init
                ? pod.getStatus().getInitContainerStatuses()
                : pod.getStatus().getContainerStatuses();
        for (ContainerStatus status : statuses) {
            if (name.equals(status.getName())) {
                return status;
            }
        }
        return null;
    }
}
