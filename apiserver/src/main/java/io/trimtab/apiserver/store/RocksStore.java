package io.trimtab.apiserver.store;

import io.trimtab.apiserver.store.Versions.Outcome;
import io.trimtab.apiserver.store.Versions.State;
import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import org.rocksdb.CompressionType;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;
import org.rocksdb.util.Environment;

/**
 * A store in a directory. A commit is acknowledged when it is in a write-ahead log that the disk has confirmed; commits that
 * come while the disk is busy share the next confirmation. The present is also held in memory, where it is read; of what was
 * overwritten, memory holds the newest part, and the files are read for older values.
 *
 * <p>In the files, each change has a key of its own: the key's text, a zero byte, the revision. So a restart brings back the
 * past too, down to the last compaction: watches go on and pages of a list keep their snapshot.
 *
 * <p>Close it before its driver. One process at a time can open a directory.
 *
 * @since 0.1
 */
public final class RocksStore implements Store {
    private static final long DEFAULT_HISTORY_BYTES = Runtime.getRuntime().maxMemory() / 4;

    /** Raised when the layout changes such that older programs would misread it. */
    private static final int FORMAT = 1;

    private static final byte[] FORMAT_KEY = "mformat".getBytes(StandardCharsets.ISO_8859_1);
    private static final byte[] COMPACTED_KEY = "mcompacted".getBytes(StandardCharsets.ISO_8859_1);
    private static final byte CHANGE = 'v';

    private static final byte DELETED = 0;
    private static final byte WRITTEN = 1;

    /** Kind, place within the commit, revision of the key's creation. */
    private static final int HEADER_BYTES = 1 + 4 + 8;

    /** So that one confirmation does not keep the first in the line waiting for too many others' bytes. */
    private static final int MAX_GROUP = 2000;

    // A commit may find itself behind one such batch: short ones, so that it does not wait long.
    private static final int GARBAGE_BATCH = 50;

    private record Request(List<Operation> operations, CompletableFuture<CommitResult> future) {}

    private record Garbage(long oldest, List<Change> forgotten) {}

    private final Path directory;
    private final Driver driver;
    private final Options options;
    private final WriteOptions durably;
    private final WriteOptions eventually;
    private final RocksDB db;
    private final Versions versions;

    private final ConcurrentLinkedQueue<Request> requests = new ConcurrentLinkedQueue<>();

    /** Held by who writes a group; taken before the versions' lock. */
    private final ReentrantLock writing = new ReentrantLock();

    /** What compaction has left in the files. Added under the versions' lock, removed under {@code cleaning}. */
    private final ConcurrentLinkedQueue<Garbage> garbage = new ConcurrentLinkedQueue<>();

    private final ReentrantLock cleaning = new ReentrantLock();

    /** Readers of the files hold its read lock; who closes them, the other. Taken last. */
    private final ReentrantReadWriteLock files = new ReentrantReadWriteLock();

    /** Why no commit is possible any more. Written under {@code writing}. */
    private volatile @Nullable StoreException broken;

    private RocksStore(
            Path directory, Driver driver, Options options, RocksDB db, Loaded loaded, long maxHistoryBytes) {
        this.directory = directory;
        this.driver = driver;
        this.options = options;
        this.db = db;
        this.durably = new WriteOptions().setSync(true);
        // Without the log: the next commit would wait for the disk to confirm this, too.
        this.eventually = new WriteOptions().setDisableWAL(true);
        this.versions = new Versions(
                loaded.base(),
                maxHistoryBytes,
                (oldest, forgotten) -> garbage.add(new Garbage(oldest, forgotten)),
                this::archived);
        versions.lock.lock();
        try {
            loaded.replay(versions);
        } finally {
            versions.lock.unlock();
        }
    }

    /**
     * Opens the store of a directory, which is made if it does not exist.
     *
     * @param driver runs the groups that nobody's commit is waiting to lead
     * @throws StoreException if the directory cannot be used; the message says why, and what to do
     */
    public static RocksStore open(Path directory, Driver driver) {
        return open(directory, driver, DEFAULT_HISTORY_BYTES);
    }

