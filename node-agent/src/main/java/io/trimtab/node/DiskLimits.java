package io.trimtab.node;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Volume;
import io.trimtab.node.runtime.ContainerRuntime.Usage;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/** What a pod may write to its node's disk: limits of containers and of empty directories. Pure functions. */
final class DiskLimits {
    private static final String RESOURCE = "ephemeral-storage";

    private DiskLimits() {}

    static boolean has(Pod pod) {
        return pod.getSpec().getContainers().stream().anyMatch(c -> limit(c) != null)
                || pod.getSpec().getVolumes().stream().anyMatch(v -> limit(v) != null);
    }

    /** Why the pod must go, as a kubelet says it; null if it may stay. */
    static @Nullable String exceeded(Pod pod, Usage usage) {
        for (Volume volume : pod.getSpec().getVolumes()) {
            Quantity limit = limit(volume);
            if (limit != null && isOver(usage.volumes().getOrDefault(volume.getName(), 0L), limit)) {
                return "Usage of EmptyDir volume \"" + volume.getName() + "\" exceeds the limit \"" + limit + "\". ";
            }
        }
        BigDecimal sum = BigDecimal.ZERO;
        for (Container container : pod.getSpec().getContainers()) {
            Quantity limit = limit(container);
            sum = limit == null ? sum : sum.add(limit.getNumericalAmount());
        }
        long used = usage.containers().values().stream()
                        .mapToLong(Long::longValue)
                        .sum()
                + usage.volumes().values().stream().mapToLong(Long::longValue).sum();
        if (sum.signum() > 0 && BigDecimal.valueOf(used).compareTo(sum) > 0) {
            String shown = pod.getSpec().getContainers().size() == 1
                    ? String.valueOf(limit(pod.getSpec().getContainers().get(0)))
                    : sum.toPlainString();
            return "Pod ephemeral local storage usage exceeds the total limit of containers " + shown + ". ";
        }
        for (Container container : pod.getSpec().getContainers()) {
            Quantity limit = limit(container);
            if (limit != null && isOver(usage.containers().getOrDefault(container.getName(), 0L), limit)) {
                return "Container " + container.getName() + " exceeded its local ephemeral storage limit \"" + limit
                        + "\". ";
            }
        }
        return null;
    }

    private static boolean isOver(long used, Quantity limit) {
        return BigDecimal.valueOf(used).compareTo(limit.getNumericalAmount()) > 0;
    }

    private static @Nullable Quantity limit(Container container) {
        return container.getResources() == null || container.getResources().getLimits() == null
                ? null
                : container.getResources().getLimits().get(RESOURCE);
    }

    private static @Nullable Quantity limit(Volume volume) {
        return volume.getEmptyDir() == null
                        || "Memory".equals(volume.getEmptyDir().getMedium())
                ? null
                : volume.getEmptyDir().getSizeLimit();
    }
}
