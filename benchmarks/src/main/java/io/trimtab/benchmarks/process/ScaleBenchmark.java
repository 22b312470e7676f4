package io.trimtab.benchmarks.process;

import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Whether memory and speed of the API server hold where much is asked at once: many clients list much, some watchers read nothing,
 * many objects are stored. Runs on the main thread, with threads of its own for clients.
 */
public final class ScaleBenchmark {
    private static final int LISTERS = 20;
    /** So many pods are 20 MB. */
    private static final int LISTED = 7_000;

    private static final int WATCHERS = 50;
    private static final int SLOW_WATCHERS = 5;
    private static final int WRITES = 1_000;
    private static final int TURNS = 4;

    private final Path program;
    private final Path results;
    private final String kubeBin;
    private final int pods;
    private final StringBuilder text = new StringBuilder();

    /** @param kubeBin the directory of Kubernetes' programs, to be measured as well; empty for none */
    private ScaleBenchmark(Path program, Path results, String kubeBin, int pods) {
        this.program = program;
        this.results = results;
        this.kubeBin = kubeBin;
        this.pods = pods;
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> flags = Flags.of(args);
        new ScaleBenchmark(
                        Path.of(flags.get("--program")),
                        Files.createDirectories(Path.of(flags.get("--results"))),
                        flags.getOrDefault("--kube-bin", ""),
                        Integer.parseInt(flags.getOrDefault("--pods", "100000")))
                .run();
        System.exit(0); // the clients' threads would keep the process
    }

    private void run() throws Exception {
        text.append("# The API server with much to hold and much to send\n\n")
                .append(LocalDate.now(ZoneOffset.UTC))
                .append(", JDK ")
                .append(Runtime.version())
                .append(", ")
                .append(Runtime.getRuntime().availableProcessors())
                .append(
                        " processors. Made by `benchmarks/run scale`: one `trimtab apiserver` with its data on disk, clients over TLS. Memory"
                                + " is resident; processor time is the server's.\n\n| | |\n|---|---:|\n");
        Many ours;
        Path directory = Files.createTempDirectory("trimtab-scale");
        try (ControlPlane plane = new ControlPlane(directory)) {
            plane.startTrimtab(program, "apiserver");
            Client client = new Client(directory.resolve("data/admin.kubeconfig"));
            row("resident when started", "%d MB", plane.residentKilobytes() / 1024);
            listers(plane, client);
            watchers(plane, client);
            ours = many(plane, client, LISTED);
        } finally {
            Directories.delete(directory);
        }
        row("processor time of a pod's creation, up to " + pods + " pods", "%.2f ms", ours.creation());
        row("resident with " + pods + " pods (aim: below 1,500 MB)", "%.0f MB", ours.resident());
        row("a list of all of them", "%.0f MB", ours.listMegabytes());
        row("its time; processor time", "%.2f s; %.0f ms", ours.listSeconds(), ours.listProcessor());
        row("the same by pages of 500: processor time", "%.0f ms", ours.pagesProcessor());
        row(
                "watchers as above, beside " + pods + " pods; processor time",
                "%.2f s; %.0f ms",
                ours.watchSeconds(),
                ours.watchProcessor());
        if (!kubeBin.isEmpty()) {
            compare(ours, real());
        }
        Files.writeString(results.resolve("api-scale.md"), text);
    }

    private Many real() throws Exception {
        Path directory = Files.createTempDirectory("real-scale");
        try (ControlPlane plane = RealControlPlane.start(Path.of(kubeBin), directory, false)) {
            Client client = new Client(directory.resolve("admin.kubeconfig"));
            while (client.get("/readyz") != 200) {
                plane.requireAlive();
                Thread.sleep(100);
            }
            client.createNamespace("watched");
            round(client, "warm");
            return many(plane, client, 0);
        } finally {
            Directories.delete(directory);
        }
    }

