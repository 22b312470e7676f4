package io.trimtab.apiserver.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.apiserver.store.Store.Change;
import io.trimtab.apiserver.store.Store.CommitResult;
import io.trimtab.apiserver.store.Store.CompactedException;
import io.trimtab.apiserver.store.Store.Entry;
import io.trimtab.apiserver.store.Store.FutureRevisionException;
import io.trimtab.apiserver.store.Store.Operation;
import io.trimtab.apiserver.store.Store.Range;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every store promises. */
abstract class StoreContract {
    Store store;

    /** A new, empty store. */
    abstract Store open() throws Exception;

    @BeforeEach
    void openStore() throws Exception {
        store = open();
    }

    @AfterEach
    void closeStore() {
        store.close();
    }

    static Operation put(String key, long expected, String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        return new Operation.Put(key, expected, revision -> bytes);
    }

    static Operation delete(String key, long expected) {
        return new Operation.Delete(key, expected);
    }

    CommitResult commit(Operation... operations) {
        return store.commit(List.of(operations)).join();
    }

    String value(String key) {
        return store.get(key).map(StoreContract::text).orElse(null);
    }

    static String text(Entry entry) {
        return new String(entry.value(), StandardCharsets.UTF_8);
    }

    static List<String> show(Range range) {
        return range.entries().stream().map(e -> e.key() + "=" + text(e)).toList();
    }

    static String show(Change change) {
        return change.revision() + " " + change.key() + " "
                + (change.previous() == null ? "-" : text(change.previous())) + ">"
                + (change.entry() == null ? "-" : text(change.entry()));
    }

    List<String> record(String prefix, long after) {
        List<String> heard = new ArrayList<>();
        store.watch(prefix, after, changes -> changes.forEach(c -> heard.add(show(c))));
        return heard;
    }

    @Test
    void givenANewStore_thenItsRevisionIsOne() {
        assertThat(store.revision()).isEqualTo(1);
        assertThat(store.compactedRevision()).isEqualTo(1);
        assertThat(store.range("", null, 0, 0).entries()).isEmpty();
        assertThat(store.range("", null, 0, 1).revision()).isEqualTo(1);
    }

    @Test
    void givenACommit_whenAcknowledged_thenItTookTheNextRevisionAndIsReadableWhole() {
        CommitResult result = commit(put("/a", 0, "1"), put("/b", 0, "2"));

        assertThat(result).isEqualTo(new CommitResult(true, 2, null));
        assertThat(store.revision()).isEqualTo(2);
        assertThat(show(store.range("/", null, 0, 0))).containsExactly("/a=1", "/b=2");
        Entry a = store.get("/a").orElseThrow();
        assertThat(a.createRevision()).isEqualTo(2);
        assertThat(a.revision()).isEqualTo(2);
    }

    @Test
    void givenAKey_whenOverwritten_thenItKeepsItsCreateRevision() {
        commit(put("/a", 0, "1"));
        commit(put("/a", 2, "2"));

        Entry a = store.get("/a").orElseThrow();
        assertThat(a.createRevision()).isEqualTo(2);
        assertThat(a.revision()).isEqualTo(3);

        commit(delete("/a", 3));
        commit(put("/a", 0, "3"));

        assertThat(store.get("/a").orElseThrow().createRevision()).isEqualTo(5);
    }

    @Test
    void givenAValueMadeFromTheRevision_thenItGetsTheCommitsOwn() {
        commit(new Operation.Put("/a", 0, r -> ("at " + r).getBytes(StandardCharsets.UTF_8)));

        assertThat(value("/a")).isEqualTo("at 2");
    }

    @Test
    void givenAPreconditionThatFails_thenNothingIsApplied() {
        commit(put("/a", 0, "1"));

        CommitResult exists = commit(put("/b", 0, "x"), put("/a", 0, "x"));
        CommitResult changed = commit(put("/a", 7, "x"));
        CommitResult absent = commit(put("/c", 7, "x"));
        CommitResult gone = commit(delete("/c", 7));

        assertThat(exists.committed()).isFalse();
        assertThat(exists.revision()).isEqualTo(2);
        assertThat(text(exists.failed())).isEqualTo("1");
        assertThat(changed.committed()).isFalse();
        assertThat(changed.failed().revision()).isEqualTo(2);
        assertThat(absent).isEqualTo(new CommitResult(false, 2, null));
        assertThat(gone).isEqualTo(new CommitResult(false, 2, null));
        assertThat(show(store.range("", null, 0, 0))).containsExactly("/a=1");
    }

    @Test
    void givenNoPrecondition_thenPutOverwritesAndDeleteOfNothingTakesNoRevision() {
        commit(put("/a", -1, "1"));
        commit(put("/a", -1, "2"));
        CommitResult nothing = commit(delete("/b", -1));

        assertThat(value("/a")).isEqualTo("2");
        assertThat(nothing).isEqualTo(new CommitResult(true, 3, null));
        assertThat(store.revision()).isEqualTo(3);
        assertThat(commit(delete("/a", -1)).revision()).isEqualTo(4);
        assertThat(store.get("/a")).isEmpty();
    }

