package io.trimtab.node.simulated;

import com.google.common.hash.Hashing;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.LifecycleHandler;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Probe;
import io.trimtab.node.network.ClusterView;
import io.trimtab.node.network.Fabric;
import io.trimtab.node.network.Listener;
import io.trimtab.node.network.Names;
import io.trimtab.node.network.Protocol;
import io.trimtab.node.network.Servers;
import io.trimtab.node.runtime.ContainerRuntime;
import io.trimtab.node.runtime.ContainerSetup;
import io.trimtab.runtime.Driver;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Pretends to run containers, for any number of nodes. What happens when is decided by {@link Simulation}, the pod's annotations
 * and {@link Commands}; timers of the driver make it happen. Safe for use by any thread; calls back on threads of the driver.
 */
public final class SimulatedRuntime implements ContainerRuntime, Servers {
    private static final Pattern TIME = Pattern.compile("(\\d+(?:\\.\\d+)?)(ms|s|m|h)");
    /** What a process that is told to end reports, as shells count: 128 + SIGKILL. */
    private static final int KILLED = 137;

    /** What nodes have whose administrators wanted one more: the names in the documents of those runtimes. */
    private static final Set<String> HANDLERS = Set.of(
            "runc",
            "crun",
            "youki",
            "runsc",
            "gvisor",
            "kata",
            "kata-qemu",
            "kata-clh",
            "kata-fc",
            "nvidia",
            "nvidia-cdi",
            "wasm",
            "wasmtime",
            "wasmedge",
            "spin",
            "untrusted",
            "test-handler");

    private static final int MAX_OUTPUT = 1 << 20;
    private static final Duration LONGEST_EXEC = Duration.ofHours(1);
    private static final Duration LONGEST_HOOK_REQUEST = Duration.ofSeconds(30);

    /** The containers of a pod that has none: never written to, for what is not found is not replaced. */
    private static final Map<String, Running> NONE = Map.of();

    private final Driver driver;
    private final Simulation simulation;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Map<String, Map<String, Running>> pods = new HashMap<>();

    @GuardedBy("lock")
    private final Map<String, Map<String, ImageState>> images = new HashMap<>();

    /** Who waits for an image on a node: they are told when it is there, or will not be. */
    @GuardedBy("lock")
    private final Map<String, Set<String>> waiting = new HashMap<>();

    private final Probes probes = new Probes(this);
    private final Map<String, PodWorld> worlds = new ConcurrentHashMap<>();
    /** What outlives a pod: the nodes' own disks, and claimed volumes. */
    private final Map<String, FileTree> disks = new ConcurrentHashMap<>();

    private volatile Consumer<String> listener = uid -> {};
    private volatile @Nullable Fabric fabric;
    private volatile Predicate<String> nodes = node -> true;

    /** A container, and the timer that will end it. */
    private record Running(ContainerState state, boolean stopping, Driver.@Nullable Timer end) {}

    public SimulatedRuntime(Driver driver, Simulation simulation) {
        this.driver = driver;
        this.simulation = simulation;
    }

    @Override
    public String version() {
        return "simulated://1.0.0";
    }

    @Override
    public boolean handles(String handler) {
        return handler.isEmpty() || HANDLERS.contains(handler);
    }

    @Override
    public void onChange(Consumer<String> podUid) {
        this.listener = podUid;
    }

    @Override
    public void network(ClusterView cluster, Predicate<String> runs) {
        nodes = runs;
        fabric = new Fabric(driver, cluster, this);
    }

    /** The network that the containers are in; empty before there is a cluster. */
    public Optional<Fabric> fabric() {
        return Optional.ofNullable(fabric);
    }

    // ---- images

