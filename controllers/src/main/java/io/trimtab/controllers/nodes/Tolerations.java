package io.trimtab.controllers.nodes;

import io.fabric8.kubernetes.api.model.Taint;
import io.fabric8.kubernetes.api.model.Toleration;
import java.util.List;

/** Whether taints are tolerated. Pure functions. */
public final class Tolerations {
    private Tolerations() {}

    public static boolean tolerates(Toleration toleration, Taint taint) {
        String effect = orEmpty(toleration.getEffect());
        if (!effect.isEmpty() && !effect.equals(taint.getEffect())) {
            return false;
        }
        String key = orEmpty(toleration.getKey());
        if (!key.isEmpty() && !key.equals(taint.getKey())) {
            return false;
        }
        return switch (orEmpty(toleration.getOperator())) {
            case "Exists" -> true;
            case "", "Equal" -> orEmpty(toleration.getValue()).equals(orEmpty(taint.getValue()));
            default -> false;
        };
    }

    public static boolean anyTolerates(List<Toleration> tolerations, Taint taint) {
        return tolerations.stream().anyMatch(toleration -> tolerates(toleration, taint));
    }

    private static String orEmpty(@org.jspecify.annotations.Nullable String text) {
        return text == null ? "" : text;
    }
}