    private void compare(Many ours, Many real) {
        String heading = "\nBeside kube-apiserver and its etcd with " + pods
                + " pods, in the same run:\n\n| | Trimtab | Kubernetes | ratio |\n|---|---:|---:|---:|\n";
        text.append(heading);
        System.out.print(heading);
        ratio("processor time of a pod's creation, ms", ours.creation(), real.creation());
        ratio("resident with all pods, MB", ours.resident(), real.resident());
        ratio("a list of all: time, s", ours.listSeconds(), real.listSeconds());
        ratio("a list of all: processor time, ms", ours.listProcessor(), real.listProcessor());
        ratio("by pages of 500: processor time, ms", ours.pagesProcessor(), real.pagesProcessor());
        ratio(WATCHERS + " watchers, " + WRITES + " writes: time, s", ours.watchSeconds(), real.watchSeconds());
        ratio("the same: processor time, ms", ours.watchProcessor(), real.watchProcessor());
    }

    private void ratio(String what, double ours, double real) {
        String line = String.format(Locale.ROOT, "| %s | %.2f | %.2f | %.1f |%n", what, ours, real, real / ours);
        text.append(line);
        System.out.print(line);
    }

    private void row(String what, String format, Object... values) {
        String line = "| " + what + " | " + String.format(Locale.ROOT, format, values) + " |\n";
        text.append(line);
        System.out.print(line);
    }

    // ---- Many clients list much -----------------------------------------------------------------------------------

