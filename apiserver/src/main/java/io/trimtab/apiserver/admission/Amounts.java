package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.quantity.Quantity;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Lists of resources: names and amounts. Stateless; results are the caller's own. */
final class Amounts {
    private Amounts() {}

    /** What a tree such as {@code requests} says, sorted by name. */
    static TreeMap<String, Quantity> of(JsonNode tree) {
        TreeMap<String, Quantity> amounts = new TreeMap<>();
        PodTrees.each(tree, (name, amount) -> amounts.put(name, Quantity.parse(amount.asText())));
        return amounts;
    }

    /** Adds the second to the first. */
    static void add(Map<String, Quantity> sum, Map<String, Quantity> more) {
        more.forEach((name, amount) -> sum.merge(name, amount, Quantity::add));
    }

    /** Raises the first to what the second has more. */
    static void raise(Map<String, Quantity> most, Map<String, Quantity> other) {
        other.forEach((name, amount) -> most.merge(name, amount, (a, b) -> a.compareTo(b) >= 0 ? a : b));
    }

    /** {@code cpu=1,memory=2Gi}. */
    static String show(Map<String, Quantity> amounts) {
        return new TreeMap<>(amounts)
                .entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).collect(Collectors.joining(","));
    }

    /** What of the first the names contain. */
    static TreeMap<String, Quantity> mask(Map<String, Quantity> amounts, Collection<String> names) {
        TreeMap<String, Quantity> masked = new TreeMap<>(amounts);
        masked.keySet().retainAll(names);
        return masked;
    }
}
