package io.trimtab.scheduler.cache;

import io.trimtab.scheduler.framework.AffinityTerm;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.Snapshot;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** The distinct affinity terms of the pods on nodes: one entry for each workload rather than for each pod. */
final class TermCounts {
    private static final class Entry implements Snapshot.TermCount {
        final AffinityTerm term;
        int[] perSlot;
        int total;

        Entry(AffinityTerm term, int slots) {
            this.term = term;
            this.perSlot = new int[slots];
        }

        void grow(int slots) {
            if (perSlot.length < slots) {
                perSlot = Arrays.copyOf(perSlot, Math.max(slots, perSlot.length * 2));
            }
        }

        @Override
        public AffinityTerm term() {
            return term;
        }

        @Override
        public int[] counts() {
            return perSlot;
        }
    }

    private final Map<AffinityTerm, Entry> entries = new LinkedHashMap<>();

    void add(PodInfo pod, int slot, int change, int slots) {
        for (AffinityTerm term : pod.terms()) {
            Entry entry = entries.computeIfAbsent(term, t -> new Entry(t, slots));
            entry.grow(slots);
            entry.perSlot[slot] += change;
            entry.total += change;
            if (entry.total == 0) {
                entries.remove(term);
            }
        }
    }

    Collection<? extends Snapshot.TermCount> all(int slots) {
        entries.values().forEach(entry -> entry.grow(slots));
        return entries.values();
    }
}
