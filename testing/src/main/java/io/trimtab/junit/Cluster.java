package io.trimtab.junit;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.autoscaling.v1.Scale;
import io.fabric8.kubernetes.api.model.autoscaling.v1.ScaleBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.callout.CalloutTransport;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.client.Client;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.FabricClient;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.junit.fault.Fault;
import io.trimtab.node.simulated.Simulation;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.ClusterOptions;
import io.trimtab.webhook.Webhooks;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.TestAbortedException;

/**
 * A whole cluster in virtual time, as a test holds it. Nothing happens in it, and its clock stands still, until the test calls
 * {@link #settle}, {@link #advance} or {@link #runUntil}: then controllers, scheduler and nodes work on the test's own thread.
 * Reads and writes are answered at once. Methods that change something return the cluster, to be chained. For one thread.
 *
 * <pre>{@code
 * cluster.apply(Workloads.deployment("web", 3)).settle();
 * assertThat(cluster.pods("web")).hasSize(3).allMatch(Pods::isReady);
 * }</pre>
 *
 * @since 0.1
 */
public final class Cluster implements AutoCloseable {
    /** Containers that start and stop in no time; images that nobody has are still missed. */
    static final Simulation INSTANT =
            new Simulation(Duration.ZERO, Duration.ZERO, Duration.ZERO, Simulation.DEFAULT.unknownImages());

    static final UserInfo ADMIN = UserInfo.of("admin", UserInfo.MASTERS_GROUP, UserInfo.AUTHENTICATED_GROUP);
    private static final String FIELD_MANAGER = "trimtab-junit";
    /** Prefix of the annotations by which faults write to objects that a program is about to write to. */
    static final String MEDDLER = "meddler.trimtab.io/";
    /** Fabric8's clients are told to reconnect after a millisecond; they double that a few times. */
    private static final Duration RECONNECT = Duration.ofMillis(30);
    /** Longer than the back-offs that a few failures in a row lead to. */
    private static final Duration BREATH = Duration.ofSeconds(40);
    /** A silent node comes back within it, and is found to. */
    private static final Duration NODE_BREATH = Duration.ofSeconds(150);

    private final ClusterOptions options;
    /** Null in virtual time. */
    private final @Nullable RealGround real;
    /** Null in real time. */
    private final io.trimtab.standalone.@Nullable Cluster parts;

    private final VirtualDriver driver;
    private final long seed;
    private final KubernetesClient client;
    private final FabricClient own;
    private final Run run;
    private final Set<Oracle> without;
    private final History history;
    private final FaultPlan faults;
    private final Orders orders;
    private final Oracles oracles;
    private final List<Instance> instances = new ArrayList<>();
    private final Set<String> stopped = new LinkedHashSet<>();
    private final List<Cluster> forks = new ArrayList<>();
    private final Set<String> stoppedByFaults = new LinkedHashSet<>();
    private @Nullable OpenDoor door;
    private boolean failed;

    private Cluster(
            ClusterOptions options,
            io.trimtab.standalone.Cluster cluster,
            VirtualDriver driver,
            long seed,
            Run run,
            Set<Oracle> without,
            Orders orders) {
        this.real = null;
        this.orders = orders;
        this.options = options;
        this.parts = cluster;
        this.driver = driver;
        this.seed = seed;
        this.run = run;
        this.without = without;
        this.history = new History(driver::now);
        this.faults = new FaultPlan(run.faults(), run.seed(), run.crash());
        this.oracles = new Oracles(this, without);
        Bystanders.listenIn(this);
        this.client = cluster.apiServer().adminClient();
        this.own = cluster.apiServer()
                .transport()
                .client(ADMIN, ClientOptions.DEFAULT)
                .clientFor(FIELD_MANAGER);
    }

    /**
     * A cluster whose nodes are ready and whose controllers have come to rest. The first one of a configuration takes a moment;
     * the others are forks of it.
     */
    public static Cluster start(ClusterOptions options, VirtualDriver.Options driver) {
        return start(options, driver, Run.good(driver.seed()), Set.of());
    }

