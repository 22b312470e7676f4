package io.trimtab.apiserver.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.runtime.RealDriver;
import io.trimtab.runtime.VirtualDriver;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RocksStoreTest extends StoreContract {
    private final RealDriver driver = RealDriver.create();

    @TempDir
    Path temp;

    private Path directory;

    @Override
    Store open() {
        directory = temp.resolve("store");
        return RocksStore.open(directory, driver);
    }

    @AfterEach
    void closeDriver() {
        driver.close();
    }

    private void reopen() {
        store.close();
        store = RocksStore.open(directory, driver);
    }

    @Test
    void givenVirtualTime_whenACommitReturns_thenItIsComplete() {
        try (RocksStore virtual = RocksStore.open(temp.resolve("virtual"), VirtualDriver.create())) {
            assertThat(virtual.commit(List.of(put("/a", 0, "1"))))
                    .isCompletedWithValueMatching(Store.CommitResult::committed);
        }
    }

    @Test
    void givenAStore_whenOpenedAgain_thenPresentAndPastAreThere() {
        commit(put("/a", 0, "1"), put("/b", 0, "1"));
        commit(put("/a", -1, "2"));
        commit(delete("/b", -1));
        commit(put("/c", 0, "1"), put("/a", -1, "3"));

        reopen();

        assertThat(store.revision()).isEqualTo(5);
        assertThat(store.compactedRevision()).isEqualTo(1);
        assertThat(show(store.range("", null, 0, 0))).containsExactly("/a=3", "/c=1");
        assertThat(show(store.range("", null, 0, 3))).containsExactly("/a=2", "/b=1");
        assertThat(record("", 2)).containsExactly("3 /a 1>2", "4 /b 1>-", "5 /c ->1", "5 /a 2>3");
        assertThat(store.get("/a").orElseThrow().createRevision()).isEqualTo(2);
        assertThat(commit(put("/d", 0, "1")).revision()).isEqualTo(6);
    }

    @Test
    void givenMoreOverwrittenBytesThanMemoryHolds_whenThePastIsRead_thenItComesFromTheFiles() {
        String filler = "x".repeat(100_000);
        for (int i = 0; i < 100; i++) {
            commit(put("/a", -1, i + filler));
        }
        Store.Entry old = store.range("", null, 0, 10).entries().get(0);

        assertThat(old.heldBytes()).isZero();
        assertThat(new String(old.value(), StandardCharsets.UTF_8)).isEqualTo(8 + filler);
        assertThat(record("", 1)).hasSize(100).element(50).isEqualTo("52 /a 49" + filler + ">50" + filler);
        assertThat(store.get("/a").orElseThrow().heldBytes()).isPositive();
        store.compact(50);
        assertThatThrownBy(old::value).isInstanceOf(Store.CompactedException.class);
        assertThat(record("", 50)).hasSize(51);
        reopen();
        assertThat(record("", 50)).hasSize(51).first().isEqualTo("51 /a 48" + filler + ">49" + filler);
    }

    @Test
    void givenACompactedStore_whenOpenedAgain_thenOnlyTheRestIsThere() {
        for (int i = 0; i < 100; i++) {
            commit(put("/a" + i % 5, -1, "" + i));
        }
        commit(delete("/a0", -1));
        commit(put("/z", 0, "z"));
        store.compact(102);

        reopen();

        assertThat(store.compactedRevision()).isEqualTo(102);
        assertThat(store.revision()).isEqualTo(103);
        assertThat(show(store.range("", null, 0, 0))).containsExactly("/a1=96", "/a2=97", "/a3=98", "/a4=99", "/z=z");
        assertThat(record("", 102)).containsExactly("103 /z ->z");
        store.compact(103);
        reopen();
        assertThat(store.revision()).isEqualTo(103);
        assertThat(store.compactedRevision()).isEqualTo(103);
        assertThat(store.count("")).isEqualTo(5);
    }

    @Test
    void givenADeletionThatWasCompacted_whenOpenedAgain_thenItsRevisionIsNotGivenOutTwice() {
        commit(put("/a", 0, "1"));
        commit(delete("/a", -1));
        store.compact(3);

        reopen();

        assertThat(store.revision()).isEqualTo(3);
        assertThat(store.count("")).isZero();
    }

    @Test
    void givenAnOpenStore_whenOpenedASecondTime_thenTheDirectoryTheCauseAndTheMendAreSaid() {
        assertThatThrownBy(() -> RocksStore.open(directory, driver))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining(directory.toString())
                .hasMessageContaining("in use by another process")
                .hasMessageContaining("stop that one");
        assertThat(commit(put("/a", 0, "1")).committed()).isTrue();
    }

    @Test
    void givenADirectoryThatCannotBeMade_thenThatIsSaid() throws IOException {
        Path file = Files.writeString(temp.resolve("file"), "not a directory");

        assertThatThrownBy(() -> RocksStore.open(file.resolve("store"), driver))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining(file.resolve("store").toString())
                .hasMessageContaining("cannot be made")
                .hasMessageContaining("--data-dir");
    }

    @Test
    void givenADamagedLog_whenOpened_thenThatIsSaidAndNothingPassesForLess() throws IOException {
        for (int i = 0; i < 60; i++) {
            commit(put("/key" + i, 0, "some longer value ".repeat(50) + i));
        }
        commit(put("/last", 0, "1"));
        store.close();
        damage(".log", 20_000);

        assertThatThrownBy(() -> RocksStore.open(directory, driver))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining(directory.toString())
                .hasMessageContaining("is damaged")
                .hasMessageContaining("restore the directory from a backup");
        store = MemoryStore.create();
    }

    @Test
    void givenAMissingCurrentFile_whenOpened_thenTheRestIsNotThrownAway() throws IOException {
        commit(put("/a", 0, "1"));
        store.close();
        Files.delete(directory.resolve("CURRENT"));

        assertThatThrownBy(() -> RocksStore.open(directory, driver))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("is damaged");
        store = MemoryStore.create();
    }

    @Test
    void givenATornTail_whenOpened_thenAllBeforeItIsThere() throws IOException {
        for (int i = 0; i < 10; i++) {
            commit(put("/a" + i, 0, "1"));
        }
        store.close();
        Path log = newest(".log");
        byte[] bytes = Files.readAllBytes(log);
        Files.write(log, java.util.Arrays.copyOf(bytes, bytes.length - 5));

        store = RocksStore.open(directory, driver);

        assertThat(store.revision()).isEqualTo(10);
        assertThat(commit(put("/new", 0, "1")).revision()).isEqualTo(11);
    }

    private void damage(String suffix, int at) throws IOException {
        Path file = newest(suffix);
        byte[] bytes = Files.readAllBytes(file);
        bytes[at] ^= 0x55;
        Files.write(file, bytes);
    }

    private Path newest(String suffix) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(f -> f.toString().endsWith(suffix))
                    .max(Path::compareTo)
                    .orElseThrow();
        }
    }

    @Test
    void givenAProcessKilledWhileWriting_whenOpenedAgain_thenAllItAcknowledgedIsThere() throws Exception {
        Path killed = temp.resolve("killed");
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        AcknowledgingWriter.class.getName(),
                        killed.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        List<String> acknowledged = new ArrayList<>();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.endsWith(".")) {
                    acknowledged.add(line);
                }
                if (acknowledged.size() == 3000) {
                    // By its handle: the stream stays open, and has more lines.
                    child.toHandle().destroyForcibly();
                }
            }
        }
        assertThat(child.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(acknowledged).hasSizeGreaterThanOrEqualTo(3000);

        try (RocksStore after = RocksStore.open(killed, driver)) {
            for (String line : acknowledged) {
                String[] parts = line.split(" ");
                Store.Entry entry = after.get(parts[0]).orElseThrow(() -> new AssertionError("lost: " + line));
                assertThat(entry.revision()).isEqualTo(Long.parseLong(parts[1]));
                assertThat(text(entry)).isEqualTo(parts[2]);
            }
        }
    }
}