    private void listers(ControlPlane plane, Client client) throws Exception {
        client.createNamespace("listed");
        client.createPods("listed", LISTED);
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < LISTERS; i++) {
            clients.add(client.another());
        }
        long length = client.read(Client.pods("listed"));
        long before = plane.residentKilobytes();
        long processor = plane.processorMillis();
        AtomicBoolean over = new AtomicBoolean();
        AtomicLong most = new AtomicLong(before);
        ExecutorService threads = Executors.newCachedThreadPool();
        Future<?> watching = threads.submit(() -> {
            while (!over.get()) {
                most.accumulateAndGet(plane.residentKilobytes(), Math::max);
                Thread.sleep(10);
            }
            return null;
        });
        List<Future<Long>> lists = new ArrayList<>();
        for (Client lister : clients) {
            lists.add(threads.submit(() -> lister.read(Client.pods("listed"))));
        }
        for (Future<Long> list : lists) {
            if (list.get(10, TimeUnit.MINUTES) != length) {
                throw new IllegalStateException("a list was cut off, or changed");
            }
        }
        over.set(true);
        watching.get();
        threads.shutdown();
        row("a list of " + LISTED + " pods", "%.1f MB", length / 1e6);
        row(
                LISTERS + " clients list it at once: memory more than before (aim: below 200 MB)",
                "%d MB",
                (most.get() - before) / 1024);
        row("processor time of each of these lists", "%d ms", (plane.processorMillis() - processor) / LISTERS);
    }

    // ---- Some watchers do not read ---------------------------------------------------------------------------------

    private void watchers(ControlPlane plane, Client client) throws Exception {
        client.createNamespace("watched");
        round(client, "warm"); // compiled by now, on both sides
        double alone = Double.MAX_VALUE;
        double beside = Double.MAX_VALUE;
        long aloneProcessor = Long.MAX_VALUE;
        long besideProcessor = Long.MAX_VALUE;
        long before = plane.residentKilobytes();
        // By turns, and the best of each: what else the machine does comes and goes.
        for (int turn = 0; turn < TURNS; turn++) {
            long processor = plane.processorMillis();
            alone = Math.min(alone, round(client, "alone" + turn));
            aloneProcessor = Math.min(aloneProcessor, plane.processorMillis() - processor);
            List<InputStream> unread = new ArrayList<>();
            for (int i = 0; i < SLOW_WATCHERS; i++) {
                unread.add(client.another().open(Client.maps("watched") + "?watch=1"));
            }
            processor = plane.processorMillis();
            beside = Math.min(beside, round(client, "beside" + turn));
            besideProcessor = Math.min(besideProcessor, plane.processorMillis() - processor);
            for (InputStream stream : unread) {
                stream.close();
            }
        }
        row(
                WATCHERS + " watchers, " + WRITES + " writes of 1 kB: until the last has the last; processor time",
                "%.2f s; %d ms",
                alone,
                aloneProcessor);
        row(
                "the same beside " + SLOW_WATCHERS + " watchers that read nothing",
                "%.2f s; %d ms",
                beside,
                besideProcessor);
        row("memory more than before", "%d MB", (plane.residentKilobytes() - before) / 1024);
    }

    /** @return seconds until every watcher has heard of every write */
    private static double round(Client client, String name) throws Exception {
        String watch = Client.maps("watched") + "?watch=1&resourceVersion=" + client.version(Client.maps("watched"));
        CountDownLatch open = new CountDownLatch(WATCHERS);
        CountDownLatch done = new CountDownLatch(WATCHERS);
        ExecutorService threads = Executors.newCachedThreadPool();
        for (int i = 0; i < WATCHERS; i++) {
            threads.submit(() -> {
                try (BufferedReader events = new BufferedReader(
                        new InputStreamReader(client.open(watch + "&timeoutSeconds=600"), StandardCharsets.UTF_8))) {
                    open.countDown();
                    String last = "\"name\":\"" + name + "-";
                    int heard = 0;
                    for (String line = events.readLine(); line != null; line = events.readLine()) {
                        heard += line.contains("\"type\":\"ADDED\"") && line.contains(last) ? 1 : 0;
                        if (heard == WRITES) {
                            done.countDown();
                            return null;
                        }
                    }
                    throw new IllegalStateException("a watch ended after " + heard + " events");
                }
            });
        }
        if (!open.await(2, TimeUnit.MINUTES)) {
            throw new IllegalStateException("watches were not opened");
        }
        long start = System.nanoTime();
        String filler = "x".repeat(1000);
        client.each(
                WRITES,
                i -> client.post(
                        Client.maps("watched"),
                        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"" + name + "-" + i
                                + "\"},\"data\":{\"text\":\"" + filler + "\"}}"));
        if (!done.await(5, TimeUnit.MINUTES)) {
            throw new IllegalStateException(done.getCount() + " watchers have not heard all");
        }
        threads.shutdown();
        return (System.nanoTime() - start) / 1e9;
    }

    // ---- Many objects ----------------------------------------------------------------------------------------------

    /**
     * What an API server does with many pods.
     *
     * @param creation of one pod, in milliseconds of processor time
     * @param resident megabytes, with all pods
     * @param listProcessor milliseconds
     */
    private record Many(
            double creation,
            double resident,
            double listMegabytes,
            double listSeconds,
            double listProcessor,
            double pagesProcessor,
            double watchSeconds,
            double watchProcessor) {}

    private Many many(ControlPlane plane, Client client, int present) throws Exception {
        client.createNamespace("many");
        long processor = plane.processorMillis();
        client.createPods("many", pods - present);
        double creation = (plane.processorMillis() - processor) / (double) (pods - present);
        double resident = plane.residentKilobytes() / 1024.0;
        long length = 0;
        double listSeconds = Double.MAX_VALUE;
        double listProcessor = Double.MAX_VALUE;
        double watchSeconds = Double.MAX_VALUE;
        double watchProcessor = Double.MAX_VALUE;
        for (int turn = 0; turn < TURNS; turn++) {
            processor = plane.processorMillis();
            long start = System.nanoTime();
            length = client.read("/api/v1/pods?resourceVersion=0");
            listSeconds = Math.min(listSeconds, (System.nanoTime() - start) / 1e9);
            listProcessor = Math.min(listProcessor, plane.processorMillis() - processor);
            processor = plane.processorMillis();
            watchSeconds = Math.min(watchSeconds, round(client, "late" + turn));
            watchProcessor = Math.min(watchProcessor, plane.processorMillis() - processor);
        }
        processor = plane.processorMillis();
        long paged = client.readPages("/api/v1/pods?limit=500");
        if (paged < length / 2) {
            throw new IllegalStateException("pages have " + paged + " bytes, the list has " + length);
        }
        return new Many(
                creation,
                resident,
                length / 1e6,
                listSeconds,
                listProcessor,
                plane.processorMillis() - processor,
                watchSeconds,
                watchProcessor);
    }
}
