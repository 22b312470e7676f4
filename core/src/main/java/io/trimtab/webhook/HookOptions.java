package io.trimtab.webhook;

import io.fabric8.kubernetes.api.model.LabelSelector;
import io.trimtab.webhook.Admission.Operation;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which requests a webhook hears of, and what happens when it does not answer. Immutable.
 *
 * @param name tells two webhooks of one resource apart; empty for the only one
 * @param operations of which it hears
 * @param subresources of which it hears; empty for the object itself only
 * @param failOpen let requests go on when the webhook does not answer in time
 * @param timeout of one call, whole seconds from 1 to 30
 * @param namespaceSelector only objects of namespaces with these labels; null for all
 * @param objectSelector only objects with these labels; null for all
 * @param matchConditions CEL expressions by name, which must all be true
 * @param sideEffects the webhook changes something elsewhere, though not on dry runs
 * @param reinvoke call it again if a later webhook has changed the object; for mutating ones
 * @since 0.1
 */
public record HookOptions(
        String name,
        List<Operation> operations,
        List<String> subresources,
        boolean failOpen,
        Duration timeout,
        @Nullable LabelSelector namespaceSelector,
        @Nullable LabelSelector objectSelector,
        Map<String, String> matchConditions,
        boolean sideEffects,
        boolean reinvoke) {

    /** Creates and updates of the object itself; closed on failure, after Kubernetes' ten seconds. */
    public static final HookOptions DEFAULT = new HookOptions(
            "",
            List.of(Operation.CREATE, Operation.UPDATE),
            List.of(),
            false,
            Duration.ofSeconds(10),
            null,
            null,
            Map.of(),
            false,
            false);

    public HookOptions {
        operations = List.copyOf(operations);
        subresources = List.copyOf(subresources);
        matchConditions = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(matchConditions));
        if (timeout.toSeconds() < 1 || timeout.toSeconds() > 30) {
            throw new IllegalArgumentException("a webhook's timeout must be 1 s to 30 s, not " + timeout);
        }
        if (operations.isEmpty()) {
            throw new IllegalArgumentException("a webhook needs an operation to hear of");
        }
    }

    /** Only these operations. */
    public static HookOptions on(Operation... operations) {
        HookOptions d = DEFAULT;
        return new HookOptions(
                d.name,
                Arrays.asList(operations),
                d.subresources,
                d.failOpen,
                d.timeout,
                null,
                null,
                d.matchConditions,
                d.sideEffects,
                d.reinvoke);
    }

    /** The same under a name of its own. */
    public HookOptions named(String text) {
        return new HookOptions(
                text,
                operations,
                subresources,
                failOpen,
                timeout,
                namespaceSelector,
                objectSelector,
                matchConditions,
                sideEffects,
                reinvoke);
    }

    /** The same for subresources, such as {@code status} or {@code scale}. */
    public HookOptions onSubresources(String... names) {
        return new HookOptions(
                name,
                operations,
                Arrays.asList(names),
                failOpen,
                timeout,
                namespaceSelector,
                objectSelector,
                matchConditions,
                sideEffects,
                reinvoke);
    }

    /** The same, but requests go on when there is no answer. */
    public HookOptions withFailOpen(boolean open) {
        return new HookOptions(
                name,
                operations,
                subresources,
                open,
                timeout,
                namespaceSelector,
                objectSelector,
                matchConditions,
                sideEffects,
                reinvoke);
    }

    /** The same with another timeout. */
    public HookOptions withTimeout(Duration time) {
        return new HookOptions(
                name,
                operations,
                subresources,
                failOpen,
                time,
                namespaceSelector,
                objectSelector,
                matchConditions,
                sideEffects,
                reinvoke);
    }

    /** The same for objects and namespaces with labels. */
    public HookOptions withSelectors(@Nullable LabelSelector namespaces, @Nullable LabelSelector objects) {
        return new HookOptions(
                name,
                operations,
                subresources,
                failOpen,
                timeout,
                namespaces,
                objects,
                matchConditions,
                sideEffects,
                reinvoke);
    }

    /** The same with one more CEL expression that must be true. */
    public HookOptions withCondition(String conditionName, String expression) {
        Map<String, String> all = new LinkedHashMap<>(matchConditions);
        all.put(conditionName, expression);
        return new HookOptions(
                name,
                operations,
                subresources,
                failOpen,
                timeout,
                namespaceSelector,
                objectSelector,
                all,
                sideEffects,
                reinvoke);
    }

    /** The same for a handler that changes something elsewhere, though not on dry runs. */
    public HookOptions withSideEffects(boolean has) {
        return new HookOptions(
                name,
                operations,
                subresources,
                failOpen,
                timeout,
                namespaceSelector,
                objectSelector,
                matchConditions,
                has,
                reinvoke);
    }

    /** The same, called again if a later webhook has changed the object. */
    public HookOptions withReinvocation(boolean again) {
        return new HookOptions(
                name,
                operations,
                subresources,
                failOpen,
                timeout,
                namespaceSelector,
                objectSelector,
                matchConditions,
                sideEffects,
                again);
    }
}
