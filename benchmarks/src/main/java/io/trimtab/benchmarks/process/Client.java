package io.trimtab.benchmarks.process;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.internal.SSLUtils;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLContext;

/** Asks an API server over TLS for much, and looks at no more of the answers than it must. Safe for use by any thread. */
final class Client {
    private static final int IN_FLIGHT = 32;

    /** A request that may fail. */
    interface Sending {
        CompletableFuture<Integer> send(int number);
    }

    static {
        // A watch that is not read is to be held up by this window, not to be read ahead of.
        System.setProperty("jdk.httpclient.windowsize", Integer.toString(1 << 16));
        System.setProperty(
                "jdk.httpclient.keepalive.timeout",
                Long.toString(Duration.ofMinutes(5).toSeconds()));
    }

    private final Config config;
    private final HttpClient http;

    Client(Path kubeconfig) throws Exception {
        this(Config.fromKubeconfig(kubeconfig.toFile()));
    }

    private Client(Config config) throws Exception {
        this.config = config;
        SSLContext tls = SSLUtils.sslContext(config);
        this.http =
                HttpClient.newBuilder().sslContext(tls).version(Version.HTTP_2).build();
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
        each(count, IN_FLIGHT, sending);
    }

    /** Sends requests, so many at once, until all are answered. */
    void each(int count, int atOnce, Sending sending) throws InterruptedException {
        Semaphore room = new Semaphore(atOnce);
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
        room.acquire(atOnce);
        if (refused.get() > 0) {
            throw new IllegalStateException(refused + " of " + count + " requests were refused");
        }
    }

    /** The code of the answer to a GET; 0 if nobody answers. */
    int get(String path) throws InterruptedException {
        try {
            return http.send(request(path).build(), BodyHandlers.discarding()).statusCode();
        } catch (IOException e) {
            return 0;
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
