package io.trimtab.scheduler.cache;

import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.PodMatcher;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Counts on each node the pods that match a selector, for the selectors that were asked for lately. A first question walks all
 * pods; after it each pod that comes or goes costs one match for each selector of its namespace.
 */
final class PodCounts {
    /** A selector comes from a workload; beyond this many the one not used for longest is counted anew when it comes back. */
    private static final int MAX_MATCHERS = 512;

    private static final class Count {
        final PodMatcher matcher;
        int[] perSlot;

        Count(PodMatcher matcher, int slots) {
            this.matcher = matcher;
            this.perSlot = new int[slots];
        }

        void grow(int slots) {
            if (perSlot.length < slots) {
                perSlot = Arrays.copyOf(perSlot, Math.max(slots, perSlot.length * 2));
            }
        }
    }

    private final LinkedHashMap<PodMatcher, Count> counts = new LinkedHashMap<>(64, 0.75f, true);
    private final Map<String, List<Count>> byNamespace = new HashMap<>();
    private final List<Count> anywhere = new ArrayList<>();

    int[] of(PodMatcher matcher, List<@Nullable NodeInfo> nodes) {
        Count count = counts.get(matcher);
        if (count == null) {
            count = make(matcher, nodes);
        }
        count.grow(nodes.size());
        return count.perSlot;
    }

    private Count make(PodMatcher matcher, List<@Nullable NodeInfo> nodes) {
        Count count = new Count(matcher, nodes.size());
        for (NodeInfo node : nodes) {
            if (node != null) {
                for (PodInfo pod : node.pods()) {
                    if (matcher.matches(pod)) {
                        count.perSlot[node.slot()]++;
                    }
                }
            }
        }
        counts.put(matcher, count);
        if (matcher.namespaces() == null) {
            anywhere.add(count);
        } else {
            matcher.namespaces()
                    .forEach(ns -> byNamespace
                            .computeIfAbsent(ns, n -> new ArrayList<>())
                            .add(count));
        }
        if (counts.size() > MAX_MATCHERS) {
            drop(counts.values().iterator().next());
        }
        return count;
    }

    private void drop(Count count) {
        counts.remove(count.matcher);
        anywhere.remove(count);
        if (count.matcher.namespaces() != null) {
            for (String namespace : count.matcher.namespaces()) {
                List<Count> of = byNamespace.get(namespace);
                if (of != null && of.remove(count) && of.isEmpty()) {
                    byNamespace.remove(namespace);
                }
            }
        }
    }

    void add(PodInfo pod, int slot, int change) {
        List<Count> of = byNamespace.get(pod.namespace());
        if (of != null) {
            add(of, pod, slot, change);
        }
        add(anywhere, pod, slot, change);
    }

    private static void add(List<Count> of, PodInfo pod, int slot, int change) {
        for (Count count : of) {
            if (count.matcher.matches(pod)) {
                count.grow(slot + 1);
                count.perSlot[slot] += change;
            }
        }
    }
}
