package io.trimtab.apiserver.store;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * An ordered, multi-version key space with one revision counter. Keys are text, ordered by their UTF-8 bytes; values are bytes
 * that nobody changes.
 *
 * <p>Every commit takes the next revision; what it wrote is readable, whole, once its future completes, and is durable by then
 * where the store is durable. Reads see a snapshot: never torn, never older than a commit that was acknowledged before the
 * read began. Safe for use by any thread; one writer orders the commits, readers take no lock.
 */
public interface Store extends AutoCloseable {

    /** The revision of the latest commit; 1 when new. */
    long revision();

    /** The oldest revision that can still be read and watched from. */
    long compactedRevision();

    /**
     * True if other processes commit to the same key space. If not, listeners have heard of a commit before its future
     * completes; if so, they may hear of it later, and {@link #revision} asks the others.
     */
    default boolean hasOtherWriters() {
        return false;
    }

    /** True if keys that were put with a time to live vanish by themselves; if not, whoever put them removes them. */
    default boolean expiresKeys() {
        return false;
    }

    /** True if a key should be written anew even if its value stays the same: it lies there in a form that is given up. */
    default boolean mustRewrite(String key) {
        return false;
    }

    /** The newest state of a key. */
    Optional<Entry> get(String key);

    /**
     * A part of the key space, in key order.
     *
     * @param prefix what the keys begin with
     * @param startKey the first key that may be returned; null for the prefix' first
     * @param limit entries at the most; 0 for all
     * @param revision the snapshot to read; 0 for the latest
     * @throws CompactedException if the revision is older than what is kept
     * @throws FutureRevisionException if the revision has not been written yet
     */
    Range range(String prefix, @Nullable String startKey, int limit, long revision);

    /** How many keys begin with the prefix, now. */
    long count(String prefix);

    /**
     * Applies all operations, or none if a precondition does not hold. The future completes on a thread of the store (in
     * virtual time: before this method returns) and never exceptionally for a failed precondition; it fails only if the store
     * does.
     */
    CompletableFuture<CommitResult> commit(List<Operation> operations);

    /**
     * Hears of every commit after a revision, in order, each exactly once.
     *
     * @param after the revision the listener has seen; 0 for the latest
     * @param listener called by one thread at a time; must be quick and must not call back into the store's writer
     * @throws CompactedException if changes after that revision are no longer kept
     */
    AutoCloseable watch(String prefix, long after, Listener listener);

    /** Forgets what was overwritten before this revision; snapshots older than it can no longer be read. */
    void compact(long revision);

    /** Frees files and memory. Commits that were acknowledged stay. */
    @Override
    void close();

    /**
     * One key at one revision. Safe for use by any thread. The store may let go of the value of an entry that was overwritten
     * long ago, and reads it again from where it keeps it when it is asked for.
     */
    final class Entry {
        private final String key;
        private final long createRevision;
        private final long revision;
        /** The value, or who has it. */
        private volatile Object value;

        /**
         * @param createRevision when the key came to be
         * @param revision when it was last written
         */
        public Entry(String key, byte[] value, long createRevision, long revision) {
            this.key = key;
            this.value = value;
            this.createRevision = createRevision;
            this.revision = revision;
        }

        public String key() {
            return key;
        }

        /**
         * What was written; not to be changed.
         *
         * @throws CompactedException if the entry was overwritten, and its revision is no longer kept
         */
        public byte[] value() {
            Object held = value;
            return held instanceof Archive archive ? archive.read(this) : (byte[]) held;
        }

        /** When the key came to be. */
        public long createRevision() {
            return createRevision;
        }

        /** When it was last written. */
        public long revision() {
            return revision;
        }

        /** The bytes it holds in memory. */
        int heldBytes() {
            return value instanceof byte[] bytes ? bytes.length : 0;
        }

        /** Lets go of the value. */
        void leaveTo(Archive archive) {
            value = archive;
        }

        @Override
        public String toString() {
            return key + "@" + revision;
        }
    }

    /** Has the values that are not held in memory. Safe for use by any thread. */
    interface Archive {
        /** @throws CompactedException if it has the value no longer */
        byte[] read(Entry entry);
    }

    /**
     * @param entries in key order
     * @param revision of the snapshot
     * @param more whether the limit cut the answer
     * @param remaining how many were cut off, or -1 if that was not counted
     */
    record Range(List<Entry> entries, long revision, boolean more, long remaining) {}

    /** A write with its precondition. */
    sealed interface Operation {
        String key();

        /**
         * Writes a value.
         *
         * @param expectedRevision the revision the key must have; 0: it must not exist; -1: anything
         * @param value made from the revision the commit takes, on the writer's thread: must be quick. A store that learns
         *     the revision only by committing, because others commit too, hands in 0, and puts the revision into what it gives
         *     back
         * @param timeToLive from this write on; null for ever
         */
        record Put(
                String key,
                long expectedRevision,
                LongFunction<byte[]> value,
                @Nullable Duration timeToLive) implements Operation {
            public Put(String key, long expectedRevision, LongFunction<byte[]> value) {
                this(key, expectedRevision, value, null);
            }
        }

        /**
         * Removes a key.
         *
         * @param expectedRevision the revision the key must have; -1: anything, also nothing
         */
        record Delete(String key, long expectedRevision) implements Operation {}
    }

    /**
     * @param committed false if a precondition failed
     * @param revision of the commit; the current one if it failed
     * @param failed the state of the first key whose precondition failed; null if it does not exist or nothing failed
     */
    record CommitResult(
            boolean committed, long revision, @Nullable Entry failed) {}

    /**
     * A key changed.
     *
     * @param entry the new state; null if it was deleted
     * @param previous the state before; null if it was created
     * @param revision of the commit
     */
    record Change(
            String key, @Nullable Entry entry, @Nullable Entry previous, long revision) {}

    /** Hears of commits. */
    interface Listener {
        /** The changes of one commit (never empty), or of several in order. */
        void onChanges(List<Change> changes);

        /** All changes up to a revision have been told; of the last revisions none was in the watched part. */
        default void onProgress(long revision) {}
    }

    /** The revision is no longer kept. */
    final class CompactedException extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final long oldest;

        public CompactedException(long asked, long oldest) {
            super("revision " + asked + " has been compacted; the oldest kept is " + oldest);
            this.oldest = oldest;
        }

        public long oldest() {
            return oldest;
        }
    }

    /** The revision has not been written yet. */
    final class FutureRevisionException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        public FutureRevisionException(long asked, long current) {
            super("revision " + asked + " is ahead of the store's " + current);
        }
    }
}
