package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.Taint;
import io.fabric8.kubernetes.api.model.Toleration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Taints of nodes and tolerations of pods. Pure. */
final class Taints {
    private Taints() {}

    /** The first taint that keeps new pods away and is not tolerated; null if there is none. */
    static @Nullable Taint firstForbidding(List<Taint> taints, List<Toleration> tolerations) {
        for (Taint taint : taints) {
            if (forbids(taint) && !isTolerated(taint, tolerations)) {
                return taint;
            }
        }
        return null;
    }

    private static boolean forbids(Taint taint) {
        return "NoSchedule".equals(taint.getEffect()) || "NoExecute".equals(taint.getEffect());
    }

    static boolean isTolerated(Taint taint, List<Toleration> tolerations) {
        for (Toleration toleration : tolerations) {
            if (tolerates(toleration, taint)) {
                return true;
            }
        }
        return false;
    }

    static boolean tolerates(Toleration toleration, Taint taint) {
        if (!text(toleration.getEffect()).isEmpty()
                && !text(toleration.getEffect()).equals(taint.getEffect())) {
            return false;
        }
        if (!text(toleration.getKey()).isEmpty() && !text(toleration.getKey()).equals(taint.getKey())) {
            return false;
        }
        return switch (text(toleration.getOperator())) {
            case "", "Equal" -> text(toleration.getValue()).equals(text(taint.getValue()));
            case "Exists" -> true;
            default -> false;
        };
    }

    private static String text(@Nullable String value) {
        return value == null ? "" : value;
    }
}
