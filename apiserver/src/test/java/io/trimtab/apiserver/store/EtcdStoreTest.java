package io.trimtab.apiserver.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.runtime.RealDriver;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract, and what is special to an etcd that others use too, on a real one: skipped where no etcd is on the PATH. */
class EtcdStoreTest extends StoreContract {
    private static RealDriver driver;

    @TempDir
    Path temp;

    private EtcdProcess etcd;
    private final List<EtcdStore> others = new ArrayList<>();

    @BeforeAll
    static void openDriver() {
        driver = RealDriver.create();
    }

    @AfterAll
    static void closeDriver() {
        driver.close();
    }

    @Override
    Store open() throws Exception {
        assumeThat(EtcdProcess.program())
                .as("etcd on the PATH (Debian: etcd-server)")
                .isPresent();
        // In memory where there is such a place: what etcd promises about disks is etcd's.
        Path directory = Files.isWritable(Path.of("/dev/shm"))
                ? Files.createTempDirectory(Path.of("/dev/shm"), "trimtab-etcd")
                : temp;
        etcd = EtcdProcess.start(directory);
        return new RootedStore(EtcdStore.open(etcd.options(), EtcdStore.Format.PLAIN, driver), "/registry");
    }

    /** Another server's store on the same etcd. */
    private EtcdStore other() {
        EtcdStore other = EtcdStore.open(etcd.options(), EtcdStore.Format.PLAIN, driver);
        others.add(other);
        return other;
    }

    @Override
    @AfterEach
    void closeStore() {
        others.forEach(EtcdStore::close);
        if (store != null) {
            store.close();
        }
        if (etcd != null) {
            etcd.close();
            etcd.delete();
        }
    }

    static void eventually(BooleanSupplier condition) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waited too long").isLessThan(until);
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    @Override
    void givenAValueMadeFromTheRevision_thenItGetsTheCommitsOwn() {
        // The revision is not known before etcd has committed: the format puts it into what is read.
        EtcdStore formatted = EtcdStore.open(
                etcd.options(),
                new EtcdStore.Format() {
                    @Override
                    public byte[] encode(String key, byte[] value) {
                        return bytes(new String(value, StandardCharsets.UTF_8).replace(" at 0", ""));
                    }

                    @Override
                    public byte[] decode(String key, byte[] stored, long revision) {
                        return bytes(new String(stored, StandardCharsets.UTF_8) + " at " + revision);
                    }
                },
                driver);
        others.add(formatted);
        formatted
                .commit(List.of(new Store.Operation.Put("/registry/a", 0, r -> bytes("x at " + r))))
                .join();

        assertThat(text(formatted.get("/registry/a").orElseThrow())).isEqualTo("x at 2");
        assertThat(text(other().get("/registry/a").orElseThrow())).isEqualTo("x");
    }

    @Test
    void givenTwoServers_whenOneCommits_thenTheOtherReadsAndHearsIt() throws Exception {
        EtcdStore other = other();
        List<String> heard = Collections.synchronizedList(new ArrayList<>());
        other.watch("/registry/", 0, changes -> changes.forEach(c -> heard.add(show(c))));
        for (int i = 0; i < 50; i++) {
            commit(put("/a", -1, "" + i));
            assertThat(text(other.get("/registry/a").orElseThrow())).isEqualTo("" + i);
        }

        eventually(() -> heard.size() == 50);

        assertThat(heard.get(49)).isEqualTo("51 /registry/a 48>49");
        assertThat(other.revision()).isEqualTo(51).isEqualTo(store.revision());
    }

    @Test
    void givenTwoServers_whenBothCompareAndWrite_thenNoCountIsLost() throws Exception {
        Store other = new RootedStore(other(), "/registry");
        List<CompletableFuture<Void>> writers = new ArrayList<>();
        for (Store one : List.of(store, other, store, other)) {
            writers.add(CompletableFuture.runAsync(() -> {
                for (int i = 0; i < 50; i++) {
                    boolean done = false;
                    while (!done) {
                        Store.Entry entry = one.get("/n").orElse(null);
                        int count = entry == null ? 0 : Integer.parseInt(text(entry));
                        done = one.commit(List.of(put("/n", entry == null ? 0 : entry.revision(), "" + (count + 1))))
                                .join()
                                .committed();
                    }
                }
            }));
        }
        for (CompletableFuture<Void> writer : writers) {
            writer.get(60, TimeUnit.SECONDS);
        }

        assertThat(value("/n")).isEqualTo("200");
    }