    /**
     * Opens the store of a directory.
     *
     * @param maxHistoryBytes of overwritten values held in memory; when there is more, the older half is compacted
     */
    public static RocksStore open(Path directory, Driver driver, long maxHistoryBytes) {
        prepare(directory);
        try {
            RocksDB.loadLibrary();
        } catch (UnsatisfiedLinkError | RuntimeException e) {
            throw new StoreException(
                    "the store in " + directory + " cannot be opened: RocksDB's native library does not load here ("
                            + e.getMessage() + "); it needs Linux on x86-64 with glibc, elsewhere use --store memory",
                    e);
        }
        Options options = options();
        RocksDB db = null;
        try {
            db = RocksDB.open(options, directory.toString());
            checkFormat(directory, db);
            return new RocksStore(directory, driver, options, db, Loaded.from(directory, db), maxHistoryBytes);
        } catch (RocksDBException e) {
            throw closing(db, options, explained(directory, e));
        } catch (StoreException e) {
            throw closing(db, options, e);
        }
    }

    /**
     * Loads RocksDB's native library, which opening a store does by itself: for a program that has time to do so before.
     *
     * @throws UnsatisfiedLinkError if it does not load here
     */
    public static void loadLibrary() {
        RocksDB.loadLibrary();
    }

    /**
     * Writes RocksDB's native library to a directory, where a JVM finds it whose {@code java.library.path} has that directory:
     * it need not unpack it at each start then.
     *
     * @throws IOException if the directory cannot be written
     */
    public static void unpackLibrary(Path directory) throws IOException {
        String name = "rocksdb";
        try (InputStream in = RocksDB.class.getResourceAsStream("/" + Environment.getJniLibraryFileName(name))) {
            if (in != null) {
                Files.createDirectories(directory);
                Path part = directory.resolve("part");
                Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
                Files.move(
                        part,
                        directory.resolve(System.mapLibraryName(Environment.getSharedLibraryName(name))),
                        StandardCopyOption.ATOMIC_MOVE);
            }
        }
    }

