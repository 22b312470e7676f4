package io.trimtab.scheduler;

import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.Status;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What node-local plugins answered for pods of one template, node by node, with the generation of the node they looked at. Of
 * a thousand pods of one template only the first asks about all nodes; each later one asks about the nodes that changed.
 */
final class TemplateResults {
    /** Enough for the templates that arrive interleaved; one that comes back later begins anew. */
    private static final int MAX_TEMPLATES = 64;

    /** The answers for one template, by slot of the node. */
    static final class Entry {
        private final int scorers;
        long[] filterGeneration = new long[0];

        @Nullable
        Status[] filter = new Status[0];

        long[] scoreGeneration = new long[0];
        long[][] scores = new long[0][];
        long epoch;

        Entry(int scorers) {
            this.scorers = scorers;
        }

        void prepare(int slots, long currentEpoch) {
            if (filterGeneration.length < slots) {
                int length = Math.max(slots, filterGeneration.length * 2);
                filterGeneration = Arrays.copyOf(filterGeneration, length);
                filter = Arrays.copyOf(filter, length);
                scoreGeneration = Arrays.copyOf(scoreGeneration, length);
                scores = Arrays.copyOf(scores, length);
            }
            if (epoch != currentEpoch) {
                epoch = currentEpoch;
                Arrays.fill(scoreGeneration, 0);
                Arrays.fill(filterGeneration, 0);
            }
        }

        long[] scoresOf(int slot) {
            long[] known = scores[slot];
            if (known == null) {
                known = new long[scorers];
                scores[slot] = known;
            }
            return known;
        }
    }

    private final Map<PodInfo.Signature, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);

    /** The answers for the pod's template. */
    Entry of(PodInfo pod, int scorers, int slots, long epoch) {
        PodInfo.Signature signature = pod.signature();
        Entry entry = entries.get(signature);
        if (entry == null) {
            entry = new Entry(scorers);
            entries.put(signature, entry);
            if (entries.size() > MAX_TEMPLATES) {
                entries.remove(entries.keySet().iterator().next());
            }
        }
        entry.prepare(slots, epoch);
        return entry;
    }
}
