package io.trimtab.junit;

import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.utils.HttpClientUtils;
import io.trimtab.client.Client;
import io.trimtab.client.Clients;
import io.trimtab.client.FabricClient;
import io.trimtab.controller.DefaultManager;
import io.trimtab.controller.Manager;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.standalone.AdminAccess;
import io.trimtab.standalone.ClusterOptions;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.opentest4j.TestAbortedException;

/** A cluster in real time, reached by a kubeconfig. For the thread of the test. */
final class RealGround implements AutoCloseable {
    private static final Duration LOOK = Duration.ofMillis(50);
    /** Nothing written for so long counts as rest. */
    private static final Duration REST = Duration.ofMillis(400);

    /** The same where something is under way: on a busy machine a cluster may pause for seconds and go on. */
    private static final Duration LONG_REST = Duration.ofSeconds(10);

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /** A garbage collector hears of a new kind after half a minute, and of an object that waits for it only then. */
    private static final Duration CLEARING = Duration.ofSeconds(90);

    private static final String K3S_IMAGE = "rancher/k3s:v1.34.1-k3s1";

    private final Driver driver;
    private final String kubeconfig;
    private final Config config;
    private final List<AutoCloseable> parts;
    private final List<AutoCloseable> programs = new ArrayList<>();
    /** What the test has made, oldest first. */
    private final List<HasMetadata> made = new ArrayList<>();
    /** The cluster is there after the test, too. */
    private final boolean stays;

    private RealGround(Driver driver, String kubeconfig, List<AutoCloseable> parts) {
        this.driver = driver;
        this.kubeconfig = kubeconfig;
        this.config = Config.fromKubeconfig(kubeconfig);
        this.parts = parts;
        this.stays = parts.isEmpty();
    }

    /** @throws TestAbortedException if there is no such backend here, with the reason */
    static RealGround start(Backend backend, ClusterOptions options) {
        return switch (backend) {
            case VIRTUAL -> throw new IllegalArgumentException("that is no real ground");
            case HTTP -> http(options);
            case KUBECONFIG -> new RealGround(RealDriver.create(), kubeconfig(), List.of());
            case K3S -> k3s();
        };
    }

    private static RealGround http(ClusterOptions options) {
        RealDriver driver = RealDriver.create();
        io.trimtab.standalone.Cluster cluster = io.trimtab.standalone.Cluster.start(
                options.withApiServer(options.apiServer().withPorts(0, -1)), driver);
        if (!cluster.awaitReady(PATIENCE)) {
            cluster.close();
            driver.close();
            throw new IllegalStateException("a cluster did not become ready within " + PATIENCE + ": " + options);
        }
        return new RealGround(driver, AdminAccess.kubeconfig(cluster.apiServer()), List.of(cluster));
    }

    private static String kubeconfig() {
        String file = System.getProperty("trimtab.kubeconfig", System.getenv("KUBECONFIG"));
        if (file == null || file.isBlank()) {
            throw new TestAbortedException(
                    "no kubeconfig: set -Dtrimtab.kubeconfig=FILE or KUBECONFIG to run on a cluster of your own");
        }
        try {
            return Files.readString(Path.of(file));
        } catch (IOException e) {
            throw new TestAbortedException("the kubeconfig " + file + " cannot be read: " + e, e);
        }
    }