    static Cluster start(ClusterOptions options, VirtualDriver.Options driver, Run run, Set<Oracle> without) {
        Templates.Template template = Templates.of(options);
        Orders orders = new Orders(run.schedule() == null ? Schedule.ORDINARY : run.schedule());
        // A shuffled run has no ordinary order from which another could depart.
        VirtualDriver own = VirtualDriver.create(
                driver.withStart(template.driver().now()).withChooser(driver.shuffle() ? null : orders));
        Cluster started =
                new Cluster(options, template.cluster().fork(own), own, driver.seed(), run, without, orders).settle();
        started.faults.strike(started);
        orders.begin();
        return started;
    }

    /** Three nodes, all controllers, seed 1. */
    public static Cluster start() {
        return start(ClusterOptions.IN_MEMORY.withSimulation(INSTANT), VirtualDriver.Options.DEFAULT);
    }

    /** One in real time. */
    static Cluster on(RealGround ground) {
        return new Cluster(ground);
    }

    private Cluster(RealGround ground) {
        this.real = ground;
        this.options = ClusterOptions.IN_MEMORY;
        this.parts = null;
        this.driver = VirtualDriver.create(); // nobody is told of it
        this.seed = 0;
        this.run = Run.good(0);
        this.without = Set.of();
        this.history = new History(ground.driver()::now);
        this.faults = FaultPlan.none();
        this.orders = new Orders(Schedule.ORDINARY);
        this.oracles = new Oracles(this, without);
        this.client = ground.client();
        this.own = ground.own(FIELD_MANAGER);
    }

    static List<String> nodeNames(int count) {
        return IntStream.rangeClosed(1, count).mapToObj(i -> "node-" + i).toList();
    }

    /** A range that has 256 addresses for each node. */
    static String podCidr(int nodes) {
        return nodes <= 256 ? ClusterOptions.IN_MEMORY.podCidr() : nodes <= 4096 ? "172.16.0.0/12" : "10.0.0.0/9";
    }

    static List<String> selection(String controllers) {
        return Arrays.stream(controllers.split(","))
                .map(String::strip)
                .filter(name -> !name.isEmpty())
                .toList();
    }

    // ---- Time ------------------------------------------------------------------------------------------------------

    /**
     * Lets everybody work until nobody has anything to do at this moment. Time does not move; unless faults strike, whose
     * consequences take time: then it moves until they are over.
     *
     * @throws OracleViolation if a program does what no controller may
     */
    public Cluster settle() {
        if (real != null) {
            real.settle(client);
            return this;
        }
        driver.settle();
        calm();
        oracles.raise();
        return this;
    }

    /** Lets this much time pass, with everybody working as they fall due. */
    public Cluster advance(Duration time) {
        if (real != null) {
            real.sleep(time);
            return this;
        }
        driver.advance(time);
        calm();
        oracles.raise();
        return this;
    }

    /**
     * Lets time pass from one thing that falls due to the next, until the condition holds.
     *
     * @throws AssertionError if it does not within the limit
     */
    public Cluster runUntil(BooleanSupplier condition, Duration limit) {
        Instant began = now();
        boolean held = real != null ? real.runUntil(condition, limit) : driver.runUntil(condition, limit);
        oracles.raise();
        if (!held) {
            throw new AssertionError(
                    "what was waited for since " + began + " did not come within " + limit + "\n" + describe());
        }
        return this;
    }

    /** Waits until what went wrong has had its consequences. */
    private void calm() {
        if (!faults.isActive()) {
            return;
        }
        // Each kind of fault strikes a few times only, so this ends.
        do {
            while (faults.takeDisturbed()) {
                awaitReconnects();
                driver.advance(run.faults().contains(Fault.NODE_LOSS) ? NODE_BREATH : BREATH);
            }
        } while (Recreation.strike(this));
    }

    /** Fabric8 reconnects its watches on threads of its own, in real time. */
    void awaitReconnects() {
        for (Instance program : instances) {
            Life life = program.life();
            if (life != null && life.usesFabric8()) {
                driver.settle();
                while (driver.awaitOutsiders(RECONNECT)) {
                    driver.settle();
                }
            }
        }
    }

    /** What the clock of this cluster shows. */
    public Instant now() {
        return real != null ? real.driver().now() : driver.now();
    }

