package io.trimtab.client;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The conditions of a status, one for each type. Pure.
 *
 * @since 0.1
 */
public final class Conditions {
    private Conditions() {}

    /** The condition of a type. */
    public static Optional<Condition> find(@Nullable List<Condition> conditions, String type) {
        return conditions == null
                ? Optional.empty()
                : conditions.stream().filter(c -> type.equals(c.getType())).findFirst();
    }

    /** Whether the condition of a type is there, and true. */
    public static boolean isTrue(@Nullable List<Condition> conditions, String type) {
        return find(conditions, type).filter(c -> "True".equals(c.getStatus())).isPresent();
    }

    /**
     * The same conditions with this one. The time of its transition is now if its status differs from before, else as it was: so
     * the same judgement again changes nothing.
     *
     * @param generation of the object that was judged
     */
    public static List<Condition> with(
            @Nullable List<Condition> conditions,
            String type,
            boolean isTrue,
            String reason,
            String message,
            long generation,
            Instant now) {
        String status = isTrue ? "True" : "False";
        List<Condition> result = conditions == null ? new ArrayList<>() : new ArrayList<>(conditions);
        Optional<Condition> before = find(conditions, type);
        String since = before.filter(c -> status.equals(c.getStatus()))
                .map(Condition::getLastTransitionTime)
                .orElseGet(() -> now.truncatedTo(ChronoUnit.SECONDS).toString());
        Condition condition = new ConditionBuilder()
                .withType(type)
                .withStatus(status)
                .withReason(reason)
                .withMessage(message)
                .withObservedGeneration(generation)
                .withLastTransitionTime(since)
                .build();
        if (before.isPresent()) {
            result.set(result.indexOf(before.get()), condition);
        } else {
            result.add(condition);
        }
        return result;
    }
}
