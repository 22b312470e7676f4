package io.trimtab.webhook;

import io.fabric8.kubernetes.api.model.LabelSelector;
import io.trimtab.webhook.Admission.Operation;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
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
        return DEFAULT.edit(draft -> draft.operations = Arrays.asList(operations));
    }

    /** The same under a name of its own. */
    public HookOptions named(String text) {
        return edit(draft -> draft.name = text);
    }

    /** The same for subresources, such as {@code status} or {@code scale}. */
    public HookOptions onSubresources(String... names) {
        return edit(draft -> draft.subresources = Arrays.asList(names));
    }

    /** The same, but requests go on when there is no answer. */
    public HookOptions withFailOpen(boolean open) {
        return edit(draft -> draft.failOpen = open);
    }

    /** The same with another timeout. */
    public HookOptions withTimeout(Duration time) {
        return edit(draft -> draft.timeout = time);
    }

    /** The same for objects and namespaces with labels. */
    public HookOptions withSelectors(@Nullable LabelSelector namespaces, @Nullable LabelSelector objects) {
        return edit(draft -> {
            draft.namespaceSelector = namespaces;
            draft.objectSelector = objects;
        });
    }

    /** The same with one more CEL expression that must be true. */
    public HookOptions withCondition(String conditionName, String expression) {
        return edit(draft -> {
            draft.matchConditions = new LinkedHashMap<>(matchConditions);
            draft.matchConditions.put(conditionName, expression);
        });
    }

    /** The same for a handler that changes something elsewhere, though not on dry runs. */
    public HookOptions withSideEffects(boolean has) {
        return edit(draft -> draft.sideEffects = has);
    }

    /** The same, called again if a later webhook has changed the object. */
    public HookOptions withReinvocation(boolean again) {
        return edit(draft -> draft.reinvoke = again);
    }

    private HookOptions edit(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.options();
    }

    /** The one place that copies. */
    private static final class Draft {
        private String name;
        private List<Operation> operations;
        private List<String> subresources;
        private boolean failOpen;
        private Duration timeout;
        private @Nullable LabelSelector namespaceSelector;
        private @Nullable LabelSelector objectSelector;
        private Map<String, String> matchConditions;
        private boolean sideEffects;
        private boolean reinvoke;

        Draft(HookOptions from) {
            name = from.name;
            operations = from.operations;
            subresources = from.subresources;
            failOpen = from.failOpen;
            timeout = from.timeout;
            namespaceSelector = from.namespaceSelector;
            objectSelector = from.objectSelector;
            matchConditions = from.matchConditions;
            sideEffects = from.sideEffects;
            reinvoke = from.reinvoke;
        }

        HookOptions options() {
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
                    reinvoke);
        }
    }
}