    /**
     * Runs the cluster's steps.
     *
     * @throws TestAbortedException in real time
     */
    public VirtualDriver driver() {
        if (real != null) {
            throw new TestAbortedException("this needs the virtual backend");
        }
        return driver;
    }

    // ---- The whole -------------------------------------------------------------------------------------------------

    /**
     * A copy of this cluster that goes its own way from here: the same objects, the same moment, its own controllers and nodes.
     * Copying the objects takes constant time. Steps that are due here are not taken along; the copy's controllers find out by
     * themselves what there is to do. The same fork of the same run is the same again. Closed with this cluster.
     */
    public Cluster fork() {
        // A seed of its own: with this one's it would give out the UIDs that this one has given out already.
        long child = mix(seed ^ mix(forks.size() + 1) ^ mix(driver.stepsRun()));
        VirtualDriver own = VirtualDriver.create(
                driver.options().withStart(driver.now()).withSeed(child).withChooser(null));
        Cluster copy = new Cluster(
                options, parts().fork(own), own, child, Run.good(child), without, new Orders(Schedule.ORDINARY));
        stopped.forEach(copy::stopNode);
        instances.forEach(program -> copy.start(new Instance(copy, program.name(), program.program(), program.user())));
        forks.add(copy);
        return copy;
    }

    /** Closes a fork before this cluster is closed. */
    void drop(Cluster fork) {
        forks.remove(fork);
        fork.close();
    }

    /** The finalizer of SplitMix64: neighbours become strangers. */
    static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /**
     * Runs a controller in this cluster, as a program of its own that is called after it. Its clients may do everything; if it is
     * named as one of Kubernetes' controllers is, what that one may do.
     */
    public Cluster run(Function<Manager, Controller> controller) {
        return start(new Instance(this, "", Program.of(controller), ADMIN));
    }

    /** Runs a program in this cluster, which may do everything. */
    public Cluster run(String name, Program program) {
        return start(new Instance(this, unused(name), program, ADMIN));
    }

    /**
     * Runs a program in this cluster under a role: what that does not allow is refused, and fails the test; so does what it
     * allows and the program does not use. The role is applied and bound to the ServiceAccount {@code default/NAME}.
     */
    public Cluster run(String name, ClusterRole role, Program program) {
        return start(Roles.bound(this, unused(name), role, program));
    }

    /** The same for a role in a YAML text: its first ClusterRole. */
    public Cluster run(String name, String role, Program program) {
        return run(name, Roles.read(this, role), program);
    }

    private String unused(String name) {
        if (instance(name).isPresent()) {
            throw new IllegalArgumentException("there is a program named " + name + " already");
        }
        return name;
    }

    private Cluster start(Instance program) {
        if (real != null) {
            real.run(program.name(), program.program());
            return this;
        }
        instances.add(program);
        program.start();
        return this;
    }

    /**
     * Answers the API server's calls to a webhook by these functions, without a socket, a certificate or a Service.
     *
     * @param authority what the server would call: {@code name.namespace.svc} for a Service, host and port for a URL
     */
    public Cluster answer(String authority, Webhooks webhooks) {
        parts().apiServer().callouts().register(authority, request -> {
            String url = request.url();
            int path = url.indexOf('/', url.indexOf("://") + 3);
            int query = url.indexOf('?', path);
            Webhooks.Answer answer =
                    webhooks.handle(url.substring(path, query < 0 ? url.length() : query), request.body());
            return new CalloutTransport.Reply(
                    answer.code(), Map.of("content-type", List.of(answer.contentType())), answer.body());
        });
        return this;
    }

    /** The program of this name, as a process: to crash it, to cut it off, to see which rights it used. */
    public Instance program(String name) {
        return instance(name)
                .orElseThrow(() -> new IllegalArgumentException("expected a program named " + name + ", there are: "
                        + instances.stream().map(Instance::name).toList()));
    }

    Optional<Instance> instance(String name) {
        return instances.stream().filter(program -> program.name().equals(name)).findFirst();
    }

    List<Instance> instances() {
        return List.copyOf(instances);
    }

    /** What a program would do here, found out on a copy: its writes, and how they would change the objects. */
    public Plan plan(String name, Program program) {
        return Plan.in(this, name, program);
    }