    /** By reflection: users who never run it need not have it. */
    private static RealGround k3s() {
        try {
            Class<?> docker = Class.forName("org.testcontainers.DockerClientFactory");
            Object factory = docker.getMethod("instance").invoke(null);
            if (!(Boolean) docker.getMethod("isDockerAvailable").invoke(factory)) {
                throw new TestAbortedException("no Docker here: K3s runs in a container");
            }
            Class<?> imageName = Class.forName("org.testcontainers.utility.DockerImageName");
            Object image = imageName
                    .getMethod("parse", String.class)
                    .invoke(null, System.getProperty("trimtab.k3s.image", K3S_IMAGE));
            Class<?> type = Class.forName("org.testcontainers.k3s.K3sContainer");
            AutoCloseable container =
                    (AutoCloseable) type.getConstructor(imageName).newInstance(image);
            type.getMethod("start").invoke(container);
            return new RealGround(
                    RealDriver.create(),
                    (String) type.getMethod("getKubeConfigYaml").invoke(container),
                    List.of(container));
        } catch (ClassNotFoundException e) {
            throw new TestAbortedException(
                    "Testcontainers' k3s module is not on the class path: build with the Maven profile k3s, or add"
                            + " org.testcontainers:k3s to the tests",
                    e);
        } catch (InvocationTargetException e) {
            throw new TestAbortedException("K3s does not start: " + e.getCause(), e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("Testcontainers is not as expected: " + e, e);
        }
    }

    Driver driver() {
        return driver;
    }

    String kubeconfigText() {
        return kubeconfig;
    }

    Config config() {
        return config;
    }

    KubernetesClient client() {
        return new KubernetesClientBuilder().withConfig(config).build();
    }

    FabricClient own(String component) {
        return Clients.connect(config, driver).clientFor(component);
    }

    void sleep(Duration time) {
        try {
            driver.await(new CompletableFuture<>(), time);
        } catch (TimeoutException expected) {
            // that is how one waits for nothing but time
        }
    }

    /** Notes an object that was not there before the test. */
    void made(HasMetadata object) {
        made.add(object);
    }

    /**
     * Leaves a cluster that others use as it was: deletes what the test has made, newest first, while its programs run.
     *
     * @throws IllegalStateException if something stays
     */
    void clear(KubernetesClient client) {
        if (!stays) {
            return;
        }
        List<HasMetadata> left = new ArrayList<>();
        for (int i = made.size() - 1; i >= 0; i--) {
            HasMetadata object = made.get(i);
            client.resource(object)
                    .withPropagationPolicy(DeletionPropagation.FOREGROUND)
                    .delete();
            // A definition takes its objects along: they must have gone before it, with what looks after them.
            if (!runUntil(() -> isGone(client, object), CLEARING)) {
                left.add(object);
            }
        }
        made.clear();
        if (!left.isEmpty()) {
            throw new IllegalStateException("after " + CLEARING + " these were still there: "
                    + left.stream()
                            .map(object -> object.getKind() + " "
                                    + object.getMetadata().getNamespace() + "/"
                                    + object.getMetadata().getName() + ", finalizers "
                                    + object.getMetadata().getFinalizers())
                            .toList());
        }
    }

    private static boolean isGone(KubernetesClient client, HasMetadata object) {
        HasMetadata now = find(client, object);
        String uid = object.getMetadata().getUid();
        return now == null || uid != null && !uid.equals(now.getMetadata().getUid());
    }

    private static @Nullable HasMetadata find(KubernetesClient client, HasMetadata object) {
        try {
            return client.resource(object).get();
        } catch (KubernetesClientException e) {
            if (e.getCode() == 404) {
                return null; // its definition has gone
            }
            throw e;
        }
    }

    /** Until nobody has written anything for a while; a while longer if something is visibly under way. */
    void settle(KubernetesClient client) {
        long end = driver.nanoTime() + PATIENCE.toNanos();
        State state = state(client);
        long since = driver.nanoTime();
        while (driver.nanoTime() < end && driver.nanoTime() - since < (state.underWay() ? LONG_REST : REST).toNanos()) {
            sleep(LOOK);
            State now = state(client);
            if (!now.equals(state)) {
                state = now;
                since = driver.nanoTime();
            }
        }
    }

    /**
     * @param revisions of what a user sees: leases and heartbeats go on for ever
     * @param underWay a controller, the scheduler or a node has still to do something
     */
    private record State(List<String> revisions, boolean underWay) {}

    private State state(KubernetesClient client) {
        List<HasMetadata> all = new ArrayList<>(
                client.apps().deployments().inAnyNamespace().list().getItems());
        boolean underWay = all.stream()
                .map(Deployment.class::cast)
                .anyMatch(deployment -> deployment.getStatus() == null
                        || !Objects.equals(
                                deployment.getStatus().getObservedGeneration(),
                                deployment.getMetadata().getGeneration())
                        || !Objects.equals(
                                Objects.requireNonNullElse(
                                        deployment.getStatus().getAvailableReplicas(), 0),
                                deployment.getSpec().getReplicas()));
        List<Pod> pods = client.pods().inAnyNamespace().list().getItems();
        underWay |= pods.stream()
                .anyMatch(pod -> pod.getMetadata().getDeletionTimestamp() != null
                        || pod.getStatus() == null
                        || "Pending".equals(pod.getStatus().getPhase()));
        all.addAll(pods);
        all.addAll(client.configMaps().inAnyNamespace().list().getItems());
        all.addAll(client.services().inAnyNamespace().list().getItems());
        for (HasMetadata object : made) {
            HasMetadata now = find(client, object);
            if (now != null) {
                all.add(now);
                underWay |= now.getMetadata().getDeletionTimestamp() != null;
            }
        }
        return new State(
                all.stream()
                        .map(object -> object.getMetadata().getUid() + " "
                                + object.getMetadata().getResourceVersion())
                        .toList(),
                underWay);
    }

    boolean runUntil(BooleanSupplier condition, Duration limit) {
        long end = driver.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (driver.nanoTime() > end) {
                return false;
            }
            sleep(LOOK);
        }
        return true;
    }

    void run(String name, Program program) {
        Process process = new Process(name);
        programs.add(process);
        try {
            process.running = program.start(process);
        } catch (Exception e) {
            throw new IllegalStateException("the program " + name + " did not start: " + e, e);
        }
    }

    @Override
    public void close() {
        List<AutoCloseable> all = new ArrayList<>(programs);
        all.addAll(parts);
        all.add(driver);
        for (AutoCloseable part : all) {
            try {
                part.close();
            } catch (Exception e) {
                throw new IllegalStateException("a part did not close: " + e, e);
            }
        }
    }

    void write(Path file) {
        try {
            Files.writeString(file, kubeconfig, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** What a program is given in real time: the same, without a gate. */
    private final class Process implements Surroundings, AutoCloseable {
        private final String name;
        private final KubernetesClient client = RealGround.this.client();
        private final FabricClient api;
        private @Nullable Manager manager;
        private @Nullable AutoCloseable running;

        Process(String name) {
            this.name = name;
            this.api = own(name);
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public KubernetesClient client() {
            return client;
        }

        @Override
        public HttpClient.Factory transport() {
            return HttpClientUtils.getHttpClientFactory();
        }

        @Override
        public Client api() {
            return api;
        }

        @Override
        public Manager manager() {
            Manager made = manager;
            if (made == null) {
                made = DefaultManager.builder(driver, api).build();
                manager = made;
            }
            return made;
        }

        @Override
        public Driver driver() {
            return driver;
        }

        @Override
        public void close() throws Exception {
            if (running != null) {
                running.close();
            }
            client.close();
            api.close();
        }
    }
}