    @Test
    void givenAValueThatThrows_thenOnlyThatCommitFails() {
        assertThat(store.commit(List.of(new Operation.Put("/a", 0, r -> {
                    throw new IllegalStateException("no value");
                }))))
                .failsWithin(10, TimeUnit.SECONDS)
                .withThrowableThat()
                .withMessageContaining("no value");

        assertThat(commit(put("/a", 0, "1")).revision()).isEqualTo(2);
    }

    @Test
    void givenTwoOperationsOnOneKey_thenTheCommitIsRefused() {
        assertThat(store.commit(List.of(put("/a", 0, "1"), put("/a", 0, "2"))))
                .failsWithin(10, TimeUnit.SECONDS)
                .withThrowableThat()
                .withMessageContaining("two operations");
    }

    @Test
    void givenKeysBeyondAscii_thenTheyAreOrderedByTheirUtf8Bytes() {
        String[] ordered = {
            "/", "/a", "/a\u007f", "/\u00e9", "/\ud7ff", "/\ue000", "/\uffff", "/\ud800\udc00", "/\udbff\udfff"
        };
        for (int i = ordered.length - 1; i >= 0; i--) {
            commit(put(ordered[i], 0, "x"));
        }

        assertThat(store.range("", null, 0, 0).entries()).extracting(Entry::key).containsExactly(ordered);
    }

    @Test
    void givenAPrefix_whenRanged_thenOnlyItsKeysComeFromTheStartUpToTheLimit() {
        for (String key : List.of("/a/1", "/b/1", "/b/2", "/b/3", "/b0", "/c")) {
            commit(put(key, 0, "x"));
        }

        Range first = store.range("/b/", null, 2, 0);
        Range rest = store.range("/b/", "/b/2\0", 2, 0);

        assertThat(first.entries()).extracting(Entry::key).containsExactly("/b/1", "/b/2");
        assertThat(first.more()).isTrue();
        assertThat(first.remaining()).isIn(1L, -1L);
        assertThat(rest.entries()).extracting(Entry::key).containsExactly("/b/3");
        assertThat(rest.more()).isFalse();
        assertThat(store.range("/b/", "/a", 0, 0).entries()).hasSize(3);
        assertThat(store.range("/b/", "/b/9", 0, 0).entries()).isEmpty();
        assertThat(store.range("/b/", "/z", 0, 0).entries()).isEmpty();
        assertThat(store.count("/b/")).isEqualTo(3);
        assertThat(store.count("/b")).isEqualTo(4);
        assertThat(store.count("")).isEqualTo(6);
        assertThat(store.count("/x")).isZero();
    }

    @Test
    void givenManyRevisions_thenEachCanBeReadAsItWas() {
        for (int i = 0; i < 500; i++) {
            commit(i % 3 == 2 ? delete("/k" + (i - 1) % 7, -1) : put("/k" + i % 7, -1, "v" + i));
        }
        Map<String, String> model = new HashMap<>();
        long revision = 1;
        for (int i = 0; i < 500; i++) {
            if (i % 3 == 2) {
                if (model.remove("/k" + (i - 1) % 7) == null) {
                    continue;
                }
            } else {
                model.put("/k" + i % 7, "v" + i);
            }
            revision++;
            Range range = store.range("", null, 0, revision);
            assertThat(range.revision()).isEqualTo(revision);
            assertThat(show(range))
                    .containsExactlyInAnyOrderElementsOf(model.entrySet().stream()
                            .map(e -> e.getKey() + "=" + e.getValue())
                            .toList());
        }
        assertThat(store.revision()).isEqualTo(revision);
    }

    @Test
    void givenARevisionToCome_whenRead_thenThatIsSaid() {
        assertThatThrownBy(() -> store.range("", null, 0, 2))
                .isInstanceOf(FutureRevisionException.class)
                .hasMessage("revision 2 is ahead of the store's 1");
        assertThatThrownBy(() -> store.compact(2)).isInstanceOf(FutureRevisionException.class);
    }

    @Test
    void givenACompaction_thenOlderRevisionsAreGoneAndThatOneIsKept() {
        commit(put("/a", 0, "1"));
        commit(put("/a", -1, "2"));
        commit(put("/b", 0, "1"));
        commit(delete("/a", -1));

        store.compact(3);

        assertThat(store.compactedRevision()).isEqualTo(3);
        assertThat(show(store.range("", null, 0, 3))).containsExactly("/a=2");
        assertThat(show(store.range("", null, 0, 4))).containsExactly("/a=2", "/b=1");
        assertThatThrownBy(() -> store.range("", null, 0, 2))
                .isInstanceOf(CompactedException.class)
                .satisfies(e -> assertThat(((CompactedException) e).oldest()).isEqualTo(3));
        assertThatThrownBy(() -> store.watch("", 2, c -> {})).isInstanceOf(CompactedException.class);
        assertThat(record("", 3)).containsExactly("4 /b ->1", "5 /a 2>-");
        store.compact(2);
        assertThat(store.compactedRevision()).isEqualTo(3);
        store.compact(5);
        assertThat(show(store.range("", null, 0, 0))).containsExactly("/b=1");
    }