    @Test
    void givenAServerThatStartsLater_thenItHasThePastDownToTheCompaction() {
        commit(put("/a", 0, "1"));
        commit(put("/a", -1, "2"));
        commit(put("/b", 0, "1"));
        commit(delete("/a", -1));
        store.compact(3);

        EtcdStore late = other();
        List<String> heard = new ArrayList<>();
        late.watch("/registry/", 3, changes -> changes.forEach(c -> heard.add(show(c))));

        assertThat(late.compactedRevision()).isEqualTo(3);
        assertThat(heard).containsExactly("4 /registry/b ->1", "5 /registry/a 2>-");
        assertThat(show(late.range("/registry/", null, 0, 4))).containsExactly("/registry/a=2", "/registry/b=1");
        assertThatThrownBy(() -> late.watch("", 2, c -> {})).isInstanceOf(Store.CompactedException.class);
    }

    @Test
    void givenKeysOfAnotherPrefix_thenTheyAreNotOursAndRevisionsGoOn() throws Exception {
        EtcdStore foreign = EtcdStore.open(
                new EtcdOptions(List.of(etcd.url()), "/other", null, null, null), EtcdStore.Format.PLAIN, driver);
        others.add(foreign);
        List<Long> progress = Collections.synchronizedList(new ArrayList<>());
        List<Store.Change> heard = Collections.synchronizedList(new ArrayList<>());
        foreign.watch("", 0, new Store.Listener() {
            @Override
            public void onChanges(List<Store.Change> changes) {
                heard.addAll(changes);
            }

            @Override
            public void onProgress(long revision) {
                progress.add(revision);
            }
        });
        commit(put("/a", 0, "1"));
        commit(put("/a", -1, "2"));

        assertThat(foreign.revision()).isEqualTo(3);
        assertThat(foreign.count("")).isZero();
        assertThat(progress).containsExactly(2L, 3L);
        assertThat(heard).isEmpty();
        foreign.commit(List.of(put("/registry/x", 0, "x"))).join();
        assertThat(store.count("")).isEqualTo(1);
        assertThat(heard).extracting(Store.Change::key).containsExactly("/registry/x");
    }

    @Test
    void givenEtcdThatIsKilledAndComesBack_thenNothingIsMissedAndWritesGoOn() throws Exception {
        List<Store.Change> heard = Collections.synchronizedList(new ArrayList<>());
        store.watch("", 1, heard::addAll);
        AtomicBoolean over = new AtomicBoolean();
        List<String> acknowledged = Collections.synchronizedList(new ArrayList<>());
        Thread writer = new Thread(() -> {
            for (int i = 0; !over.get(); i++) {
                try {
                    if (commit(put("/k" + i, 0, "" + i)).committed()) {
                        acknowledged.add("/k" + i);
                    }
                } catch (RuntimeException e) {
                    // Not known whether it was made: the next one has another key.
                }
            }
        });
        writer.start();
        for (int round = 0; round < 3; round++) {
            int before = acknowledged.size();
            eventually(() -> acknowledged.size() > before + 20);
            etcd.kill();
            etcd.start();
        }
        int before = acknowledged.size();
        eventually(() -> acknowledged.size() > before + 20);
        over.set(true);
        writer.join(60_000);

        assertThat(acknowledged).allSatisfy(key -> assertThat(store.get(key)).isPresent());
        assertThat(heard).extracting(Store.Change::revision).isSorted().doesNotHaveDuplicates();
        assertThat(heard).extracting(Store.Change::key).containsAll(acknowledged);
        assertThat((long) heard.size()).isEqualTo(store.count(""));
    }