    private static Options options() {
        return new Options()
                .setCreateIfMissing(true)
                .setParanoidChecks(true)
                // A torn record at the end was never acknowledged; anything else is damage, and must not pass for less
                // data.
                .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords)
                .setWriteBufferSize(8 << 20)
                // A burst of writes goes on into the next while the last ones are written out.
                .setMaxWriteBufferNumber(4)
                // Files go to the disk as they are written: what is left to the end of a file holds up who syncs the
                // log.
                .setBytesPerSync(1 << 20)
                .setMaxTotalWalSize(64 << 20)
                .setMaxOpenFiles(256)
                .setMaxBackgroundJobs(2)
                .setCompressionType(CompressionType.LZ4_COMPRESSION)
                .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
                .setKeepLogFileNum(2)
                .setStatsDumpPeriodSec(0);
    }

    /**
     * Makes the store of a directory from a snapshot.
     *
     * @param directory must not exist, or be empty; appears as a whole or not at all
     * @param bump how far revisions go on beyond the snapshot's: more than were given out after it was taken, so that none is
     *     given out twice; whoever watched from one of those is told to list anew
     * @throws StoreException if the snapshot or the directory cannot be used; the message says why
     */
    public static Snapshot.Summary restore(Path snapshot, Path directory, long bump) {
        try {
            if (Files.isDirectory(directory)) {
                try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
                    if (files.iterator().hasNext()) {
                        throw new StoreException("the directory " + directory
                                + " is not empty, and what it holds is not overwritten; give another, or move it away");
                    }
                }
                Files.delete(directory);
            }
            Files.createDirectories(directory.toAbsolutePath().getParent());
            Path part = directory.resolveSibling(directory.getFileName() + ".restoring");
            prepare(part);
            RocksDB.loadLibrary();
            Snapshot.Summary summary;
            try (Options options = options().setErrorIfExists(true);
                    RocksDB db = RocksDB.open(options, part.toString())) {
                checkFormat(part, db);
                summary = fill(db, snapshot, bump);
            } catch (RocksDBException e) {
                throw String.valueOf(e.getMessage()).contains("exists (error_if_exists")
                        ? new StoreException("the directory " + part
                                + " is left of a restore that was interrupted; delete it and begin again")
                        : explained(part, e);
            }
            Files.move(part, directory);
            return summary;
        } catch (IOException e) {
            throw new StoreException(
                    "the snapshot " + snapshot + " cannot be restored to " + directory + ": " + e.getMessage(), e);
        }
    }

    private static Snapshot.Summary fill(RocksDB db, Path snapshot, long bump) throws IOException, RocksDBException {
        try (WriteOptions sync = new WriteOptions().setSync(true);
                WriteOptions later = new WriteOptions();
                WriteBatch batch = new WriteBatch();
                java.io.InputStream in = Files.newInputStream(snapshot)) {
            Snapshot.Summary summary = Snapshot.read(in, snapshot.toString(), entry -> {
                try {
                    batch.put(
                            keyOf(entry.key(), entry.revision()),
                            valueOf(new Change(entry.key(), entry, null, entry.revision()), 0));
                    if (batch.count() >= GARBAGE_BATCH) {
                        db.write(later, batch);
                        batch.clear();
                    }
                } catch (RocksDBException e) {
                    throw explained(snapshot, e);
                }
            });
            batch.put(COMPACTED_KEY, longBytes(summary.revision() + bump));
            db.write(sync, batch);
            return summary;
        }
    }

    private static StoreException closing(@Nullable RocksDB db, Options options, StoreException e) {
        if (db != null) {
            db.close();
        }
        options.close();
        return e;
    }

    private static void prepare(Path directory) {
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new StoreException(
                    "the store's directory " + directory + " cannot be made ("
                            + e.getClass().getSimpleName() + ": " + e.getMessage()
                            + "); choose another --data-dir, or make its parent writable",
                    e);
        }
        if (!Files.isWritable(directory)) {
            throw new StoreException("the store's directory " + directory + " is not writable for user "
                    + System.getProperty("user.name") + "; change its owner or mode, or choose another --data-dir");
        }
        boolean current = Files.exists(directory.resolve("CURRENT"));
        if (!current) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "{*.sst,MANIFEST-*}")) {
                for (Path file : files) {
                    // RocksDB would begin anew and delete the rest.
                    throw damaged(directory, "file CURRENT is missing beside " + file.getFileName(), null);
                }
            } catch (IOException e) {
                throw new StoreException(
                        "the store's directory " + directory + " cannot be read (" + e.getMessage()
                                + "); change its owner or mode, or choose another --data-dir",
                        e);
            }
        }
    }

    private static void checkFormat(Path directory, RocksDB db) throws RocksDBException {
        byte[] format = db.get(FORMAT_KEY);
        if (format == null) {
            try (RocksIterator any = db.newIterator()) {
                any.seekToFirst();
                if (any.isValid()) {
                    throw new StoreException("the directory " + directory
                            + " holds another program's RocksDB database; choose another --data-dir");
                }
                any.status();
            }
            try (WriteOptions sync = new WriteOptions().setSync(true);
                    WriteBatch batch = new WriteBatch()) {
                batch.put(FORMAT_KEY, Integer.toString(FORMAT).getBytes(StandardCharsets.ISO_8859_1));
                batch.put(COMPACTED_KEY, longBytes(1));
                db.write(sync, batch);
            }
            return;
        }
        String text = new String(format, StandardCharsets.ISO_8859_1);
        if (!text.equals(Integer.toString(FORMAT))) {
            throw new StoreException(
                    "the store in " + directory + " has format " + text + ", and this program reads format " + FORMAT
                            + "; use the version of Trimtab that wrote it, or choose another --data-dir");
        }
    }

    private static StoreException explained(Path directory, RocksDBException e) {
        String message = String.valueOf(e.getMessage());
        String lower = message.toLowerCase(Locale.ROOT);
        if (lower.contains("lock") && (lower.contains("/lock") || lower.contains("lock hold"))) {
            return new StoreException(
                    "the store in " + directory + " is in use by another process (" + message
                            + "); stop that one, or choose another --data-dir",
                    e);
        }
        if (lower.contains("permission denied") || lower.contains("read-only file system")) {
            return new StoreException(
                    "the store in " + directory + " is not writable (" + message
                            + "); change its owner or mode, or choose another --data-dir",
                    e);
        }
        if (lower.contains("no space left")) {
            return new StoreException(
                    "the store in " + directory + " finds the disk full (" + message
                            + "); free some space and start again",
                    e);
        }
        return damaged(directory, message, e);
    }

    private static StoreException damaged(Path directory, String cause, @Nullable Throwable e) {
        return new StoreException(
                "the store in " + directory + " is damaged (" + cause
                        + "); restore the directory from a backup, or move it away to begin with an empty cluster",
                e);
    }

    // ---- Reading ---------------------------------------------------------------------------------------------------

    @Override
    public long revision() {
        return versions.latest().revision();
    }

    @Override
    public long compactedRevision() {
        return versions.oldestRevision();
    }

    @Override
    public Optional<Entry> get(String key) {
        return Optional.ofNullable(versions.latest().entries().get(key));
    }

    @Override
    public Range range(String prefix, @Nullable String startKey, int limit, long revision) {
        return versions.range(prefix, startKey, limit, revision);
    }

    @Override
    public long count(String prefix) {
        return versions.latest().entries().count(prefix);
    }

    @Override
    public AutoCloseable watch(String prefix, long after, Listener listener) {
        return versions.watch(prefix, after, listener);
    }

    /** What was written to a key at a revision. */
    private byte[] archived(Entry entry) {
        files.readLock().lock();
        try {
            if (!db.isOwningHandle()) {
                throw new StoreException("the store in " + directory + " is closed");
            }
            byte[] value = db.get(keyOf(entry.key(), entry.revision()));
            if (value == null) {
                throw new CompactedException(entry.revision(), versions.oldestRevision());
            }
            return Arrays.copyOfRange(value, HEADER_BYTES, value.length);
        } catch (RocksDBException e) {
            throw explained(directory, e);
        } finally {
            files.readLock().unlock();
        }
    }

    // ---- Writing ---------------------------------------------------------------------------------------------------

    /** {@inheritDoc} The caller may find itself writing for others who came just before. */
    @Override
    public CompletableFuture<CommitResult> commit(List<Operation> operations) {
        if (versions.lock.isHeldByCurrentThread() || writing.isHeldByCurrentThread()) {
            throw new IllegalStateException("a listener or a value must not commit");
        }
        for (Operation operation : operations) {
            if (operation.key().indexOf('\0') >= 0) {
                throw new IllegalArgumentException("a key must not contain a zero character: " + operation.key());
            }
        }
        CompletableFuture<CommitResult> future = new CompletableFuture<>();
        requests.add(new Request(List.copyOf(operations), future));
        lead(!driver.isVirtual());
        return future;
    }

    /**
     * Writes groups while there are requests and nobody else does. A caller writes one group, which has its own request in it,
     * and leaves the rest to a thread that has no client waiting.
     */
    private void lead(boolean once) {
        // The queue is looked at again after the lock was let go: who came in between may have found it taken.
        while (!requests.isEmpty() && writing.tryLock()) {
            Runnable answers;
            try {
                answers = writeGroup();
            } finally {
                writing.unlock();
            }
            // Whoever waits may run on this stack, and may commit.
            answers.run();
            if (once && !requests.isEmpty()) {
                driver.execute(() -> lead(false));
                return;
            }
        }
    }

    /**
     * Writes and publishes a group. Held: writing.
     *
     * @return answers the requests
     */
    private Runnable writeGroup() {
        List<Request> group = new ArrayList<>();
        for (Request r = requests.poll(); r != null; r = requests.poll()) {
            group.add(r);
            if (group.size() == MAX_GROUP) {
                break;
            }
        }
        StoreException failure = broken;
        List<@Nullable Outcome> outcomes = new ArrayList<>(group.size());
        if (failure == null) {
            failure = write(group, outcomes);
        }
        if (failure == null) {
            versions.lock.lock();
            try {
                for (Outcome outcome : outcomes) {
                    if (outcome != null) {
                        versions.lockedPublish(outcome);
                    }
                }
            } finally {
                versions.lock.unlock();
            }
        } else {
            broken = failure;
        }
        if (!garbage.isEmpty()) {
            driver.execute(this::clean);
        }
        StoreException failed = failure;
        return () -> {
            for (int i = 0; i < group.size(); i++) {
                CompletableFuture<CommitResult> future = group.get(i).future();
                if (failed != null) {
                    future.completeExceptionally(failed);
                } else {
                    Outcome outcome = outcomes.get(i);
                    if (outcome != null) {
                        future.complete(outcome.result());
                    }
                }
            }
        };
    }

    /** Held: writing. Fills in what came of each request; a request that failed by itself has its future completed and null. */
    private @Nullable StoreException write(List<Request> group, List<@Nullable Outcome> outcomes) {
        try (WriteBatch batch = new WriteBatch()) {
            State state = versions.latest();
            for (Request request : group) {
                Outcome outcome;
                try {
                    outcome = Versions.evaluate(state, request.operations());
                } catch (RuntimeException e) {
                    request.future().completeExceptionally(e);
                    outcomes.add(null);
                    continue;
                }
                int place = 0;
                for (Change change : outcome.changes()) {
                    batch.put(keyOf(change.key(), change.revision()), valueOf(change, place++));
                }
                outcomes.add(outcome);
                state = outcome.next();
            }
            if (batch.count() > 0) {
                db.write(durably, batch);
            }
            return null;
        } catch (RocksDBException e) {
            // Whether the disk has it is unknown, so nothing may be built on it: a restart reads what is there.
            StoreException explained = explained(directory, e);
            return new StoreException(explained.getMessage() + "; no write is taken until a restart", e);
        }
    }

    private static byte[] keyOf(String key, long revision) {
        byte[] text = key.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(1 + text.length + 1 + 8)
                .put(CHANGE)
                .put(text)
                .put((byte) 0)
                .putLong(revision)
                .array();
    }

    private static byte[] valueOf(Change change, int place) {
        Entry entry = change.entry();
        if (entry == null) {
            return ByteBuffer.allocate(HEADER_BYTES)
                    .put(DELETED)
                    .putInt(place)
                    .putLong(0)
                    .array();
        }
        return ByteBuffer.allocate(HEADER_BYTES + entry.value().length)
                .put(WRITTEN)
                .putInt(place)
                .putLong(entry.createRevision())
                .put(entry.value())
                .array();
    }

    private static byte[] longBytes(long value) {
        return ByteBuffer.allocate(8).putLong(value).array();
    }

    // ---- Forgetting ------------------------------------------------------------------------------------------------

    @Override
    public void compact(long revision) {
        versions.compact(revision);
        clean();
    }

    /**
     * Removes from the files what memory has forgotten. Neither logged nor confirmed by the disk: after a crash some of it is
     * found again when the files are read. What reaches the files does so in the order of writing.
     */
    private void clean() {
        cleaning.lock();
        try {
            for (Garbage next = garbage.poll(); next != null && broken == null; next = garbage.poll()) {
                write(next);
            }
        } catch (RocksDBException e) {
            throw explained(directory, e);
        } finally {
            cleaning.unlock();
        }
    }

    private void write(Garbage garbage) throws RocksDBException {
        try (WriteBatch batch = new WriteBatch()) {
            // First of all, so that no crash leaves a revision that looks whole and is not.
            batch.put(COMPACTED_KEY, longBytes(garbage.oldest()));
            for (Change change : garbage.forgotten()) {
                Entry previous = change.previous();
                if (previous != null) {
                    batch.delete(keyOf(previous.key(), previous.revision()));
                }
                if (change.entry() == null) {
                    batch.delete(keyOf(change.key(), change.revision()));
                }
                if (batch.count() >= GARBAGE_BATCH) {
                    db.write(eventually, batch);
                    batch.clear();
                }
            }
            db.write(eventually, batch);
        }
    }

    @Override
    public void close() {
        List<Runnable> answers = new ArrayList<>();
        writing.lock();
        try {
            if (!db.isOwningHandle()) {
                return;
            }
            while (!requests.isEmpty()) {
                answers.add(writeGroup());
            }
            broken = new StoreException("the store in " + directory + " is closed");
            cleaning.lock();
            files.writeLock().lock();
            try {
                garbage.clear();
                db.close();
                durably.close();
                eventually.close();
                options.close();
            } finally {
                files.writeLock().unlock();
                cleaning.unlock();
            }
        } finally {
            writing.unlock();
        }
        versions.closeWatches();
        answers.forEach(Runnable::run);
    }

    // ---- Starting --------------------------------------------------------------------------------------------------

    /** What was in the files. */
    private record Loaded(Path directory, State base, List<Written> later) {

        /** @param entry null for a deletion */
        private record Written(String key, @Nullable Entry entry, long revision, int place) {}

        static Loaded from(Path directory, RocksDB db) throws RocksDBException {
            byte[] compactedBytes = db.get(COMPACTED_KEY);
            if (compactedBytes == null || compactedBytes.length != 8) {
                throw damaged(directory, "the compacted revision is missing", null);
            }
            long compacted = ByteBuffer.wrap(compactedBytes).getLong();
            PersistentMap<Entry> base = PersistentMap.empty();
            List<Written> later = new ArrayList<>();
            List<byte[]> superseded = new ArrayList<>();
            byte @Nullable [] newest = null;
            @Nullable String newestKey = null;
            try (ReadOptions once = new ReadOptions().setReadaheadSize(4 << 20).setFillCache(false);
                    RocksIterator all = db.newIterator(once)) {
                for (all.seek(new byte[] {CHANGE}); all.isValid(); all.next()) {
                    byte[] raw = all.key();
                    if (raw[0] != CHANGE) {
                        break;
                    }
                    Written written = decode(directory, raw, all.value());
                    if (written.revision() > compacted) {
                        later.add(written);
                        continue;
                    }
                    // Versions of a key come oldest first.
                    if (newest != null && written.key().equals(newestKey)) {
                        superseded.add(newest);
                    }
                    newest = raw;
                    newestKey = written.key();
                    Entry entry = written.entry();
                    if (entry == null) {
                        superseded.add(raw);
                        newest = null;
                        base = base.without(written.key());
                    } else {
                        base = base.with(written.key(), entry);
                    }
                }
                all.status();
            }
            try (WriteOptions eventually = new WriteOptions()) {
                for (byte[] key : superseded) {
                    db.delete(eventually, key);
                }
            }
            later.sort((a, b) -> a.revision() != b.revision()
                    ? Long.compare(a.revision(), b.revision())
                    : Integer.compare(a.place(), b.place()));
            return new Loaded(directory, new State(base, compacted), later);
        }

        private static Written decode(Path directory, byte[] raw, byte[] value) {
            int length = raw.length - 1 - 1 - 8;
            if (length < 0 || value.length < HEADER_BYTES) {
                throw damaged(directory, "an entry is too short", null);
            }
            String key = new String(raw, 1, length, StandardCharsets.UTF_8);
            long revision = ByteBuffer.wrap(raw, raw.length - 8, 8).getLong();
            ByteBuffer header = ByteBuffer.wrap(value);
            boolean deleted = header.get() == DELETED;
            int place = header.getInt();
            long created = header.getLong();
            Entry entry = deleted
                    ? null
                    : new Entry(key, Arrays.copyOfRange(value, HEADER_BYTES, value.length), created, revision);
            return new Written(key, entry, revision, place);
        }

        void replay(Versions versions) {
            for (int i = 0; i < later.size(); ) {
                State now = versions.latest();
                long revision = later.get(i).revision();
                if (revision != now.revision() + 1) {
                    throw damaged(
                            directory, "revision " + (now.revision() + 1) + " is missing before " + revision, null);
                }
                PersistentMap<Entry> entries = now.entries();
                List<Change> changes = new ArrayList<>(1);
                for (; i < later.size() && later.get(i).revision() == revision; i++) {
                    Written written = later.get(i);
                    Entry entry = written.entry();
                    changes.add(new Change(written.key(), entry, entries.get(written.key()), revision));
                    entries = entry == null ? entries.without(written.key()) : entries.with(written.key(), entry);
                }
                versions.lockedPublish(new Outcome(
                        new CommitResult(true, revision, null), new State(entries, revision), List.copyOf(changes)));
            }
        }
    }
}