    @Test
    void givenAWatch_whenCommitsCome_thenItHearsOfEachOnceInOrderWithBothStates() {
        commit(put("/a/x", 0, "0"));
        List<String> heard = record("/a/", 0);
        List<String> all = record("", 2);

        commit(put("/a/x", -1, "1"), put("/b/y", 0, "1"));
        commit(put("/b/z", 0, "1"));
        commit(delete("/a/x", -1));

        assertThat(heard).containsExactly("3 /a/x 0>1", "5 /a/x 1>-");
        assertThat(all).containsExactly("3 /a/x 0>1", "3 /b/y ->1", "4 /b/z ->1", "5 /a/x 1>-");
        assertThat(record("", 1)).hasSize(5).startsWith("2 /a/x ->0");
        assertThat(record("/b/", 3)).containsExactly("4 /b/z ->1");
        assertThat(record("/b/", 5)).isEmpty();
    }

    @Test
    void givenAWatchFromARevisionToCome_thenItHearsOnlyWhatFollowsThat() {
        List<String> heard = record("", 3);

        commit(put("/a", 0, "2"));
        commit(put("/b", 0, "3"));
        commit(put("/c", 0, "4"));

        assertThat(heard).containsExactly("4 /c ->4");
    }

    @Test
    void givenAClosedWatch_thenItHearsNoMore() throws Exception {
        List<String> heard = new ArrayList<>();
        AutoCloseable watch = store.watch("", 0, changes -> changes.forEach(c -> heard.add(show(c))));
        commit(put("/a", 0, "1"));

        watch.close();
        commit(put("/b", 0, "1"));

        assertThat(heard).containsExactly("2 /a ->1");
    }

    @Test
    void givenAListenerThatThrows_thenOthersHearAndTheCommitStands() {
        store.watch("", 0, changes -> {
            throw new IllegalStateException("a listener's fault, logged on purpose");
        });
        List<String> heard = record("", 0);

        assertThat(commit(put("/a", 0, "1")).committed()).isTrue();

        assertThat(heard).containsExactly("2 /a ->1");
    }

    @Test
    void givenAListenerThatCommits_thenItIsRefused() {
        AtomicReference<Throwable> refused = new AtomicReference<>();
        store.watch("", 0, changes -> {
            try {
                store.commit(List.of(put("/b", 0, "1"))).join();
            } catch (RuntimeException e) {
                refused.set(e);
            }
        });

        commit(put("/a", 0, "1"));

        assertThat(refused.get()).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void givenAClosedStore_thenCommitsFail() {
        store.close();

        assertThat(store.commit(List.of(put("/a", 0, "1"))))
                .failsWithin(10, TimeUnit.SECONDS)
                .withThrowableThat()
                .withMessageContaining("closed");
        store.close();
    }

    @Test
    void givenManyWritersAndReaders_thenNothingIsLostTornOrOutOfOrder() throws Exception {
        int writers = 8;
        int each = 250;
        List<Change> heard = new ArrayList<>();
        store.watch("", 1, heard::addAll);
        AtomicBoolean torn = new AtomicBoolean();
        AtomicBoolean over = new AtomicBoolean();
        CountDownLatch done = new CountDownLatch(writers);
        List<Thread> threads = new ArrayList<>();
        for (int w = 0; w < writers; w++) {
            String mine = "/w" + w;
            threads.add(new Thread(() -> {
                for (int i = 0; i < each; i++) {
                    // A counter of my own, and a shared one that I win by compare-and-write.
                    long before = store.revision();
                    CommitResult own = commit(put(mine + "/a", -1, "" + i), put(mine + "/b", -1, "" + i));
                    if (own.revision() <= before
                            || store.revision() < own.revision()
                            || !value(mine + "/a").equals("" + i)) {
                        torn.set(true);
                    }
                    while (true) {
                        Entry shared = store.get("/shared").orElse(null);
                        int count = shared == null ? 0 : Integer.parseInt(text(shared));
                        if (commit(put("/shared", shared == null ? 0 : shared.revision(), "" + (count + 1)))
                                .committed()) {
                            break;
                        }
                    }
                }
                done.countDown();
            }));
        }
        Thread reader = new Thread(() -> {
            while (!over.get()) {
                Range range = store.range("/w0/", null, 0, 0);
                if (range.entries().size() == 2
                        && !text(range.entries().get(0))
                                .equals(text(range.entries().get(1)))) {
                    torn.set(true);
                }
            }
        });
        threads.forEach(Thread::start);
        reader.start();
        assertThat(done.await(60, TimeUnit.SECONDS)).isTrue();
        over.set(true);
        reader.join();

        assertThat(torn).isFalse();
        assertThat(value("/shared")).isEqualTo("" + writers * each);
        assertThat(store.revision()).isEqualTo(1 + 2L * writers * each);
        assertThat(heard).hasSize(3 * writers * each);
        long revision = 1;
        for (Change change : heard) {
            assertThat(change.revision() - revision).isBetween(0L, 1L);
            revision = change.revision();
        }
    }
}