    @Test
    void givenAServerThatWasAwayForACompaction_thenItReadsAnewAndTellsTheDifference() throws Exception {
        commit(put("/gone", 0, "1"), put("/kept", 0, "1"), put("/changed", 0, "1"));
        List<String> heard = Collections.synchronizedList(new ArrayList<>());
        store.watch("", 0, changes -> changes.forEach(c -> heard.add(show(c))));
        EtcdProxy proxy = EtcdProxy.to(etcd.url());
        try (proxy;
                EtcdStore away = EtcdStore.open(EtcdOptions.of(proxy.url()), EtcdStore.Format.PLAIN, driver)) {
            List<String> told = Collections.synchronizedList(new ArrayList<>());
            away.watch("", 0, changes -> changes.forEach(c -> told.add(show(c))));
            proxy.cut();
            commit(delete("/gone", -1));
            commit(put("/changed", -1, "2"));
            commit(put("/changed", -1, "3"));
            commit(put("/new", 0, "1"));
            store.compact(store.revision());
            commit(put("/last", 0, "1"));
            proxy.mend();

            eventually(() -> told.size() == 4);

            assertThat(told)
                    .containsExactly(
                            "5 /registry/changed 1>3",
                            "6 /registry/new ->1",
                            "7 /registry/last ->1",
                            "7 /registry/gone 1>-");
            assertThat(away.compactedRevision()).isEqualTo(7);
            away.commit(List.of(put("/registry/by-away", 0, "1"))).join();
            assertThat(value("/by-away")).isEqualTo("1");
        }
    }

    @Test
    void givenAConnectionThatIsCutAgainAndAgain_thenAWatchMissesNothing() throws Exception {
        EtcdProxy proxy = EtcdProxy.to(etcd.url());
        try (proxy;
                EtcdStore shaky = EtcdStore.open(EtcdOptions.of(proxy.url()), EtcdStore.Format.PLAIN, driver)) {
            List<Long> told = Collections.synchronizedList(new ArrayList<>());
            shaky.watch("", 1, changes -> changes.forEach(c -> told.add(c.revision())));
            for (int i = 0; i < 200; i++) {
                commit(put("/a", -1, "" + i));
                if (i % 40 == 20) {
                    proxy.cut();
                } else if (i % 40 == 30) {
                    proxy.mend();
                }
            }
            proxy.mend();
            eventually(() -> told.size() == 200);

            assertThat(told).isSorted().doesNotHaveDuplicates().first().isEqualTo(2L);
        }
    }

    @Test
    void givenATimeToLive_thenTheKeyVanishesAndThatIsTold() throws Exception {
        List<String> heard = Collections.synchronizedList(new ArrayList<>());
        store.watch("", 0, changes -> changes.forEach(c -> heard.add(show(c))));

        store.commit(List.of(new Store.Operation.Put("/events/a", 0, r -> bytes("1"), Duration.ofSeconds(1))))
                .join();
        store.commit(List.of(new Store.Operation.Put("/events/b", 0, r -> bytes("1"), Duration.ofSeconds(1))))
                .join();
        commit(put("/stays", 0, "1"));
        eventually(() -> heard.size() == 5);

        assertThat(heard.subList(3, 5))
                .anyMatch(h -> h.endsWith("/events/a 1>-"))
                .anyMatch(h -> h.endsWith("/b 1>-"));
        assertThat(store.count("")).isEqualTo(1);
    }

    @Test
    void givenNoEtcd_whenOpened_thenTheAddressTheCauseAndTheFlagAreSaid() {
        etcd.close();
        EtcdOptions nowhere = EtcdOptions.of("http://127.0.0.1:1");

        assertThatThrownBy(() -> EtcdStore.open(nowhere, EtcdStore.Format.PLAIN, driver, Duration.ofMillis(300)))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("the etcd at http://127.0.0.1:1 does not answer (UNAVAILABLE")
                .hasMessageContaining("Connection refused")
                .hasMessageContaining("--etcd-servers");
    }
}
