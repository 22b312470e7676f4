package io.trimtab.junit.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.storage.EventSource;
import io.trimtab.apiserver.storage.SharedFormat;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.apiserver.store.EtcdOptions;
import io.trimtab.apiserver.store.EtcdStore;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.apiserver.store.RocksStore;
import io.trimtab.apiserver.store.Store;
import io.trimtab.runtime.RealDriver;
import io.trimtab.selector.FieldSelector;
import io.trimtab.selector.LabelSelectors;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Eight writers and four watchers, one of whom is cut off again and again, on each store. */
class WriteHistoryTest {
    private static final int WRITERS = 8;
    private static final int WRITES = 150;

    private final RealDriver driver = RealDriver.create();
    private final WriteHistory history = new WriteHistory();

    @TempDir
    Path temp;

    @AfterEach
    void closeDriver() {
        driver.close();
    }

    @Test
    void givenAStoreInMemory_thenItsHistoryIsTrue() throws Exception {
        try (Store store = MemoryStore.create()) {
            run(store, 1);
        }
        assertThat(history.faults()).isEmpty();
    }

    @Test
    void givenRocksDb_whenItIsClosedAndOpenedBetween_thenItsHistoryIsTrue() throws Exception {
        for (int life = 0; life < 3; life++) {
            try (Store store = RocksStore.open(temp.resolve("store"), driver)) {
                run(store, life);
            }
        }
        assertThat(history.acknowledged()).isGreaterThan(WRITERS * WRITES);
        assertThat(history.faults()).isEmpty();
    }

    @Test
    void givenTwoServersOnOneEtcd_thenTheirHistoryIsTrue() throws Exception {
        Optional<Path> program = Stream.of(System.getenv("PATH").split(":"))
                .map(directory -> Path.of(directory, "etcd"))
                .filter(Files::isExecutable)
                .findFirst();
        assumeThat(program).as("etcd on the PATH (Debian: etcd-server)").isPresent();
        int port;
        int peer;
        try (ServerSocket one = new ServerSocket(0);
                ServerSocket two = new ServerSocket(0)) {
            port = one.getLocalPort();
            peer = two.getLocalPort();
        }
        String url = "http://127.0.0.1:" + port;
        String peerUrl = "http://127.0.0.1:" + peer;
        Process etcd = new ProcessBuilder(
                        program.get().toString(),
                        "--data-dir=" + temp.resolve("etcd"),
                        "--listen-client-urls=" + url,
                        "--advertise-client-urls=" + url,
                        "--listen-peer-urls=" + peerUrl,
                        "--initial-advertise-peer-urls=" + peerUrl,
                        "--initial-cluster=default=" + peerUrl,
                        "--log-level=error")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (Store one = EtcdStore.open(EtcdOptions.of(url), new SharedFormat(false), driver);
                Store two = EtcdStore.open(EtcdOptions.of(url), new SharedFormat(true), driver)) {
            List<Thread> both = List.of(runner(one, 1), runner(two, 2));
            both.forEach(Thread::start);
            for (Thread thread : both) {
                thread.join();
            }
            assertThat(history.acknowledged()).isGreaterThan(WRITERS * WRITES);
        } finally {
            etcd.destroyForcibly();
        }
        assertThat(history.faults()).isEmpty();
    }

    @Test
    void givenAHistoryThatCannotBe_thenItsFaultsAreFound() {
        WriteHistory.Watch watch = history.watch("w", 1);
        history.written("a", 0, 2, history.begin());
        history.written("a", 0, 3, history.begin());
        long late = history.begin();
        history.written("b", 0, 6, history.begin());
        history.written("c", 0, 5, history.begin());
        history.written("d", 0, 7, late);
        watch.told("a", 3, false);
        watch.told("x", 4, false);
        watch.told("b", 6, true);
        watch.told("b", 6, false);

        assertThat(String.join("\n", history.faults()))
                .contains("a at 3 was written on 0, but was at 2")
                .contains("w: not told of a at 2")
                .contains("w: told of x at 4, which nobody wrote")
                .contains("w: told of b at 6 after 6")
                .contains("b at 6 was answered before one of a smaller revision began")
                .contains("w: not told of c at 5");
    }

