package io.trimtab.controllers.deployment;

import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.RollingUpdateDeployment;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How far a rolling update may go beyond and below the wanted number of pods.
 *
 * @param surge pods above the wanted number
 * @param unavailable pods below it
 */
public record Fenceposts(int surge, int unavailable) {
    private static final Pattern PERCENT = Pattern.compile("(-?\\d+)%");

    /**
     * Resolves numbers and percentages: surge rounds up and unavailability down, and if both come out as nothing, one pod may
     * be unavailable, or no rollout could move.
     *
     * @throws IllegalArgumentException if a value is neither a number nor a percentage
     */
    public static Fenceposts resolve(
            @Nullable IntOrString maxSurge, @Nullable IntOrString maxUnavailable, int desired) {
        int surge = scaled(maxSurge, desired, true);
        int unavailable = scaled(maxUnavailable, desired, false);
        return surge == 0 && unavailable == 0 ? new Fenceposts(0, 1) : new Fenceposts(surge, unavailable);
    }

    /** The fenceposts of a Deployment; none of either unless it rolls. */
    static Fenceposts of(Deployment deployment) {
        if (!isRolling(deployment)) {
            return new Fenceposts(0, 0);
        }
        int replicas = Deployments.replicas(deployment);
        RollingUpdateDeployment rolling = deployment.getSpec().getStrategy().getRollingUpdate();
        Fenceposts resolved = rolling == null
                ? resolve(null, null, replicas)
                : resolve(rolling.getMaxSurge(), rolling.getMaxUnavailable(), replicas);
        // Nothing can be unavailable of nothing, and never more than all.
        return new Fenceposts(resolved.surge, Math.min(resolved.unavailable, replicas));
    }

    static boolean isRolling(Deployment deployment) {
        return deployment.getSpec().getStrategy() != null
                && "RollingUpdate".equals(deployment.getSpec().getStrategy().getType());
    }

    private static int scaled(@Nullable IntOrString value, int total, boolean up) {
        if (value == null || value.getValue() == null) {
            return 0;
        }
        if (value.getIntVal() != null) {
            return value.getIntVal();
        }
        Matcher matcher = PERCENT.matcher(value.getStrVal());
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "invalid value for IntOrString: invalid type: string is not a percentage: " + value.getStrVal());
        }
        long product = Long.parseLong(matcher.group(1)) * total;
        return (int) (up ? Math.floorDiv(product + 99, 100) : Math.floorDiv(product, 100));
    }
}
