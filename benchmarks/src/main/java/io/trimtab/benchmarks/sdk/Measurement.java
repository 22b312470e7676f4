package io.trimtab.benchmarks.sdk;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.client.FabricClient;
import io.trimtab.controller.DefaultManager;
import io.trimtab.controller.Manager;
import io.trimtab.informer.SharedInformer;
import io.trimtab.queue.WorkQueue;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import io.trimtab.selector.ReverseSelectorIndex;
import io.trimtab.standalone.ApiServerInstance;
import io.trimtab.standalone.ApiServerOptions;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntSupplier;

/** One measurement, in a process of its own: what {@link SdkBenchmark} starts. Prints its figures. Runs on the main thread. */
public final class Measurement {
    private static final int OBJECTS = 1000;
    private static final int PODS = 5000;
    private static final int SERVERS = 200;
    private static final Duration WARM_UP = Duration.ofSeconds(5);
    private static final Duration TIME = Duration.ofSeconds(5);

    private static final UserInfo ADMIN = UserInfo.of("admin", UserInfo.MASTERS_GROUP, UserInfo.AUTHENTICATED_GROUP);

    private Measurement() {}

    /** Measures what the first argument names. */
    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "dispatch" -> dispatch(args[1]);
            case "queue" -> queue();
            case "selectors" -> selectors();
            case "servers" -> servers();
            case "fill" -> fill(Path.of(args[1]));
            case "cache" -> cache(args[1], Path.of(args[2]));
            case "operator" -> Operators.run(args[1], Path.of(args[2]));
            default -> throw new IllegalArgumentException(args[0]);
        }
        System.exit(0); // the client library's threads would keep the process
    }

    static void result(String name, double value) {
        System.out.printf(Locale.ROOT, "%s%s %.3f%n", SdkBenchmark.RESULT, name, value);
    }

    // ---- reconciles ------------------------------------------------------------------------------------------------

    private static void dispatch(String side) throws Exception {
        Driver driver = RealDriver.create("benchmark");
        ApiServerInstance server = ApiServerInstance.start(ApiServerOptions.IN_MEMORY, driver);
        KubernetesClient client = server.adminClient();
        List<String> names = new ArrayList<>();
        for (int i = 0; i < OBJECTS; i++) {
            ConfigMap map = new ConfigMapBuilder()
                    .withNewMetadata()
                    .withName("object-" + i)
                    .withNamespace("default")
                    .addToLabels("app", "web")
                    .endMetadata()
                    .addToData("key", "value")
                    .build();
            client.resource(map).create();
            names.add(map.getMetadata().getName());
        }
        Dispatch dispatch = side.equals("trimtab")
                ? Dispatch.trimtab(server.transport().client(ADMIN, ClientOptions.DEFAULT), driver)
                : Dispatch.josdk(client);
        rounds(dispatch, names, WARM_UP);
        long start = System.nanoTime();
        long done = rounds(dispatch, names, TIME);
        result("dispatch-" + side, done * 1e9 / (System.nanoTime() - start));
    }

    private static long rounds(Dispatch dispatch, List<String> names, Duration time) {
        long end = System.nanoTime() + time.toNanos();
        long before = dispatch.done();
        while (System.nanoTime() < end) {
            long goal = dispatch.done() + names.size();
            names.forEach(dispatch::wake);
            while (dispatch.done() < goal) {
                Thread.onSpinWait();
                Thread.yield();
            }
        }
        return dispatch.done() - before;
    }

    // ---- queue and selectors ---------------------------------------------------------------------------------------

    private static void queue() {
        try (Driver driver = RealDriver.create("benchmark")) {
            WorkQueue<String> queue = WorkQueue.create(driver);
            String[] keys = new String[OBJECTS];
            for (int i = 0; i < OBJECTS; i++) {
                keys[i] = "default/web-" + i;
            }
            result("queue", perSecond(() -> {
                for (String key : keys) {
                    queue.add(key);
                }
                int taken = 0;
                for (String key = queue.poll(); key != null; key = queue.poll()) {
                    queue.forget(key);
                    queue.done(key);
                    taken++;
                }
                return taken;
            }));
            queue.shutDown();
        }
    }

    private static void selectors() {
        Map<String, String> labels =
                Map.of("app", "app-42", "tier", "back-end", "pod-template-hash", "5d4f8c7b9", "region", "north");
        List<LabelSelector> all = new ArrayList<>();
        ReverseSelectorIndex<Integer> index = new ReverseSelectorIndex<>();
        for (int i = 0; i < 10_000; i++) {
            LabelSelector selector = LabelSelectors.of(Map.of("app", "app-" + i, "tier", "back-end"));
            all.add(selector);
            index.put(i, selector);
        }
        result("index", 1e9 / perSecond(() -> index.matching(labels).size()));
        result(
                "scan",
                1e9
                        / perSecond(() -> {
                            int found = 0;
                            for (LabelSelector selector : all) {
                                if (selector.matches(labels)) {
                                    found++;
                                }
                            }
                            return found;
                        }));
    }

    /** How often a second the work's unit is done, once it is warm. */
    private static double perSecond(IntSupplier work) {
        count(work, WARM_UP);
        long start = System.nanoTime();
        long done = count(work, TIME);
        return done * 1e9 / (System.nanoTime() - start);
    }

    private static long count(IntSupplier work, Duration time) {
        long end = System.nanoTime() + time.toNanos();
        long done = 0;
        while (System.nanoTime() < end) {
            for (int i = 0; i < 100; i++) {
                done += work.getAsInt();
            }
        }
        return done;
    }

    // ---- memory ----------------------------------------------------------------------------------------------------

    private static void servers() throws InterruptedException {
        Driver driver = RealDriver.create("benchmark");
        List<ApiServerInstance> servers = new ArrayList<>();
        servers.add(ApiServerInstance.start(ApiServerOptions.IN_MEMORY, driver));
        long before = usedBytes();
        for (int i = 0; i < SERVERS; i++) {
            servers.add(ApiServerInstance.start(ApiServerOptions.IN_MEMORY, driver));
        }
        result("server-kilobytes", (usedBytes() - before) / 1024.0 / SERVERS);
        servers.forEach(ApiServerInstance::close);
        driver.close();
    }

    /** Pods as they are in clusters: with their books of managed fields, status and all. */
    private static void fill(Path kubeconfig) throws IOException {
        try (KubernetesClient client = client(kubeconfig);
                InputStream json = Objects.requireNonNull(Measurement.class.getResourceAsStream("pod.json"))) {
            Pod sample = new ObjectMapper().readValue(json, Pod.class);
            client.resource(new ServiceAccountBuilder()
                            .withNewMetadata()
                            .withName("default")
                            .withNamespace("default")
                            .endMetadata()
                            .build())
                    .create();
            for (int i = 0; i < PODS; i++) {
                sample.getMetadata().setName("web-7d4b9c6f58-" + Integer.toString(i + 100_000, 36));
                Pod made = client.pods().inNamespace("default").resource(sample).create();
                made.setStatus(sample.getStatus());
                client.pods().inNamespace("default").resource(made).updateStatus();
            }
        }
    }

    private static void cache(String side, Path kubeconfig) throws Exception {
        // Classes, and what the client keeps for itself, are not a pod's.
        try (Driver driver = RealDriver.create("benchmark")) {
            if (side.equals("trimtab")) {
                FabricClient client =
                        Clients.connect(Config.fromKubeconfig(kubeconfig.toFile()), driver, ClientOptions.DEFAULT);
                try (Manager manager = DefaultManager.builder(driver, client).build()) {
                    manager.informers().informer(ConfigMap.class);
                    manager.start();
                    Thread.sleep(2000);
                    long before = usedBytes();
                    SharedInformer<Pod> pods = manager.informers().informer(Pod.class);
                    await(() -> pods.lister().list().size());
                    result("pod-trimtab", (usedBytes() - before) / (double) PODS);
                    require(pods.lister().list().size());
                }
            } else {
                try (KubernetesClient client = client(kubeconfig);
                        SharedIndexInformer<ConfigMap> first =
                                client.configMaps().inAnyNamespace().inform()) {
                    require(first.hasSynced() ? PODS : 0);
                    long before = usedBytes();
                    try (SharedIndexInformer<Pod> pods =
                            client.pods().inAnyNamespace().inform()) {
                        await(() -> pods.getStore().list().size());
                        result("pod-fabric8", (usedBytes() - before) / (double) PODS);
                        require(pods.getStore().list().size());
                    }
                }
            }
        }
    }

    private static void await(IntSupplier found) throws InterruptedException {
        for (int i = 0; i < 600 && found.getAsInt() < PODS; i++) {
            Thread.sleep(100);
        }
        require(found.getAsInt());
        Thread.sleep(1000);
    }

    private static void require(int found) {
        if (found < PODS) {
            throw new IllegalStateException("expected " + PODS + " pods within a minute, found " + found);
        }
    }

    private static KubernetesClient client(Path kubeconfig) {
        return new KubernetesClientBuilder()
                .withConfig(Config.fromKubeconfig(kubeconfig.toFile()))
                .build();
    }

    private static long usedBytes() throws InterruptedException {
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(200);
        }
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }

    static long residentKilobytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .sum();
    }
}
