package io.trimtab.benchmarks.process;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.internal.SSLUtils;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;

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
    private static final int IN_FLIGHT = 32;

    private final Path program;
    private final Path results;
    private final int pods;
    private final StringBuilder text = new StringBuilder();

    private ScaleBenchmark(Path program, Path results, int pods) {
        this.program = program;
        this.results = results;
        this.pods = pods;
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> flags = new LinkedHashMap<>();
        for (int i = 0; i + 1 < args.length; i += 2) {
            flags.put(args[i], args[i + 1]);
        }
        new ScaleBenchmark(
                        Path.of(flags.get("--program")),
                        Files.createDirectories(Path.of(flags.get("--results"))),
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
        Path directory = Files.createTempDirectory("trimtab-scale");
        try (ControlPlane plane = new ControlPlane(directory)) {
            start(plane);
            Client client = new Client(directory.resolve("data/admin.kubeconfig"));
            row("resident when started", "%d MB", plane.residentKilobytes() / 1024);
            listers(plane, client);
            watchers(plane, client);
            many(plane, client);
        } finally {
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        }
        Files.writeString(results.resolve("api-scale.md"), text);
    }

    private void start(ControlPlane plane) throws Exception {
        Path ready = plane.directory().resolve("ready");
        plane.start(
                "trimtab",
                List.of(
                        program.toString(),
                        "apiserver",
                        "--data-dir",
                        plane.directory().resolve("data").toString(),
                        "--secure-port",
                        "0",
                        "--ready-file",
                        ready.toString()));
        while (!Files.exists(ready)) {
            plane.requireAlive();
            Thread.sleep(20);
        }
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

    private void many(ControlPlane plane, Client client) throws Exception {
        client.createNamespace("many");
        long processor = plane.processorMillis();
        client.createPods("many", pods - LISTED);
        row(
                "processor time of a pod's creation, up to " + pods + " pods",
                "%.2f ms",
                (plane.processorMillis() - processor) / (double) (pods - LISTED));
        row("resident with " + pods + " pods (aim: below 1,500 MB)", "%d MB", plane.residentKilobytes() / 1024);
        processor = plane.processorMillis();
        long start = System.nanoTime();
        long length = client.read("/api/v1/pods");
        row("a list of all of them", "%.0f MB", length / 1e6);
        row("its time", "%.2f s", (System.nanoTime() - start) / 1e9);
        row("its processor time", "%d ms", plane.processorMillis() - processor);
        processor = plane.processorMillis();
        long paged = client.readPages("/api/v1/pods?limit=500");
        row("the same by pages of 500: processor time", "%d ms", plane.processorMillis() - processor);
        if (paged < length / 2) {
            throw new IllegalStateException("pages have " + paged + " bytes, the list has " + length);
        }
        processor = plane.processorMillis();
        double time = round(client, "late");
        row("watchers as above, beside " + pods + " pods", "%.2f s", time);
        row("its processor time", "%d ms", plane.processorMillis() - processor);
        row("resident after that", "%d MB", plane.residentKilobytes() / 1024);
    }

    // ---- A client --------------------------------------------------------------------------------------------------

    /** A request that may fail. */
    private interface Sending {
        CompletableFuture<Integer> send(int number);
    }

    private static final class Client {
        private final Config config;
        private final HttpClient http;

        Client(Path kubeconfig) throws Exception {
            this(Config.fromKubeconfig(kubeconfig.toFile()));
        }

        private Client(Config config) throws Exception {
            this.config = config;
            SSLContext tls = SSLUtils.sslContext(config);
            this.http = HttpClient.newBuilder()
                    .sslContext(tls)
                    .version(Version.HTTP_2)
                    .build();
        }

        /** With connections of its own. */
        Client another() throws Exception {
            return new Client(config);
        }

        static String pods(String namespace) {
            return "/api/v1/namespaces/" + namespace + "/pods";
        }

        static String maps(String namespace) {
            return "/api/v1/namespaces/" + namespace + "/configmaps";
        }

        private HttpRequest.Builder request(String path) {
            return HttpRequest.newBuilder(URI.create(config.getMasterUrl().replaceAll("/$", "") + path))
                    .header("Accept", "application/json");
        }

        CompletableFuture<Integer> post(String path, String body) {
            return http.sendAsync(
                            request(path)
                                    .header("Content-Type", "application/json")
                                    .POST(BodyPublishers.ofString(body))
                                    .build(),
                            BodyHandlers.discarding())
                    .thenApply(HttpResponse::statusCode);
        }

        void createNamespace(String name) {
            post(
                            "/api/v1/namespaces",
                            "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"" + name + "\"}}")
                    .join();
            post(
                            "/api/v1/namespaces/" + name + "/serviceaccounts",
                            "{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":\"default\"}}")
                    .join();
        }

        void createPods(String namespace, int count) throws InterruptedException {
            each(
                    count,
                    i -> post(
                            pods(namespace),
                            "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p-" + i
                                    + "\",\"labels\":{\"app\":\"myweb\",\"tier\":\"back-end\",\"release_track\":\"canary\","
                                    + "\"shard\":\"" + i % 100
                                    + "\"}},\"spec\":{\"schedulerName\":\"none\",\"containers\":[{"
                                    + "\"name\":\"myweb\",\"image\":\"kubeguide/tomcat-app:v1\",\"ports\":[{"
                                    + "\"containerPort\":8080}],\"env\":[{\"name\":\"MYSQL_SERVICE_HOST\",\"value\":\"mysql\"},{"
                                    + "\"name\":\"MYSQL_SERVICE_PORT\",\"value\":\"3306\"}],\"resources\":{\"requests\":{"
                                    + "\"cpu\":\"100m\",\"memory\":\"64Mi\"}},\"readinessProbe\":{\"httpGet\":{\"path\":\"/\","
                                    + "\"port\":8080}}}]}}"));
        }

        /** Sends requests, some at once, until all are answered. */
        void each(int count, Sending sending) throws InterruptedException {
            Semaphore room = new Semaphore(IN_FLIGHT);
            AtomicLong refused = new AtomicLong();
            for (int i = 0; i < count; i++) {
                room.acquire();
                sending.send(i).whenComplete((code, e) -> {
                    if (e != null || code != 201) {
                        refused.incrementAndGet();
                    }
                    room.release();
                });
            }
            room.acquire(IN_FLIGHT);
            if (refused.get() > 0) {
                throw new IllegalStateException(refused + " of " + count + " requests were refused");
            }
        }

        InputStream open(String path) throws IOException, InterruptedException {
            HttpResponse<InputStream> answer = http.send(request(path).build(), BodyHandlers.ofInputStream());
            if (answer.statusCode() != 200) {
                throw new IllegalStateException(path + " was answered with " + answer.statusCode());
            }
            return answer.body();
        }

        /** @return the length of the answer */
        long read(String path) throws IOException, InterruptedException {
            long length = 0;
            byte[] buffer = new byte[1 << 16];
            try (InputStream body = open(path)) {
                for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) {
                    length += n;
                }
            }
            return length;
        }

        /** The version of a list now. */
        String version(String path) throws IOException, InterruptedException {
            try (InputStream body = open(path + "?limit=1")) {
                String head = new String(body.readAllBytes(), StandardCharsets.UTF_8);
                int at = head.indexOf("\"resourceVersion\":\"") + 19;
                return head.substring(at, head.indexOf('"', at));
            }
        }

        long readPages(String path) throws IOException, InterruptedException {
            long length = 0;
            String token = "";
            do {
                byte[] page;
                try (InputStream body = open(token.isEmpty() ? path : path + "&continue=" + token)) {
                    page = body.readAllBytes();
                }
                length += page.length;
                // The list's own metadata comes first.
                String head = new String(page, 0, Math.min(2000, page.length), StandardCharsets.UTF_8);
                int at = head.indexOf("\"continue\":\"");
                token = at < 0 ? "" : head.substring(at + 12, head.indexOf('"', at + 12));
            } while (!token.isEmpty());
            return length;
        }
    }

    static {
        // A watch that is not read is to be held up by this window, not to be read ahead of.
        System.setProperty("jdk.httpclient.windowsize", Integer.toString(1 << 16));
        System.setProperty(
                "jdk.httpclient.keepalive.timeout",
                Long.toString(Duration.ofMinutes(5).toSeconds()));
    }
}
