package io.trimtab.apiserver.storage;

import static io.trimtab.apiserver.storage.StorageFixture.ALL_FIELDS;
import static io.trimtab.apiserver.storage.StorageFixture.ALL_LABELS;
import static io.trimtab.apiserver.storage.StorageFixture.PODS;
import static io.trimtab.apiserver.storage.StorageFixture.labelled;
import static io.trimtab.apiserver.storage.StorageFixture.pod;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.apiserver.store.RocksStore;
import io.trimtab.apiserver.store.Store;
import io.trimtab.runtime.RealDriver;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;

/** A rough look at throughput, to be run by hand; claims of speed come from the benchmarks module. */
final class StorageSpeed {
    private StorageSpeed() {}

    public static void main(String[] args) throws Exception {
        RealDriver driver = RealDriver.create();
        for (int round = 0; round < 3; round++) {
            store("commits in memory", MemoryStore.create(), 1, 300_000);
            DefaultStorage storage = new DefaultStorage(MemoryStore.create(), driver, StorageFixture::fieldsOf);
            time("creates in memory", 1, 200_000, i -> storage.create(PODS, sized("ns" + i % 100, "pod-" + i)));
            storage.close();
            DefaultStorage two = new DefaultStorage(MemoryStore.create(), driver, StorageFixture::fieldsOf);
            time("creates in memory, 2 threads", 2, 100_000, i -> two.create(PODS, sized("ns" + i % 100, "pod-" + i)));
            two.close();
            fanOut(driver);
        }
        Path directory = Files.createTempDirectory("speed");
        store("commits on disk, 1 thread", RocksStore.open(directory.resolve("1"), driver), 1, 2000);
        store("commits on disk, 64 threads", RocksStore.open(directory.resolve("64"), driver), 64, 500);
        driver.close();
        System.out.println("delete " + directory);
    }

    private static ObjectNode sized(String namespace, String name) {
        ObjectNode pod = labelled(labelled(pod(namespace, name), "app", "web"), "tier", "front");
        ObjectNode spec = (ObjectNode) pod.path("spec");
        spec.putArray("containers").addObject().put("name", "c").put("image", "registry.example/app:1.2.3");
        spec.put("restartPolicy", "Always").put("schedulerName", "default-scheduler");
        pod.putObject("status").put("phase", "Pending");
        return pod;
    }

    private static void store(String what, Store store, int threads, int each) throws Exception {
        byte[] value = "x".repeat(400).getBytes(StandardCharsets.UTF_8);
        time(
                what,
                threads,
                each,
                i -> store.commit(List.of(
                                new Store.Operation.Put("/registry/pods/ns" + i % 100 + "/pod-" + i, 0, r -> value)))
                        .join());
        store.close();
    }

    private static void fanOut(RealDriver driver) {
        DefaultStorage storage = new DefaultStorage(MemoryStore.create(), driver, StorageFixture::fieldsOf);
        List<EventSource> watches = new ArrayList<>();
        for (int w = 0; w < 50; w++) {
            watches.add(storage.watch(
                    PODS, new Storage.WatchQuery(null, ALL_LABELS, ALL_FIELDS, 1, false, false, Duration.ofHours(1))));
        }
        int count = 40_000;
        long events = 0;
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            storage.create(PODS, sized("ns", "pod-" + i));
            if (i % 1000 == 999) {
                for (EventSource watch : watches) {
                    while (watch.poll() != null) {
                        events++;
                    }
                }
            }
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf("%-32s %,12.0f events/s%n", "fan-out to 50 watches", events / seconds);
        storage.close();
    }

    private static void time(String what, int threads, int each, IntConsumer body) throws Exception {
        CountDownLatch done = new CountDownLatch(threads);
        AtomicLong cpuNanos = new AtomicLong();
        long start = System.nanoTime();
        for (int t = 0; t < threads; t++) {
            int from = t * each;
            new Thread(() -> {
                        for (int i = from; i < from + each; i++) {
                            body.accept(i);
                        }
                        cpuNanos.addAndGet(ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime());
                        done.countDown();
                    })
                    .start();
        }
        done.await();
        double seconds = (System.nanoTime() - start) / 1e9;
        // On a busy machine the time on the processor says more.
        System.out.printf(
                "%-32s %,12.0f /s %,12.0f /s of processor time%n",
                what, threads * each / seconds, threads * each * 1e9 / cpuNanos.get());
    }
}
