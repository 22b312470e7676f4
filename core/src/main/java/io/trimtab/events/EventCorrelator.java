package io.trimtab.events;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.ObjectReference;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one noisy object from flooding the cluster, as client-go does (tools/record/events_cache.go): many similar events
 * become one combined event, equal events become a count, and beyond a rate they are left out. Used by one thread at a time;
 * remembers the 4096 most recent of each.
 */
final class EventCorrelator {
    private static final int MAX_REMEMBERED = 4096;
    /** So many different messages about the same thing are combined. */
    private static final int SIMILAR_MESSAGES = 10;
    /** Similar events further apart than this are not. */
    private static final Duration SIMILAR_WITHIN = Duration.ofSeconds(600);
    /** Events of one source about one object: at once, and then one in five minutes. */
    private static final double SPAM_BURST = 25;

    private static final double SPAM_TOKENS_PER_SECOND = 1.0 / 300;

    private final Map<String, Similar> similar = new Lru<>();
    private final Map<String, Seen> seen = new Lru<>();
    private final Map<String, Allowance> allowances = new Lru<>();

    /** Different messages about the same thing. */
    private static final class Similar {
        private final Set<String> messages = new HashSet<>();
        private @Nullable Instant last;
    }

    /** What the server has of an event. */
    private record Seen(int count, @Nullable String firstTimestamp, String name) {}

    private static final class Allowance {
        private double tokens = SPAM_BURST;
        private Instant last;

        Allowance(Instant now) {
            this.last = now;
        }
    }

    private static final class Lru<V> extends LinkedHashMap<String, V> {
        private static final long serialVersionUID = 1L;

        Lru() {
            super(16, 0.75f, true);
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, V> eldest) {
            return size() > MAX_REMEMBERED;
        }
    }

    /**
     * What to write.
     *
     * @param event complete, with its count
     * @param key under which {@link #written} remembers it
     */
    record Correlated(Event event, String key) {
        /** True if the server should have the event already, with a lower count. */
        boolean isRepeated() {
            return event.getCount() > 1;
        }
    }

    /** What to write for a new event; null for nothing. */
    @Nullable
    Correlated correlate(Event event, Instant now, String combinedName) {
        String key = equalKey(event);
        Event observed = event;
        String similarKey = similarKey(event);
        Similar group = similar.computeIfAbsent(similarKey, k -> new Similar());
        if (group.last == null || Duration.between(group.last, now).compareTo(SIMILAR_WITHIN) > 0) {
            group.messages.clear();
        }
        group.messages.add(event.getMessage());
        group.last = now;
        if (group.messages.size() >= SIMILAR_MESSAGES) {
            group.messages.remove(group.messages.iterator().next());
            key = similarKey;
            observed = new EventBuilder(event)
                    .editMetadata()
                    .withName(combinedName)
                    .endMetadata()
                    .withMessage("(combined from similar events): " + event.getMessage())
                    .build();
        }
        Seen before = seen.get(key);
        if (before != null) {
            observed = new EventBuilder(observed)
                    .editMetadata()
                    .withName(before.name())
                    .endMetadata()
                    .withFirstTimestamp(before.firstTimestamp())
                    .withCount(before.count() + 1)
                    .build();
        }
        remember(key, observed);
        return allow(event, now) ? new Correlated(observed, key) : null;
    }

    /** The server has the event now. */
    void written(Correlated correlated, Event stored) {
        remember(correlated.key(), stored);
    }

    private void remember(String key, Event event) {
        Integer count = event.getCount();
        seen.put(
                key,
                new Seen(
                        count == null ? 1 : count,
                        event.getFirstTimestamp(),
                        event.getMetadata().getName()));
    }

    private boolean allow(Event event, Instant now) {
        Allowance allowance = allowances.computeIfAbsent(spamKey(event), k -> new Allowance(now));
        double seconds = Duration.between(allowance.last, now).toNanos() / 1e9;
        allowance.tokens = Math.min(SPAM_BURST, allowance.tokens + seconds * SPAM_TOKENS_PER_SECOND);
        allowance.last = now;
        if (allowance.tokens < 1) {
            return false;
        }
        allowance.tokens--;
        return true;
    }

    private static String spamKey(Event event) {
        ObjectReference object = event.getInvolvedObject();
        return key(
                event.getSource().getComponent(),
                event.getSource().getHost(),
                object.getKind(),
                object.getNamespace(),
                object.getName(),
                object.getUid(),
                object.getApiVersion());
    }

    private static String similarKey(Event event) {
        return key(
                spamKey(event),
                event.getType(),
                event.getReason(),
                event.getReportingComponent(),
                event.getReportingInstance());
    }

    private static String equalKey(Event event) {
        return key(
                spamKey(event),
                event.getInvolvedObject().getFieldPath(),
                event.getType(),
                event.getReason(),
                event.getMessage());
    }

    private static String key(@Nullable String... parts) {
        StringBuilder key = new StringBuilder();
        for (String part : parts) {
            key.append(part == null ? "" : part).append('\n');
        }
        return key.toString();
    }
}
