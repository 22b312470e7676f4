package io.trimtab.apiserver.storage;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.store.PersistentMap;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Finds Events that are too old, for stores whose keys do not vanish by themselves. An Event's age counts from the last time
 * that stands in it, which each repetition sets anew. Stateless.
 */
final class EventExpiry {
    static final String PREFIX = "/registry/events/";

    /** etcd's leases end within a minute or so, too. */
    static final Duration EVERY = Duration.ofMinutes(1);

    /** So that a sweep does not fill the log with one burst; the rest goes at the next. */
    private static final int MAX_AT_ONCE = 5000;

    /** When events were written last, as far as they have been read: few change between two sweeps. Touched by sweeps only. */
    private Map<Stored, Instant> known = new IdentityHashMap<>();

    static boolean isEvents(ApiResource resource) {
        return !resource.custom() && resource.plural().equals("events");
    }

    List<Stored> expired(PersistentMap<Stored> events, Instant before) {
        List<Stored> expired = new ArrayList<>();
        Map<Stored, Instant> still = new IdentityHashMap<>();
        Iterator<Stored> all = events.iterator(PREFIX, null);
        while (all.hasNext() && expired.size() < MAX_AT_ONCE) {
            Stored event = all.next();
            Instant last = known.get(event);
            if (last == null) {
                last = lastTime(event.tree());
            }
            still.put(event, last);
            if (last.isBefore(before)) {
                expired.add(event);
            }
        }
        known = still;
        return expired;
    }

    private static Instant lastTime(JsonNode event) {
        Instant last = Instant.EPOCH;
        last = later(last, event.path("metadata").path("creationTimestamp"));
        last = later(last, event.path("lastTimestamp"));
        last = later(last, event.path("eventTime"));
        last = later(last, event.path("series").path("lastObservedTime"));
        for (JsonNode manager : event.path("metadata").path("managedFields")) {
            last = later(last, manager.path("time"));
        }
        return last;
    }

    private static Instant later(Instant last, JsonNode time) {
        if (!time.isTextual()) {
            return last;
        }
        try {
            Instant found = Instant.parse(time.textValue());
            return found.isAfter(last) ? found : last;
        } catch (DateTimeParseException e) {
            return last;
        }
    }
}
