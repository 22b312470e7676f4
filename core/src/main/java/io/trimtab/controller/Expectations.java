package io.trimtab.controller;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Remembers what a controller has created and deleted but not yet seen in its cache, so that it does not do it twice. A
 * controller sets expectations before it acts, lowers them for each call that failed or was never made, and its event handlers
 * lower them as the changes arrive; until then {@link #isSatisfied} says no. After 5 minutes expectations are given up: an
 * event that never comes must not stop a controller for ever. Safe for use by any thread.
 *
 * <p>Deletions may be counted, or be tracked by object, so that "is being deleted" and "is gone" count once.
 */
public final class Expectations {
    private static final Duration GIVEN_UP_AFTER = Duration.ofMinutes(5);

    private final Driver driver;
    /** Guarded by this. */
    private final Map<Request, Expected> expected = new HashMap<>();

    private static final class Expected {
        private long creations;
        private long deletions;
        /** Null if deletions are only counted. */
        private @Nullable Set<String> objects;

        private final long sinceNanos;

        Expected(long creations, long deletions, @Nullable Set<String> objects, long sinceNanos) {
            this.creations = creations;
            this.deletions = deletions;
            this.objects = objects;
            this.sinceNanos = sinceNanos;
        }
    }

    public Expectations(Driver driver) {
        this.driver = driver;
    }

    /** How {@link #expectDeletions(Request, Collection)} names an object. */
    public static String keyOf(HasMetadata object) {
        return Request.of(object).toString();
    }

    /** Expects so many creations and deletions, instead of what was expected before. */
    public synchronized void expect(Request owner, int creations, int deletions) {
        expected.put(owner, new Expected(creations, deletions, null, driver.nanoTime()));
    }

    /** Expects so many creations, instead of what was expected before. */
    public void expectCreations(Request owner, int count) {
        expect(owner, count, 0);
    }

    /** Expects so many deletions, instead of what was expected before. */
    public void expectDeletions(Request owner, int count) {
        expect(owner, 0, count);
    }

    /** Expects the deletion of these objects, each once, instead of what was expected before. */
    public synchronized void expectDeletions(Request owner, Collection<String> objects) {
        Set<String> tracked = new HashSet<>(objects);
        expected.put(owner, new Expected(0, tracked.size(), tracked, driver.nanoTime()));
    }

    /** An object was created, or will not be. Lowers nothing below what was never expected. */
    public synchronized void creationObserved(Request owner) {
        Expected record = expected.get(owner);
        if (record != null) {
            record.creations--;
        }
    }

    /** So many creations will not happen: their calls failed, or were never made. */
    public synchronized void lowerCreations(Request owner, int count) {
        Expected record = expected.get(owner);
        if (record != null) {
            record.creations -= count;
        }
    }

    /** An object was deleted, or will not be. */
    public synchronized void deletionObserved(Request owner) {
        Expected record = expected.get(owner);
        if (record != null) {
            record.deletions--;
        }
    }

    /** This object is being deleted, is gone, or will not be deleted. Counts once, and only if its deletion was expected. */
    public synchronized void deletionObserved(Request owner, String object) {
        Expected record = expected.get(owner);
        if (record != null && record.objects != null && record.objects.remove(object)) {
            record.deletions--;
        }
    }

    /** True if the controller may act: all that was expected was seen, or nothing was expected, or it was given up. */
    public synchronized boolean isSatisfied(Request owner) {
        Expected record = expected.get(owner);
        return record == null
                || record.creations <= 0 && record.deletions <= 0
                || driver.nanoTime() - record.sinceNanos > GIVEN_UP_AFTER.toNanos();
    }

    /** The owner is gone: one that is made anew under its name starts clean. */
    public synchronized void forget(Request owner) {
        expected.remove(owner);
    }
}
