package io.trimtab.apiserver.store;

import static io.trimtab.apiserver.store.StoreContract.delete;
import static io.trimtab.apiserver.store.StoreContract.put;
import static io.trimtab.apiserver.store.StoreContract.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.runtime.RealDriver;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotTest {
    private final RealDriver driver = RealDriver.create();

    @TempDir
    Path temp;

    @AfterEach
    void closeDriver() {
        driver.close();
    }

    private Path save(Store store) throws IOException {
        Path file = temp.resolve("snapshot");
        try (OutputStream out = Files.newOutputStream(file)) {
            Snapshot.write(store, out);
        }
        return file;
    }

    @Test
    void givenASnapshotTakenUnderLoad_whenRestored_thenAllThatWasAcknowledgedBeforeIsThere() throws Exception {
        Map<String, Long> acknowledged = new ConcurrentHashMap<>();
        Map<String, Long> before;
        Path file;
        long last;
        try (RocksStore store = RocksStore.open(temp.resolve("a"), driver)) {
            AtomicBoolean over = new AtomicBoolean();
            List<Thread> writers = IntStream.range(0, 4)
                    .mapToObj(w -> new Thread(() -> {
                        for (int i = 0; !over.get(); i++) {
                            String key = "/w" + w + "/" + i % 200;
                            acknowledged.put(
                                    key,
                                    store.commit(List.of(put(key, -1, "v" + i)))
                                            .join()
                                            .revision());
                        }
                    }))
                    .toList();
            writers.forEach(Thread::start);
            while (acknowledged.size() < 400) {
                TimeUnit.MILLISECONDS.sleep(1);
            }
            before = Map.copyOf(acknowledged);
            file = save(store);
            over.set(true);
            for (Thread writer : writers) {
                writer.join();
            }
            last = store.revision();
        }

        Snapshot.Summary summary = RocksStore.restore(file, temp.resolve("b"), 1_000_000);

        try (RocksStore restored = RocksStore.open(temp.resolve("b"), driver)) {
            assertThat(restored.count("")).isEqualTo(summary.entries());
            before.forEach((key, revision) ->
                    assertThat(restored.get(key).orElseThrow().revision()).isBetween(revision, summary.revision()));
            assertThat(restored.revision())
                    .isEqualTo(summary.revision() + 1_000_000)
                    .isGreaterThan(last);
            assertThatThrownBy(() -> restored.watch("", last, c -> {})).isInstanceOf(Store.CompactedException.class);
            long next = restored.commit(List.of(put("/new", 0, "x"))).join().revision();
            assertThat(next).isEqualTo(summary.revision() + 1_000_001);
        }
        try (RocksStore again = RocksStore.open(temp.resolve("b"), driver)) {
            assertThat(again.get("/new")).isPresent();
            assertThat(again.count("")).isEqualTo(summary.entries() + 1);
        }
    }

    @Test
    void givenAStoreInMemory_whenSavedAndRestored_thenItIsTheSame() throws IOException {
        MemoryStore memory = MemoryStore.create();
        memory.commit(List.of(put("/a", 0, "1"), put("/b", 0, "")));
        memory.commit(List.of(put("/\u00e9", 0, "x".repeat(200_000))));
        memory.commit(List.of(delete("/a", -1)));

        RocksStore.restore(save(memory), temp.resolve("b"), 0);

        try (RocksStore restored = RocksStore.open(temp.resolve("b"), driver)) {
            assertThat(restored.revision()).isEqualTo(4);
            assertThat(restored.range("", null, 0, 0).entries())
                    .extracting(e -> e.key() + " " + e.createRevision() + " " + e.revision() + " " + text(e).length())
                    .containsExactly("/b 2 2 0", "/\u00e9 3 3 200000");
        }
    }

    @Test
    void givenADirectoryWithFiles_whenRestoredTo_thenItIsRefusedAndLeftAlone() throws IOException {
        Path file = save(MemoryStore.create());
        Path directory = Files.createDirectories(temp.resolve("b"));
        Files.writeString(directory.resolve("precious"), "x");

        assertThatThrownBy(() -> RocksStore.restore(file, directory, 0))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("is not empty")
                .hasMessageContaining(directory.toString());
        assertThat(directory.resolve("precious")).hasContent("x");
    }

    @Test
    void givenAnySnapshotThatIsCutOffOrChanged_whenRestored_thenThatIsSaidAndNoStoreAppears() throws IOException {
        MemoryStore memory = MemoryStore.create();
        for (int i = 0; i < 50; i++) {
            memory.commit(List.of(put("/k" + i, 0, "value " + i * 7919)));
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Iterator<byte[]> pieces = Snapshot.pieces(memory); pieces.hasNext(); ) {
            out.write(pieces.next());
        }
        byte[] whole = out.toByteArray();
        for (int cut = 0; cut < whole.length; cut += 97) {
            refused(Arrays.copyOf(whole, cut));
        }
        for (int at = 20; at < whole.length; at += 97) {
            byte[] changed = whole.clone();
            changed[at] ^= 0x10;
            refused(changed);
        }
        refused("something else".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    private void refused(byte[] bytes) throws IOException {
        Path file = Files.write(temp.resolve("bad"), bytes);

        assertThatThrownBy(() -> Snapshot.read(Files.newInputStream(file), file.toString(), e -> {}))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining(file.toString());
    }

    @Test
    void givenADamagedSnapshot_whenRestored_thenTheDirectoryDoesNotAppear() throws IOException {
        Path file = save(MemoryStore.create());
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length - 20));

        assertThatThrownBy(() -> RocksStore.restore(file, temp.resolve("b"), 0)).isInstanceOf(StoreException.class);
        assertThat(temp.resolve("b")).doesNotExist();
        // What is left of it is named when it is tried again.
        Files.write(file, bytes);
        assertThatThrownBy(() -> RocksStore.restore(file, temp.resolve("b"), 0))
                .hasMessageContaining("b.restoring")
                .hasMessageContaining("delete it");
    }
}