    @Override
    public ImageState image(String node, String image) {
        lock.lock();
        try {
            return images.getOrDefault(node, Map.of()).getOrDefault(image, ImageState.ABSENT);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void pull(String node, String image, String podUid) {
        Duration takes = simulation.pullTime();
        lock.lock();
        try {
            waiting.computeIfAbsent(node + "\n" + image, k -> new HashSet<>()).add(podUid);
            Map<String, ImageState> onNode = images.computeIfAbsent(node, n -> new HashMap<>());
            ImageState before = onNode.get(image);
            if (before != null && before.progress() == ImageState.Progress.PULLING) {
                return;
            }
            // What is there stays there while somebody asks for it anew: other pods need not wait for that.
            if (before == null || before.progress() != ImageState.Progress.PRESENT) {
                onNode.put(image, ImageState.PULLING);
            } else if (simulation.startTime().compareTo(takes) < 0) {
                takes = simulation.startTime(); // the registry only says that it has no other
            }
        } finally {
            lock.unlock();
        }
        Duration took = takes;
        driver.schedule(took, () -> pulled(node, image, took));
    }

    private void pulled(String node, String image, Duration took) {
        ImageState state = simulation.isUnknown(image)
                ? new ImageState(ImageState.Progress.FAILED, failure(image), null, "")
                : new ImageState(ImageState.Progress.PRESENT, "", took, digest(image));
        Set<String> told;
        lock.lock();
        try {
            images.computeIfAbsent(node, n -> new HashMap<>()).put(image, state);
            Set<String> found = waiting.remove(node + "\n" + image);
            told = found == null ? Set.of() : found;
        } finally {
            lock.unlock();
        }
        told.forEach(listener);
    }

    private static String failure(String image) {
        String reference = image.contains(":") ? image : image + ":latest";
        String name = image.indexOf('/') < 0 ? "docker.io/library/" + reference : reference;
        return "failed to pull and unpack image \"" + name + "\": failed to resolve reference \"" + name + "\": " + name
                + ": not found";
    }

    private static String digest(String image) {
        return Commands.repository(image) + "@sha256:" + Hashing.sha256().hashString(image, StandardCharsets.UTF_8);
    }

    // ---- containers

    @Override
    public List<ContainerState> containers(String podUid) {
        lock.lock();
        try {
            List<ContainerState> states = new ArrayList<>();
            pods.getOrDefault(podUid, Map.of()).values().forEach(running -> states.add(running.state));
            return states;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void adopt(Pod pod, List<ContainerState> states) {
        for (ContainerState state : states) {
            Container container = find(pod, state.name());
            put(pod.getMetadata().getUid(), new Running(state, false, null));
            if (container == null || !state.isRunning()) {
                continue;
            }
            if ("agnhost".equals(Commands.repository(container.getImage())) && !isScripted(pod, container)) {
                // What it served is to be served again; what else it had done is lost with the process that ran it.
                launch(pod, container, remembered(pod, container), state);
            } else {
                scheduleEnd(pod, container, state);
            }
        }
    }

    static @Nullable Container find(Pod pod, String name) {
        List<Container> all = new ArrayList<>(pod.getSpec().getInitContainers());
        all.addAll(pod.getSpec().getContainers());
        pod.getSpec()
                .getEphemeralContainers()
                .forEach(e -> all.add(new ContainerBuilder()
                        .withName(e.getName())
                        .withImage(e.getImage())
                        .build()));
        return all.stream().filter(c -> name.equals(c.getName())).findFirst().orElse(null);
    }

    @Override
    public void volumes(Pod pod, Map<String, ContainerSetup.Volume> volumes) {
        if (!volumes.isEmpty()) {
            world(pod).volumes(volumes);
        }
    }

    @Override
    public @Nullable String unprepared(Pod pod, Container container, ContainerSetup setup) {
        PodWorld world = worlds.get(pod.getMetadata().getUid());
        return world == null ? null : world.unprepared(container, setup);
    }

    @Override
    public Map<String, String> unmountable(Pod pod, Map<String, ContainerSetup.Volume> volumes) {
        Map<String, String> problems = new LinkedHashMap<>();
        volumes.forEach((name, volume) -> {
            if (volume instanceof ContainerSetup.Volume.Host host) {
                String problem = HostPaths.problem(
                        nodeDisk(Objects.requireNonNull(pod.getSpec().getNodeName())), host);
                if (problem != null) {
                    problems.put(name, problem);
                }
            }
        });
        return problems;
    }

    @Override
    public void resized(Pod pod) {
        PodWorld world = worlds.get(pod.getMetadata().getUid());
        if (world != null) {
            world.resized(pod);
        }
    }

    @Override
    public Usage usage(Pod pod) {
        PodWorld world = worlds.get(pod.getMetadata().getUid());
        return world == null ? Usage.NONE : world.usage();
    }

    private FileTree nodeDisk(String node) {
        return disks.computeIfAbsent("node/" + node, n -> HostPaths.newDisk(node));
    }

    private long memoryBytes(String node) {
        Fabric known = fabric;
        return known == null ? 128L << 30 : known.memoryBytes(node);
    }

    private PodWorld world(Pod pod) {
        String node = pod.getSpec().getNodeName();
        return worlds.computeIfAbsent(
                pod.getMetadata().getUid(),
                uid -> new PodWorld(pod, new PodWorld.Shared() {
                    @Override
                    public FileTree host() {
                        return nodeDisk(node);
                    }

                    @Override
                    public long memoryBytes() {
                        return SimulatedRuntime.this.memoryBytes(node);
                    }

                    @Override
                    public FileTree claimed(String identity) {
                        return disks.computeIfAbsent("claim/" + identity, i -> new FileTree("ext4", 0777));
                    }

                    @Override
                    public @Nullable Fabric fabric() {
                        return fabric;
                    }
                }));
    }

    @Override
    public void start(Pod pod, Container container, int attempt, ContainerSetup setup) {
        String uid = pod.getMetadata().getUid();
        driver.schedule(simulation.startTime(), () -> {
            ContainerState state = new ContainerState(
                    container.getName(),
                    attempt,
                    "simulated://"
                            + Hashing.sha256()
                                    .hashString(
                                            uid + "/" + container.getName() + "/" + attempt, StandardCharsets.UTF_8),
                    driver.now(),
                    null,
                    0,
                    "",
                    "");
            put(uid, new Running(state, false, null));
            if (isScripted(pod, container)) {
                scheduleEnd(pod, container, state);
                listener.accept(uid);
                return;
            }
            listener.accept(uid);
            launch(pod, container, setup, state);
        });
    }

    /** Runs a container's program, if it is known what that does. */
    private void launch(Pod pod, Container container, ContainerSetup setup, ContainerState state) {
        String uid = pod.getMetadata().getUid();
        PodWorld.Box box = world(pod).open(container, setup);
        box.sockets.belongTo(host(pod, container, state, box));
        List<String> words = Images.words(container, setup);
        if (words == null) { // a server
            hook(pod, container, box, afterStart(container));
            return;
        }
        boolean tty = Boolean.TRUE.equals(container.getTty());
        Shell shell = world(pod)
                .shell(
                        container,
                        box,
                        driver::now,
                        text -> box.log.write(driver.now(), text, false),
                        text -> box.log.write(driver.now(), text, true),
                        tty)
                .reading(box.input)
                .command(words);
        box.input.onMore(shell::wake);
        Execution execution = new Execution(
                driver,
                shell,
                status -> ended(uid, state.name(), state.attempt(), status, lastWords(pod, container, box, status)));
        box.execution = execution;
        hook(pod, container, box, afterStart(container));
        execution.go();
    }

    private static @Nullable LifecycleHandler afterStart(Container container) {
        return container.getLifecycle() == null
                ? null
                : container.getLifecycle().getPostStart();
    }

    private Sockets.Host host(Pod pod, Container container, ContainerState state, PodWorld.Box box) {
        return new Sockets.Host() {
            @Override
            public Executed execute(List<String> command) {
                return inside(pod, container, box, command, "");
            }

            @Override
            public void exit(Duration after, int code) {
                driver.schedule(after, () -> {
                    Execution execution = box.execution;
                    if (execution != null) {
                        execution.cancel();
                    }
                    ended(
                            pod.getMetadata().getUid(),
                            state.name(),
                            state.attempt(),
                            code,
                            lastWords(pod, container, box, code));
                });
            }

            @Override
            public void say(Duration after, String text) {
                driver.schedule(after, () -> box.log.write(driver.now(), text));
            }
        };
    }

    /** Whether annotations say how a container behaves. */
    private static boolean isScripted(Pod pod, Container container) {
        return annotation(pod, Simulation.RUN_DURATION, container.getName()) != null
                || annotation(pod, Simulation.EXIT_CODE, container.getName()) != null;
    }

    /** What a container leaves as its termination message. */
    private String lastWords(Pod pod, Container container, PodWorld.Box box, int status) {
        String path = container.getTerminationMessagePath();
        FileTree.Entry file = world(pod)
                .view(container, box)
                .find(FileView.normal("/", path == null || path.isEmpty() ? "/dev/termination-log" : path));
        String text = file == null ? "" : file.content();
        if (text.isEmpty() && status != 0 && "FallbackToLogsOnError".equals(container.getTerminationMessagePolicy())) {
            text = box.log.tail(driver.now(), 80, 2048);
        }
        return utf8(text.length() > 4096 ? text.substring(0, 4096) : text);
    }

    static String utf8(String latin) {
        return new String(latin.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }

    /** Runs a lifecycle hook; returns how long it takes. */
    private Duration hook(Pod pod, Container container, PodWorld.Box box, @Nullable LifecycleHandler handler) {
        if (handler == null) {
            return Duration.ZERO;
        }
        if (handler.getSleep() != null) {
            return Duration.ofSeconds(
                    Objects.requireNonNullElse(handler.getSleep().getSeconds(), 0L));
        }
        if (handler.getExec() != null) {
            return inside(pod, container, box, handler.getExec().getCommand(), "")
                    .took();
        }
        if (handler.getHttpGet() != null) {
            probes.get(pod, container, handler.getHttpGet(), LONGEST_HOOK_REQUEST);
        }
        return Duration.ZERO;
    }

    /**
     * What a command in a container came to.
     *
     * @param output what it printed, Latin-1
     * @param errors what it complained of, Latin-1
     */
    public record Executed(int code, String output, String errors, Duration took) {}

    private Executed inside(Pod pod, Container container, PodWorld.Box box, List<String> command, String input) {
        StringBuilder output = new StringBuilder();
        StringBuilder errors = new StringBuilder();
        Shell shell = world(pod)
                .visit(container, box, driver::now, text -> append(output, text), text -> append(errors, text), false);
        shell.takeInput(input);
        shell.command(latin(command));
        Duration took = Duration.ZERO;
        for (Duration sleep = shell.run(); sleep != null; sleep = shell.run()) {
            took = took.plus(sleep);
            if (took.compareTo(LONGEST_EXEC) > 0) {
                return new Executed(0, output.toString(), errors.toString(), took);
            }
        }
        return new Executed(shell.status(), output.toString(), errors.toString(), took);
    }

    private static void append(StringBuilder all, String text) {
        if (all.length() < MAX_OUTPUT) {
            all.append(text);
        }
    }

    /**
     * Runs a command in a running container, to its end and at once, whatever time it would take.
     *
     * @param input what it finds at standard input, Latin-1
     * @return empty if the container does not run; output is Latin-1 text, a character for a byte
     */
    public Optional<Executed> exec(Pod pod, String containerName, List<String> command, String input) {
        Container container = find(pod, containerName);
        if (container == null || !isRunning(pod.getMetadata().getUid(), containerName)) {
            return Optional.empty();
        }
        PodWorld.Box box = box(pod, container);
        Executed result = inside(pod, container, box, command, input);
        box.touched = true;
        listener.accept(pod.getMetadata().getUid());
        return Optional.of(result);
    }

    private boolean isRunning(String uid, String name) {
        return containers(uid).stream().anyMatch(s -> s.name().equals(name) && s.isRunning());
    }

    private PodWorld.Box box(Pod pod, Container container) {
        PodWorld.Box box = world(pod).box(container.getName());
        return box != null ? box : world(pod).open(container, remembered(pod, container));
    }

    /** What a container was started with, as far as its pod tells: for one that another process started. */
    private static ContainerSetup remembered(Pod pod, Container container) {
        Map<String, String> variables = new LinkedHashMap<>();
        container.getEnv().stream()
                .filter(v -> v.getValue() != null)
                .forEach(v -> variables.put(v.getName(), v.getValue()));
        return new ContainerSetup(
                container.getCommand(), container.getArgs(), () -> variables, Names.hostname(pod), List.of());
    }

    /**
     * Runs a command in a running container, in the driver's time.
     *
     * @param input whether the watcher types anything
     * @param tty whether that is by a terminal
     * @return empty if the container does not run
     */
    public Optional<Console.Keys> run(
            Pod pod, String containerName, List<String> command, boolean input, boolean tty, Console console) {
        Container container = find(pod, containerName);
        String uid = pod.getMetadata().getUid();
        if (container == null || !isRunning(uid, containerName)) {
            return Optional.empty();
        }
        PodWorld.Box box = box(pod, container);
        box.touched = true;
        Input typed = input ? new Input() : Input.of("");
        Shell.Sink out = tty ? text -> console.output(Terminal.shown(text)) : console::output;
        Shell shell = world(pod)
                .visit(container, box, driver::now, out, tty ? out : console::error, tty)
                .reading(typed)
                .command(latin(command));
        typed.onMore(shell::wake);
        Execution execution = new Execution(driver, shell, status -> {
            console.ended(status);
            listener.accept(uid);
        });
        driver.execute(execution::go);
        Terminal terminal = new Terminal(typed, console::output, execution::interrupt);
        return Optional.of(new Console.Keys() {
            @Override
            public synchronized void type(String text) {
                if (tty) {
                    terminal.type(text);
                } else {
                    typed.add(text);
                }
            }

            @Override
            public void endInput() {
                typed.close();
            }

            @Override
            public void leave() {
                execution.cancel();
            }
        });
    }

    /**
     * Watches the program that a container runs, from now on.
     *
     * @return empty if the container does not run
     */
    public Optional<Console.Keys> attach(Pod pod, String containerName, Console console) {
        Container container = find(pod, containerName);
        if (container == null || !isRunning(pod.getMetadata().getUid(), containerName)) {
            return Optional.empty();
        }
        PodWorld.Box box = box(pod, container);
        boolean tty = Boolean.TRUE.equals(container.getTty());
        ContainerLog.Follower follower = new ContainerLog.Follower() {
            @Override
            public void printed(String text, boolean error) {
                if (tty) {
                    console.output(Terminal.shown(text));
                } else if (error) {
                    console.error(text);
                } else {
                    console.output(text);
                }
            }

            @Override
            public void ended() {
                console.ended(0);
            }
        };
        box.log.follow(follower);
        if (box.log.isClosed()) {
            console.ended(0);
        }
        Terminal terminal = new Terminal(box.input, console::output, () -> {
            Execution execution = box.execution;
            if (execution != null) {
                execution.interrupt();
            }
        });
        return Optional.of(new Console.Keys() {
            @Override
            public synchronized void type(String text) {
                if (tty) {
                    terminal.type(text);
                } else {
                    box.input.add(text);
                }
            }

            @Override
            public void endInput() {
                if (Boolean.TRUE.equals(container.getStdinOnce())) {
                    box.input.close();
                } else {
                    // Who has nothing more to say to a program that goes on has left it.
                    box.log.leave(follower);
                    console.ended(0);
                }
            }

            @Override
            public void leave() {
                box.log.leave(follower);
                if (Boolean.TRUE.equals(container.getStdinOnce())) {
                    box.input.close();
                }
            }
        });
    }

    private static List<String> latin(List<String> words) {
        return words.stream()
                .map(word -> new String(word.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1))
                .toList();
    }

    // ---- the network

    @Override
    public boolean isHere(Pod pod) {
        String node = pod.getSpec().getNodeName();
        return node != null && nodes.test(node);
    }

    @Override
    public Optional<Listener> listener(Pod pod, Protocol protocol, int port) {
        String uid = pod.getMetadata().getUid();
        for (ContainerState state : containers(uid)) {
            Container container = state.isRunning() ? find(pod, state.name()) : null;
            if (container == null) {
                continue;
            }
            Optional<Listener> found = listener(pod, container, protocol, port);
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    private Optional<Listener> listener(Pod pod, Container container, Protocol protocol, int port) {
        PodWorld.Box box = box(pod, container);
        List<String> words = Images.words(container, box.setup);
        ImageServers.Place place = new ImageServers.Place(
                container,
                box.setup.hostname(),
                box.setup.args(),
                () -> world(pod).view(container, box));
        String rules = annotation(pod, Simulation.SERVES, container.getName());
        Listener declared = rules == null ? null : ImageServers.declared(rules, place, protocol, port);
        if (declared != null) {
            return Optional.of(declared);
        }
        Optional<Listener> own = box.sockets.listener(protocol, port);
        return own.isPresent() || words != null && !isScripted(pod, container) && !box.sockets.servesDeclared()
                ? own
                : ImageServers.listener(place, protocol, port);
    }

    /** The names in a directory of a node's own disk. */
    public List<String> hostFiles(String node, String path) {
        return new FileView(nodeDisk(node), true, List.of()).list(FileView.normal("/", path));
    }

    /** A line that a container printed: Latin-1, with its end if it had one. */
    public record LogLine(Instant time, String text) {}

    /**
     * What a container printed.
     *
     * @param previous of the run before
     * @return empty if there was no such run
     */
    public Optional<List<LogLine>> log(Pod pod, String container, boolean previous) {
        PodWorld world = worlds.get(pod.getMetadata().getUid());
        PodWorld.Box box = world == null ? null : world.box(container);
        boolean started = containers(pod.getMetadata().getUid()).stream()
                .anyMatch(s -> s.name().equals(container));
        if (box == null) {
            return started && !previous ? Optional.of(List.of()) : Optional.empty();
        }
        ContainerLog log = previous ? box.previous : box.log;
        return log == null
                ? Optional.empty()
                : Optional.of(log.lines(driver.now()).stream()
                        .map(line -> new LogLine(line.time(), line.whole() ? line.text() + "\n" : line.text()))
                        .toList());
    }

    /** Reads a container's log along. Called from any thread; must only hand on. */
    public interface Reader {
        void line(LogLine line);

        void ended();
    }

    /**
     * Lets somebody read what a container prints from now on, until it ends.
     *
     * @return ends it; empty if the container has never run
     */
    public Optional<Runnable> follow(Pod pod, String container, Reader reader) {
        PodWorld world = worlds.get(pod.getMetadata().getUid());
        PodWorld.Box box = world == null ? null : world.box(container);
        if (box == null) {
            return Optional.empty();
        }
        ContainerLog.Follower follower = new ContainerLog.Follower() {
            @Override
            public void line(ContainerLog.Line line) {
                reader.line(new LogLine(line.time(), line.whole() ? line.text() + "\n" : line.text()));
            }

            @Override
            public void ended() {
                reader.ended();
            }
        };
        box.log.follow(follower);
        if (box.log.isClosed()) {
            reader.ended();
        }
        return Optional.of(() -> box.log.leave(follower));
    }

    /** To be called when the container is known to run: its end may come at once. */
    private void scheduleEnd(Pod pod, Container container, ContainerState state) {
        Commands.End end = end(pod, container);
        if (end == null) {
            return;
        }
        Duration left = Duration.between(driver.now(), state.startedAt().plus(end.after()));
        String uid = pod.getMetadata().getUid();
        Driver.Timer timer = driver.schedule(
                left.isNegative() ? Duration.ZERO : left,
                () -> ended(uid, container.getName(), state.attempt(), end.exitCode(), ""));
        lock.lock();
        try {
            Map<String, Running> containers = pods.getOrDefault(uid, NONE);
            Running running = containers.get(container.getName());
            if (running != null && running.state.equals(state)) {
                containers.put(container.getName(), new Running(state, running.stopping, timer));
            }
        } finally {
            lock.unlock();
        }
    }

    private static Commands.@Nullable End end(Pod pod, Container container) {
        String run = annotation(pod, Simulation.RUN_DURATION, container.getName());
        String code = annotation(pod, Simulation.EXIT_CODE, container.getName());
        Commands.End guess = Commands.endOf(container);
        if ("forever".equals(run)) {
            return null;
        }
        Duration after = run != null ? time(run) : guess != null ? guess.after() : code != null ? Duration.ZERO : null;
        if (after == null) {
            return null;
        }
        int exit = code != null ? Integer.parseInt(code) : guess == null ? 0 : guess.exitCode();
        return new Commands.End(after, exit);
    }

    private void ended(String uid, String name, int attempt, int exitCode, String message) {
        lock.lock();
        try {
            Map<String, Running> containers = pods.getOrDefault(uid, NONE);
            Running running = containers.get(name);
            if (running == null || running.state.attempt() != attempt || !running.state.isRunning()) {
                return;
            }
            ContainerState s = running.state;
            String reason = exitCode == 0 ? "Completed" : "Error";
            containers.put(
                    name,
                    new Running(
                            new ContainerState(
                                    name, attempt, s.id(), s.startedAt(), driver.now(), exitCode, reason, message),
                            false,
                            null));
        } finally {
            lock.unlock();
        }
        PodWorld world = worlds.get(uid);
        PodWorld.Box box = world == null ? null : world.box(name);
        if (box != null) {
            box.close(driver.now());
        }
        listener.accept(uid);
    }

    @Override
    public void stop(Pod pod, Container container, Duration grace) {
        String uid = pod.getMetadata().getUid();
        String name = container.getName();
        int attempt;
        lock.lock();
        try {
            Map<String, Running> containers = pods.getOrDefault(uid, NONE);
            Running running = containers.get(name);
            if (running == null || !running.state.isRunning() || running.stopping) {
                return;
            }
            attempt = running.state.attempt();
            containers.put(name, new Running(running.state, true, running.end));
        } finally {
            lock.unlock();
        }
        PodWorld world = worlds.get(uid);
        PodWorld.Box box = world == null ? null : world.box(name);
        if (box != null) {
            box.sockets.beginEnd();
        }
        LifecycleHandler before = container.getLifecycle() == null
                ? null
                : container.getLifecycle().getPreStop();
        Duration hook =
                before == null || grace.isZero() ? Duration.ZERO : hook(pod, container, box(pod, container), before);
        // The hook takes its time out of the grace; a container is asked to end in any case.
        Duration left = grace.minus(hook).isNegative() ? Duration.ZERO : grace.minus(hook);
        Duration wait = hook.compareTo(grace) < 0 ? hook : grace;
        driver.schedule(wait, () -> terminate(pod, container, attempt, left, box));
    }

    /** Asks a container to end, as a signal does. */
    private void terminate(Pod pod, Container container, int attempt, Duration grace, PodWorld.@Nullable Box box) {
        String uid = pod.getMetadata().getUid();
        String name = container.getName();
        lock.lock();
        try {
            Running running = pods.getOrDefault(uid, NONE).get(name);
            if (running == null || !running.state.isRunning()) {
                return;
            }
            if (running.end != null) {
                running.end.cancel();
            }
        } finally {
            lock.unlock();
        }
        Execution process = box == null ? null : box.execution;
        boolean killed = simulation.stopTime().compareTo(grace) > 0;
        Duration takes = killed ? grace : simulation.stopTime();
        if (process == null || box == null) {
            // Most servers end well when asked; what would take longer than its grace is killed.
            driver.schedule(takes, () -> ended(uid, name, attempt, killed ? KILLED : 0, ""));
            return;
        }
        driver.schedule(takes, () -> {
            Duration handled;
            int status;
            process.lock.lock();
            try {
                boolean server = Images.isServer(Images.words(container, box.setup));
                handled = killed ? null : handler(process.shell, grace);
                process.cancel(); // what is left of it has been run
                status = killed || handled != null && handled.compareTo(grace) >= 0
                        ? KILLED
                        : server ? 0 : process.shell.status();
            } finally {
                process.lock.unlock();
            }
            driver.schedule(
                    handled == null || handled.isZero()
                            ? Duration.ZERO
                            : handled.compareTo(grace) < 0 ? handled : grace,
                    () -> ended(uid, name, attempt, status, lastWords(pod, container, box, status)));
        });
    }

    /** Runs a shell's trap; returns how long that takes. */
    private static @Nullable Duration handler(Shell shell, Duration grace) {
        if (!shell.terminate()) {
            return null;
        }
        Duration took = Duration.ZERO;
        for (Duration sleep = shell.run(); sleep != null; sleep = shell.run()) {
            took = took.plus(sleep);
            if (took.compareTo(grace) >= 0) {
                return took;
            }
        }
        return took;
    }

    @Override
    public void remove(String podUid) {
        PodWorld world = worlds.remove(podUid);
        if (world != null) {
            world.close(driver.now());
        }
        lock.lock();
        try {
            Map<String, Running> containers = pods.remove(podUid);
            if (containers != null) {
                containers.values().forEach(running -> {
                    if (running.end != null) {
                        running.end.cancel();
                    }
                });
            }
        } finally {
            lock.unlock();
        }
    }

    private void put(String uid, Running running) {
        lock.lock();
        try {
            pods.computeIfAbsent(uid, u -> new LinkedHashMap<>()).put(running.state.name(), running);
        } finally {
            lock.unlock();
        }
    }

    // ---- probes

    @Override
    public @Nullable Instant readyAt(Pod pod, Container container, ContainerState state) {
        String after = annotation(pod, Simulation.READY_AFTER, container.getName());
        if ("never".equals(after)) {
            return null;
        }
        if (after != null) {
            return state.startedAt().plus(time(after));
        }
        Duration delay = Duration.ZERO;
        for (Probe probe : new Probe[] {container.getStartupProbe(), container.getReadinessProbe()}) {
            if (probe != null && probe.getInitialDelaySeconds() != null) {
                delay = delay.plusSeconds(probe.getInitialDelaySeconds());
            }
        }
        return state.startedAt().plus(delay);
    }

    /** Annotations win; what a probe would find of a server is known without asking. */
    @Override
    public boolean isProbed(Pod pod, Container container) {
        if (annotation(pod, Simulation.READY_AFTER, container.getName()) != null || isScripted(pod, container)) {
            return false;
        }
        boolean known = annotation(pod, Simulation.SERVES, container.getName()) != null
                || "agnhost".equals(Commands.repository(container.getImage()))
                || isUnderstood(pod, container);
        for (Probe probe :
                new Probe[] {container.getStartupProbe(), container.getReadinessProbe(), container.getLivenessProbe()
                }) {
            if (probe != null && (probe.getExec() != null || known || isTouched(pod, container))) {
                return true;
            }
        }
        return false;
    }

    /** Whether all is known of what a container runs, so that what it does not serve is not served. */
    private boolean isUnderstood(Pod pod, Container container) {
        PodWorld world = worlds.get(pod.getMetadata().getUid());
        PodWorld.Box box = world == null ? null : world.box(container.getName());
        return box != null && box.execution != null && !box.sockets.servesDeclared();
    }

    /** Whether somebody has been in the container, and may have changed what it serves. */
    private boolean isTouched(Pod pod, Container container) {
        PodWorld world = worlds.get(pod.getMetadata().getUid());
        PodWorld.Box box = world == null ? null : world.box(container.getName());
        return box != null && box.touched;
    }

    @Override
    public Probed probe(Pod pod, Container container, Probe probe) {
        Duration timeout = Duration.ofSeconds(probe.getTimeoutSeconds() == null ? 1 : probe.getTimeoutSeconds());
        if (probe.getExec() == null) {
            return probes.look(pod, container, probe, timeout);
        }
        Executed result =
                inside(pod, container, box(pod, container), probe.getExec().getCommand(), "");
        if (result.took().compareTo(timeout) > 0) {
            return Probed.failed(
                    "command timed out: \"" + String.join(" ", probe.getExec().getCommand()) + "\" timed out after "
                            + timeout.toSeconds() + "s");
        }
        return result.code() == 0 ? Probed.SUCCESS : Probed.failed(utf8(result.output() + result.errors()));
    }

    private static @Nullable String annotation(Pod pod, String key, String container) {
        Map<String, String> annotations = pod.getMetadata().getAnnotations();
        if (annotations == null) {
            return null;
        }
        String own = annotations.get(key + "." + container);
        return own != null ? own : annotations.get(key);
    }

    /** Reads a time in Go's form; nonsense counts as nothing, for a simulation has nobody to refuse it to. */
    static Duration time(String text) {
        Matcher matcher = TIME.matcher(text);
        Duration total = Duration.ZERO;
        while (matcher.find()) {
            double number = Double.parseDouble(matcher.group(1));
            double millis =
                    switch (matcher.group(2)) {
                        case "ms" -> number;
                        case "s" -> number * 1000;
                        case "m" -> number * 60_000;
                        default -> number * 3_600_000;
                    };
            total = total.plusMillis((long) millis);
        }
        return total;
    }
}
