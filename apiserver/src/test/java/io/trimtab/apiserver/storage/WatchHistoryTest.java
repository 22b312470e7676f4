package io.trimtab.apiserver.storage;

import static io.trimtab.apiserver.storage.StorageFixture.PODS;
import static io.trimtab.apiserver.storage.StorageFixture.labelled;
import static io.trimtab.apiserver.storage.StorageFixture.pod;
import static io.trimtab.apiserver.storage.StorageFixture.watch;
import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.apiserver.store.RocksStore;
import io.trimtab.apiserver.store.Store;
import io.trimtab.runtime.RealDriver;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Watches in real time under eight writers: ordered, unique, without a gap, resumable; reads see what was acknowledged. */
class WatchHistoryTest {
    private static final int WRITERS = 8;

    private final RealDriver driver = RealDriver.create();

    @TempDir
    Path temp;

    @AfterEach
    void closeDriver() {
        driver.close();
    }

    @Test
    void givenEightWritersInMemory_thenEveryWatchTellsTheWholeStoryInOrder() throws Exception {
        run(MemoryStore.create(), 2000);
    }

    @Test
    void givenEightWritersOnDisk_thenEveryWatchTellsTheWholeStoryInOrder() throws Exception {
        run(RocksStore.open(temp.resolve("store"), driver), 150);
    }

    /** One thing seen: a kind, an object, a revision. */
    private record Seen(String what, long revision) {}

    private void run(Store store, int writesEach) throws Exception {
        DefaultStorage storage = new DefaultStorage(
                store,
                driver,
                StorageFixture::fieldsOf,
                new DefaultStorage.Options(1_000_000, 64, java.time.Duration.ZERO));
        List<Seen> written = Collections.synchronizedList(new ArrayList<>());
        AtomicReference<String> fault = new AtomicReference<>();
        CountDownLatch done = new CountDownLatch(WRITERS);
        EventSource whole = storage.watch(PODS, watch(null, storage.revision()));
        List<Thread> threads = new ArrayList<>();
        for (int w = 0; w < WRITERS; w++) {
            Random random = new Random(w);
            threads.add(new Thread(() -> {
                try {
                    for (int i = 0; i < writesEach; i++) {
                        write(storage, random, i, written, fault);
                    }
                } catch (RuntimeException e) {
                    fault.compareAndSet(null, e.toString());
                } finally {
                    done.countDown();
                }
            }));
        }
        List<Seen> resumed = Collections.synchronizedList(new ArrayList<>());
        List<Seen> relisted = Collections.synchronizedList(new ArrayList<>());
        AtomicReference<Map<String, Long>> relistedState = new AtomicReference<>();
        AtomicReference<Long> relistedFrom = new AtomicReference<>();
        Thread resumer = new Thread(() -> follow(storage, done, resumed));
        Thread lister = new Thread(() -> {
            parkBriefly();
            Storage.Listing listing = storage.list(PODS, StorageFixture.list(null));
            Map<String, Long> state = new TreeMap<>();
            listing.objects().forEachRemaining(o -> state.put(o.key(), o.revision()));
            relistedState.set(state);
            relistedFrom.set(listing.revision());
            EventSource watch = storage.watch(PODS, watch(null, listing.revision()));
            while (done.getCount() > 0) {
                parkBriefly();
            }
            take(watch, relisted);
        });
        threads.add(resumer);
        threads.add(lister);
        threads.forEach(Thread::start);
        assertThat(done.await(60, TimeUnit.SECONDS)).isTrue();
        for (Thread thread : threads) {
            thread.join(TimeUnit.SECONDS.toMillis(30));
        }
        assertThat(fault.get()).isNull();

        List<Seen> expected = new ArrayList<>(written);
        expected.sort((a, b) -> Long.compare(a.revision(), b.revision()));
        List<Seen> all = new ArrayList<>();
        take(whole, all);
        assertThat(all).isEqualTo(expected);
        assertThat(resumed).isEqualTo(expected);
        assertThat(relisted)
                .isEqualTo(expected.stream()
                        .filter(s -> s.revision() > relistedFrom.get())
                        .toList());
        Map<String, Long> state = new TreeMap<>();
        for (Seen seen : expected) {
            if (seen.revision() <= relistedFrom.get()) {
                String key = seen.what().substring(seen.what().indexOf(' ') + 1);
                if (seen.what().startsWith("DELETED")) {
                    state.remove(key);
                } else {
                    state.put(key, seen.revision());
                }
            }
        }
        assertThat(relistedState.get()).isEqualTo(state);
        storage.close();
        store.close();
    }

    private static void write(
            DefaultStorage storage, Random random, int i, List<Seen> written, AtomicReference<String> fault) {
        String name = "p" + random.nextInt(40);
        Optional<StoredObject> current = storage.get(PODS, "ns", name);
        Optional<StoredObject> result;
        String what;
        if (current.isEmpty()) {
            try {
                result = Optional.of(storage.create(PODS, pod("ns", name)));
            } catch (io.trimtab.apiserver.errors.StatusException e) {
                return;
            }
            what = "ADDED";
        } else if (random.nextInt(4) == 0) {
            result = storage.delete(PODS, current.get());
            what = "DELETED";
        } else {
            result = storage.replace(
                    PODS, current.get(), labelled(current.get().copy(), "i", i + "-" + random.nextInt()));
            what = "MODIFIED";
        }
        if (result.isPresent()) {
            StoredObject mine = result.get();
            written.add(new Seen(what + " " + mine.key(), mine.revision()));
            StoredObject now = storage.get(PODS, "ns", name).orElse(null);
            if (now != null && now.revision() < mine.revision() || storage.revision() < mine.revision()) {
                fault.compareAndSet(null, "stale read of " + mine.key() + " after " + mine.revision() + ": " + now);
            }
        }
    }

    /** Takes a few events, closes the watch, opens another one where it left off. */
    private static void follow(DefaultStorage storage, CountDownLatch done, List<Seen> into) {
        long after = 1;
        Random random = new Random(99);
        while (true) {
            boolean last = done.getCount() == 0;
            EventSource watch = storage.watch(PODS, watch(null, after));
            int few = last ? Integer.MAX_VALUE : 1 + random.nextInt(200);
            for (int i = 0; i < few; i++) {
                EventSource.Event event = watch.poll();
                if (event == null) {
                    break;
                }
                into.add(seen(event));
                after = event.revision();
            }
            watch.close();
            if (last) {
                return;
            }
        }
    }

    private static void take(EventSource watch, List<Seen> into) {
        for (EventSource.Event e = watch.poll(); e != null; e = watch.poll()) {
            into.add(seen(e));
        }
        assertThat(watch.isEnded()).isFalse();
    }

    private static Seen seen(EventSource.Event event) {
        return new Seen(
                event.type() + " "
                        + (event.object() == null
                                ? event.error()
                                : event.object().key()),
                event.revision());
    }

    private static void parkBriefly() {
        LockSupport.parkNanos(5_000_000);
    }
}