    /**
     * Copies objects of a live cluster as they are there, status and UIDs included, without asking admission. Objects that are here
     * already stay as they are.
     *
     * @param live is only read from
     */
    @SafeVarargs
    public final Cluster importFrom(KubernetesClient live, Class<? extends HasMetadata>... types) {
        Imports.copy(this, live, types);
        return this;
    }

    /** Serves custom resources, by their classes. Needs Fabric8's crd-generator-api-v2 on the class path. */
    @SafeVarargs
    public final Cluster define(Class<? extends CustomResource<?, ?>>... resources) {
        try {
            CustomResources.of(resources).forEach(this::apply);
        } catch (NoClassDefFoundError e) {
            throw new IllegalStateException(
                    "to make definitions of classes, add io.fabric8:crd-generator-api-v2 to the tests' dependencies",
                    e);
        }
        return settle();
    }

    /** Applies a YAML file: of the class path or, if there is none of this name, of the project. */
    public Cluster applyFile(String file) {
        try (InputStream resource =
                Thread.currentThread().getContextClassLoader().getResourceAsStream(file)) {
            String text = resource != null
                    ? new String(resource.readAllBytes(), StandardCharsets.UTF_8)
                    : Files.readString(Path.of(file), StandardCharsets.UTF_8);
            return apply(text).settle();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    /**
     * How to reach this cluster from outside, as text. In virtual time its server listens from the first such call on; reads and
     * writes are answered at once, watches while the cluster is driven.
     */
    public String kubeconfig() {
        if (real != null) {
            return real.kubeconfigText();
        }
        OpenDoor open = door;
        if (open == null) {
            open = OpenDoor.open(parts().apiServer());
            door = open;
        }
        return open.kubeconfig();
    }

    /** The same as a file, which is deleted with the cluster. */
    Path kubeconfigFile() {
        try {
            Path file = Files.createTempFile("trimtab", ".kubeconfig");
            file.toFile().deleteOnExit();
            return Files.writeString(file, kubeconfig(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What has happened so far, and why. */
    public History history() {
        return history;
    }

    /** Why an object is as it is: its last write, what led to that, and so on, the newest first, one a line. */
    public String why(HasMetadata object) {
        return String.join("\n", history.why(object));
    }

    FaultPlan faults() {
        return faults;
    }

    Oracles oracles() {
        return oracles;
    }

    /** What drives the cluster. */
    VirtualDriver time() {
        return driver;
    }

    List<String> nodes() {
        return options.nodes();
    }

    void healNodes() {
        List.copyOf(stoppedByFaults).forEach(this::resumeNode);
    }

    /** How to have this run again. */
    String replay() {
        return run.replay();
    }

    Run thisRun() {
        return run;
    }

    /** Called before each request of a program: others may come first. */
    void beforeRequest(RequestInfo info, boolean write) {
        int steps = orders.stepsBeforeRequest();
        if (orders.callsBack()) {
            steps += driver.callBack();
        }
        if (steps == 0) {
            return;
        }
        int before = history.enter(0);
        try {
            if (driver.isDriving()) {
                driver.stepInside(steps);
            } else {
                for (int i = 0; i < steps && driver.step(); i++) {
                    // Somebody else's.
                }
            }
        } finally {
            history.enter(before);
        }
    }

    /** From here on steps run in their ordinary order. */
    void ordinaryOrder() {
        orders.end();
    }

    boolean mayJudge(Oracle oracle) {
        return !without.contains(oracle);
    }

    /** How many decisions about the order of steps there were. */
    int decisions() {
        return orders.decisions();
    }

    /** Where the order of steps departed from the ordinary one. */
    Schedule taken() {
        return orders.taken();
    }

    boolean hasRole(Instance program) {
        return program.user() != ADMIN;
    }

    List<String> unusedRights(Instance program) {
        return Roles.unused(this, program);
    }

    @Nullable
    StoredObject stored(String group, String version, String resource, String namespace, String name) {
        var server = parts().apiServer().server();
        Served served = server.resources().find(group, version, resource);
        return served == null || name.isEmpty()
                ? null
                : server.storage().get(served.storage(), namespace, name).orElse(null);
    }

    @Nullable
    StoredObject storedAnyVersion(History.Target target) {
        return parts().apiServer()
                .server()
                .resources()
                .preferred(target.group(), target.resource())
                .map(resource -> stored(
                        resource.group(), resource.version(), resource.plural(), target.namespace(), target.name()))
                .orElse(null);
    }

    /** Whether the object that an owner reference names is there, with its UID. */
    boolean isAlive(JsonNode owner, String namespace) {
        String apiVersion = owner.path("apiVersion").asText();
        int slash = apiVersion.indexOf('/');
        Served served = parts().apiServer()
                .server()
                .resources()
                .findByKind(
                        slash < 0 ? "" : apiVersion.substring(0, slash),
                        apiVersion.substring(slash + 1),
                        owner.path("kind").asText());
        if (served == null) {
            return false;
        }
        StoredObject found = parts().apiServer()
                .server()
                .storage()
                .get(
                        served.storage(),
                        served.resource().namespaced() ? namespace : "",
                        owner.path("name").asText())
                .orElse(null);
        return found != null && found.uid().equals(owner.path("uid").asText());
    }

    /** Somebody else writes to the object that a program is about to write to. */
    void meddle(RequestInfo info, int number) {
        StoredObject now = stored(info.group(), info.version(), info.resource(), info.namespace(), info.name());
        if (now == null) {
            return;
        }
        history.note(
                "fault", "somebody else writes to " + History.Target.of(info).object());
        int before = history.enter(history.size());
        try {
            Bystanders.patch(
                    this, info, "{\"metadata\":{\"annotations\":{\"" + MEDDLER + number + "\":\"was here\"}}}");
        } finally {
            history.enter(before);
        }
    }

    /** Silences a simulated node, as if its plug were pulled. */
    public Cluster stopNode(String name) {
        stopped.add(name);
        parts().stopNode(name);
        return this;
    }

    void loseNode(String name) {
        if (!stopped.contains(name)) {
            stoppedByFaults.add(name);
            stopNode(name);
        }
    }

    /** Brings a silenced node back. */
    public Cluster resumeNode(String name) {
        stopped.remove(name);
        stoppedByFaults.remove(name);
        parts().resumeNode(name);
        return this;
    }

    /** A Fabric8 client that may do everything. What it waits for comes only while the cluster is driven. */
    public KubernetesClient client() {
        return client;
    }

    /** A client of ours that may do everything. */
    public Client api() {
        return own;
    }

    /**
     * The parts of which this cluster is made.
     *
     * @throws TestAbortedException in real time
     */
    public io.trimtab.standalone.Cluster parts() {
        io.trimtab.standalone.Cluster known = parts;
        if (known == null) {
            throw new TestAbortedException("this needs the virtual backend");
        }
        return known;
    }

    // ---- Writing ---------------------------------------------------------------------------------------------------

    /** Makes the cluster's object as this one says, by server-side apply; creates it if it is not there. */
    public Cluster apply(HasMetadata... objects) {
        for (HasMetadata object : objects) {
            String managed = FIELD_MANAGER;
            HasMetadata intent = client.getKubernetesSerialization().clone(object);
            if (real != null && client.resource(intent).get() == null) {
                real.made(intent);
            }
            intent.getMetadata().setManagedFields(null);
            intent.getMetadata().setResourceVersion(null);
            client.resource(intent)
                    .patch(
                            new PatchContext.Builder()
                                    .withPatchType(PatchType.SERVER_SIDE_APPLY)
                                    .withFieldManager(managed)
                                    .withForce(true)
                                    .build(),
                            intent);
        }
        return this;
    }

    /** The same for each document of a YAML text. */
    public Cluster apply(String yaml) {
        client.load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)))
                .items()
                .forEach(this::apply);
        return this;
    }

    /** Creates an object; returns it as stored. Without a namespace, it goes to {@code default}. */
    public <T extends HasMetadata> T create(T object) {
        T stored = client.resource(object).create();
        if (real != null) {
            real.made(stored);
        }
        return stored;
    }

    /** Reads the object anew, changes it, and writes it back; returns it as stored. */
    public <T extends HasMetadata> T edit(T object, Consumer<T> change) {
        T now = refresh(object);
        change.accept(now);
        return client.resource(now).update();
    }

    /** The same for its status. */
    public <T extends HasMetadata> T editStatus(T object, Consumer<T> change) {
        T now = refresh(object);
        change.accept(now);
        return client.resource(now).updateStatus();
    }

    /** Sets how many pods a Deployment, ReplicaSet, ReplicationController or StatefulSet is to have. */
    public Cluster scale(HasMetadata object, int replicas) {
        Scale scale = new ScaleBuilder()
                .withNewMetadata()
                .withName(object.getMetadata().getName())
                .withNamespace(namespace(object))
                .endMetadata()
                .withNewSpec()
                .withReplicas(replicas)
                .endSpec()
                .build();
        own.updateSubresource(
                ResourceType.of(object.getClass()),
                namespace(object),
                object.getMetadata().getName(),
                "scale",
                scale,
                Scale.class);
        return this;
    }

    /** Deletes an object as kubectl does: what it owns goes after it. */
    public Cluster delete(HasMetadata object) {
        return delete(object, DeletionPropagation.BACKGROUND);
    }

    /** Deletes an object. */
    public Cluster delete(HasMetadata object, DeletionPropagation dependents) {
        client.resource(object).withPropagationPolicy(dependents).delete();
        return this;
    }

    // ---- Reading ---------------------------------------------------------------------------------------------------

    /** An object of the namespace {@code default}, or of none. */
    public <T extends HasMetadata> Optional<T> get(Class<T> type, String name) {
        return get(type, "default", name);
    }

    /** An object; for one of no namespace, the namespace does not matter. */
    public <T extends HasMetadata> Optional<T> get(Class<T> type, String namespace, String name) {
        boolean namespaced = Namespaced.class.isAssignableFrom(type);
        return namespaced
                ? Optional.ofNullable(client.resources(type)
                        .inNamespace(namespace)
                        .withName(name)
                        .get())
                : Optional.ofNullable(client.resources(type).withName(name).get());
    }

    /**
     * The object as it is now.
     *
     * @throws AssertionError if it is gone
     */
    public <T extends HasMetadata> T refresh(T object) {
        T now = client.resource(object).get();
        if (now == null) {
            throw new AssertionError("expected " + name(object) + " to exist, but it is gone\n" + describe());
        }
        return now;
    }

    /** Whether there is an object with this one's name; and with its UID, if it has one. */
    public boolean exists(HasMetadata object) {
        HasMetadata now = client.resource(object).get();
        String uid = object.getMetadata().getUid();
        return now != null && (uid == null || uid.equals(now.getMetadata().getUid()));
    }

    /** All objects of a type, in all namespaces, by name. */
    public <T extends HasMetadata> List<T> list(Class<T> type) {
        return Namespaced.class.isAssignableFrom(type)
                ? client.resources(type).inAnyNamespace().list().getItems()
                : client.resources(type).list().getItems();
    }

    /** All objects of a type in a namespace, by name. */
    public <T extends HasMetadata> List<T> list(Class<T> type, String namespace) {
        return client.resources(type).inNamespace(namespace).list().getItems();
    }

    /** All pods, of all namespaces. */
    public List<Pod> pods() {
        return list(Pod.class);
    }

    /** The pods that belong to this object: directly, or by a ReplicaSet or Job of its. */
    public List<Pod> pods(HasMetadata owner) {
        String uid = owner.getMetadata().getUid() != null
                ? owner.getMetadata().getUid()
                : refresh(owner).getMetadata().getUid();
        return podsOf(namespace(owner), reference -> uid.equals(reference.getUid()));
    }

    /** The pods in {@code default} that belong to an object of this name: directly, or by a ReplicaSet or Job of its. */
    public List<Pod> pods(String owner) {
        return podsOf("default", reference -> owner.equals(reference.getName()));
    }

    private List<Pod> podsOf(String namespace, Predicate<OwnerReference> owner) {
        Set<String> between = new HashSet<>();
        List<HasMetadata> owned = new ArrayList<>(list(ReplicaSet.class, namespace));
        owned.addAll(list(Job.class, namespace));
        owned.stream()
                .filter(object ->
                        object.getMetadata().getOwnerReferences().stream().anyMatch(owner))
                .forEach(object -> between.add(object.getMetadata().getUid()));
        return list(Pod.class, namespace).stream()
                .filter(pod -> pod.getMetadata().getOwnerReferences().stream()
                        .anyMatch(owner.or(reference -> between.contains(reference.getUid()))))
                .toList();
    }

    /** What was recorded about an object, oldest first. */
    public List<Event> events(HasMetadata object) {
        String uid = object.getMetadata().getUid() != null
                ? object.getMetadata().getUid()
                : refresh(object).getMetadata().getUid();
        String namespace = object instanceof Namespaced ? namespace(object) : "default";
        return list(Event.class, namespace).stream()
                .filter(event -> uid.equals(event.getInvolvedObject().getUid()))
                .sorted(BY_TIME)
                .toList();
    }

    static final Comparator<Event> BY_TIME = Comparator.comparing((Event event) -> event.getFirstTimestamp() != null
                    ? event.getFirstTimestamp()
                    : String.valueOf(event.getMetadata().getCreationTimestamp()))
            .thenComparing(event -> Long.parseLong(event.getMetadata().getResourceVersion()));

    private static String namespace(HasMetadata object) {
        String namespace = object.getMetadata().getNamespace();
        return namespace == null || namespace.isEmpty() ? "default" : namespace;
    }

    static String name(HasMetadata object) {
        String namespace = object.getMetadata().getNamespace();
        return object.getKind() + " " + (namespace == null ? "" : namespace + "/")
                + object.getMetadata().getName();
    }

    // ---- Judging ---------------------------------------------------------------------------------------------------

    /**
     * Checks what must hold of every cluster: no step has failed, no pod has outlived its owner, and of its programs whatever
     * {@link Oracle} claims. Lets some time pass for that, starts programs anew, and ends them: call it last.
     *
     * @throws AssertionError if something does not hold, with the seed and what is pending
     */
    public Cluster assertSound() {
        judge();
        return this;
    }

    /** Judges everything, and says what the programs have left; the cluster's programs have ended then. */
    EndState judge() {
        if (real != null) {
            return EndState.NONE;
        }
        EndState end = Verdict.of(this);
        Invariants.check(this, options);
        forks.forEach(Cluster::assertSound);
        return end;
    }

    /** How this cluster is: seed, time, what is pending, pods, the last events. For messages. */
    public String describe() {
        if (real != null) {
            return toString();
        }
        return Description.of(this, seed);
    }

    /** What else is to be told of a failed test: how to have it again, and where its timeline is. */
    String aftermath(ExtensionContext context, Throwable failure) {
        StringBuilder text = new StringBuilder("\n  this run: " + run.describe() + "; " + run.replay());
        if (run.schedule() != null) {
            text.append("\n  as a test:\n").append(Replays.asTest(context, run).indent(4));
        }
        try {
            Path file = Timeline.write(
                    history,
                    context.getDisplayName() + " (" + run.describe() + ")",
                    String.valueOf(failure.getMessage()),
                    Path.of(System.getProperty("trimtab.timelines", "target/trimtab")),
                    context.getRequiredTestClass().getSimpleName() + "."
                            + context.getRequiredTestMethod().getName() + "-" + run.describe());
            text.append("\n  its timeline: ").append(file.toAbsolutePath());
        } catch (IOException e) {
            text.append("\n  its timeline could not be written: ").append(e);
        }
        return text.toString();
    }

    /** This cluster's history as one HTML file that needs nothing else: a column for each actor, causes by a click. */
    public String timeline() {
        return Timeline.html(history, toString(), "");
    }

    /** Notes that the test has failed: the cluster is not asked for more than a description. */
    void failed() {
        failed = true;
    }

    /** Stops everything; forks too. */
    @Override
    public void close() {
        if (real != null) {
            try {
                real.clear(client);
            } finally {
                client.close();
                own.close();
                real.close();
            }
            return;
        }
        forks.forEach(Cluster::close);
        oracles.end();
        faults.end();
        instances.forEach(Instance::crash);
        if (door != null) {
            door.close();
        }
        client.close();
        own.close();
        if (!failed) {
            parts().close();
        }
        driver.close();
    }

    @Override
    public String toString() {
        return real != null ? "cluster in real time" : "cluster, seed " + seed + ", at " + driver.now();
    }
}