    private Thread runner(Store store, int seed) {
        return new Thread(() -> {
            try {
                run(store, seed);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private void run(Store store, int seed) throws InterruptedException {
        try (DefaultStorage storage = new DefaultStorage(store, driver, resource -> Map.of())) {
            AtomicBoolean over = new AtomicBoolean();
            List<Thread> watchers = new ArrayList<>();
            long from = storage.revision();
            for (int i = 0; i < 4; i++) {
                WriteHistory.Watch watch = history.watch("watch " + seed + "/" + i, from);
                boolean cut = i == 3;
                watchers.add(new Thread(() -> follow(storage, watch, cut, over::get)));
            }
            watchers.forEach(Thread::start);
            List<Thread> writers = new ArrayList<>();
            for (int i = 0; i < WRITERS; i++) {
                Random random = new Random(seed * 100L + i);
                writers.add(new Thread(() -> write(storage, random)));
            }
            writers.forEach(Thread::start);
            for (Thread writer : writers) {
                writer.join();
            }
            over.set(true);
            for (Thread watcher : watchers) {
                watcher.join();
            }
        }
    }

    /** Writes a few keys that the others write, too: most writes meet another. */
    private void write(Storage storage, Random random) {
        for (int i = 0; i < WRITES; i++) {
            String name = "k" + random.nextInt(10);
            String key = "/registry/configmaps/default/" + name;
            long begun = history.begin();
            Optional<StoredObject> found = storage.get(CoreResources.CONFIG_MAPS, "default", name);
            long expected = found.map(StoredObject::revision).orElse(0L);
            if (found.isEmpty()) {
                try {
                    StoredObject made = storage.create(CoreResources.CONFIG_MAPS, object(name, random));
                    history.written(key, 0, made.revision(), begun);
                } catch (StatusException e) {
                    assertThat(e.reason()).isEqualTo("AlreadyExists");
                }
            } else if (random.nextInt(4) == 0) {
                storage.delete(CoreResources.CONFIG_MAPS, found.get())
                        .ifPresent(gone -> history.deleted(key, expected, gone.revision(), begun));
            } else {
                storage.replace(CoreResources.CONFIG_MAPS, found.get(), object(name, random))
                        .ifPresent(made -> history.written(key, expected, made.revision(), begun));
            }
        }
    }

    private static ObjectNode object(String name, Random random) {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        object.put("kind", "ConfigMap").put("apiVersion", "v1");
        object.putObject("metadata").put("name", name).put("namespace", "default");
        object.putObject("data").put("value", Long.toString(random.nextLong()));
        return object;
    }

    private void follow(Storage storage, WriteHistory.Watch watch, boolean cut, Supplier<Boolean> over) {
        int quiet = 0;
        while (quiet < 20) {
            Storage.WatchQuery query = new Storage.WatchQuery(
                    null,
                    LabelSelectors.everything(),
                    FieldSelector.everything(),
                    watch.last(),
                    false,
                    true,
                    Duration.ZERO);
            try (EventSource events = storage.watch(CoreResources.CONFIG_MAPS, query)) {
                int told = 0;
                while (quiet < 20 && (!cut || told < 7)) {
                    EventSource.Event event = events.poll();
                    if (event == null) {
                        quiet = over.get() ? quiet + 1 : 0;
                        pause();
                    } else if (event.type() == EventSource.Type.BOOKMARK) {
                        watch.bookmarked(event.revision());
                    } else {
                        assertThat(event.type()).isNotEqualTo(EventSource.Type.ERROR);
                        watch.told(event.object().key(), event.revision(), event.type() == EventSource.Type.DELETED);
                        told++;
                    }
                }
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(1);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
