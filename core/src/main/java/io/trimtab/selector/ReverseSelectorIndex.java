package io.trimtab.selector;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Finds the selectors that match an object, without looking at all of them: each selector is filed under one label that every
 * object it matches must have (of several, the one with the fewest selectors so far), and an object asks only under its own
 * labels. Selectors that need no label (everything, {@code !k}, {@code k!=v}) are looked at each time.
 *
 * <p>Not safe for use by several threads: its owner's thread or lock guards it; {@link NamespacedSelectors} brings its own.
 * Results come in an order that depends only on the calls made before.
 *
 * @param <S> the selectors' ids, with equals and hashCode
 */
public final class ReverseSelectorIndex<S> {
    private final Map<S, Filed<S>> filed = new LinkedHashMap<>();
    /** By key, then value: selectors that ask for that value. */
    private final Map<String, Map<String, Map<S, LabelSelector>>> byLabel = new HashMap<>();
    /** By key: selectors that ask for the key, with any or a greater or less value. */
    private final Map<String, Map<S, LabelSelector>> byKey = new HashMap<>();
    /** Selectors that ask for no label. */
    private final Map<S, LabelSelector> unfiled = new LinkedHashMap<>();

    /** @param under null if the selector asks for no label */
    private record Filed<S>(
            LabelSelector selector, @Nullable Requirement under) {}

    /** Adds the selector, or replaces the one of this id. */
    public void put(S id, LabelSelector selector) {
        Filed<S> old = filed.get(id);
        if (old != null) {
            if (old.selector().equals(selector)) {
                return;
            }
            unfile(id, old);
        }
        Requirement under = Requirement.cheapest(selector.requirements(), this::costOf);
        filed.put(id, new Filed<>(selector, under));
        if (selector.isNothing()) {
            return;
        }
        if (under == null) {
            unfiled.put(id, selector);
        } else if (under.operator().isPositive()) {
            for (String value : under.values()) {
                byLabel.computeIfAbsent(under.key(), k -> new HashMap<>())
                        .computeIfAbsent(value, v -> new LinkedHashMap<>(2))
                        .put(id, selector);
            }
        } else {
            byKey.computeIfAbsent(under.key(), k -> new LinkedHashMap<>(2)).put(id, selector);
        }
    }

    /** Removes the selector; does nothing if it is not there. */
    public void remove(S id) {
        Filed<S> old = filed.remove(id);
        if (old != null) {
            unfile(id, old);
        }
    }

    private void unfile(S id, Filed<S> old) {
        Requirement under = old.under();
        if (under == null) {
            unfiled.remove(id);
        } else if (under.operator().isPositive()) {
            for (String value : under.values()) {
                byLabel.computeIfPresent(under.key(), (k, values) -> {
                    values.computeIfPresent(value, (v, selectors) -> without(selectors, id));
                    return values.isEmpty() ? null : values;
                });
            }
        } else {
            byKey.computeIfPresent(under.key(), (k, selectors) -> without(selectors, id));
        }
    }

    private static <S> @Nullable Map<S, LabelSelector> without(Map<S, LabelSelector> selectors, S id) {
        selectors.remove(id);
        return selectors.isEmpty() ? null : selectors;
    }

    public int size() {
        return filed.size();
    }

    /** The ids of all selectors that match an object with these labels. */
    public List<S> matching(Map<String, String> labels) {
        List<S> ids = new ArrayList<>();
        forEachMatching(labels, ids::add);
        return ids;
    }

    /** Tells the id of each selector that matches, once. The consumer must not change the index. */
    public void forEachMatching(Map<String, String> labels, Consumer<? super S> action) {
        for (Map.Entry<String, String> label : labels.entrySet()) {
            Map<String, Map<S, LabelSelector>> values = byLabel.get(label.getKey());
            if (values != null) {
                visit(values.get(label.getValue()), labels, action);
            }
            visit(byKey.get(label.getKey()), labels, action);
        }
        visit(unfiled, labels, action);
    }

    /** The ids of all selectors that match the one or the other labels: whom a change of labels may concern. */
    public List<S> matchingEither(Map<String, String> before, Map<String, String> after) {
        List<S> ids = matching(after);
        if (!before.equals(after)) {
            forEachMatching(before, id -> {
                if (!selectorOf(id).matches(after)) {
                    ids.add(id);
                }
            });
        }
        return ids;
    }

    private LabelSelector selectorOf(S id) {
        return Objects.requireNonNull(filed.get(id)).selector();
    }

    private static <S> void visit(
            @Nullable Map<S, LabelSelector> selectors, Map<String, String> labels, Consumer<? super S> action) {
        if (selectors != null) {
            for (Map.Entry<S, LabelSelector> candidate : selectors.entrySet()) {
                if (candidate.getValue().matches(labels)) {
                    action.accept(candidate.getKey());
                }
            }
        }
    }

    /** Selectors already filed there; a key alone is taken only where nothing names a value. */
    private int costOf(Requirement requirement) {
        if (!requirement.operator().isPositive()) {
            return Integer.MAX_VALUE - 1;
        }
        Map<String, Map<S, LabelSelector>> values = byLabel.getOrDefault(requirement.key(), Map.of());
        int cost = requirement.values().size() - 1;
        for (String value : requirement.values()) {
            cost += values.getOrDefault(value, Map.of()).size();
        }
        return cost;
    }
}
