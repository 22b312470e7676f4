package io.trimtab.node.simulated;

import com.google.common.hash.Hashing;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Probe;
import io.trimtab.node.runtime.ContainerRuntime;
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
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Pretends to run containers, for any number of nodes. What happens when is decided by {@link Simulation}, the pod's annotations
 * and {@link Commands}; timers of the driver make it happen. Safe for use by any thread; calls back on threads of the driver.
 */
public final class SimulatedRuntime implements ContainerRuntime {
    private static final Pattern TIME = Pattern.compile("(\\d+(?:\\.\\d+)?)(ms|s|m|h)");
    /** What a process that is told to end reports, as shells count: 128 + SIGKILL. */
    private static final int KILLED = 137;

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

    private volatile Consumer<String> listener = uid -> {};

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
    public void onChange(Consumer<String> podUid) {
        this.listener = podUid;
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
        lock.lock();
        try {
            waiting.computeIfAbsent(node + "\n" + image, k -> new HashSet<>()).add(podUid);
            Map<String, ImageState> onNode = images.computeIfAbsent(node, n -> new HashMap<>());
            ImageState before = onNode.put(image, ImageState.PULLING);
            if (before != null && before.progress() == ImageState.Progress.PULLING) {
                return;
            }
        } finally {
            lock.unlock();
        }
        driver.schedule(simulation.pullTime(), () -> pulled(node, image));
    }

    private void pulled(String node, String image) {
        ImageState state = simulation.isUnknown(image)
                ? new ImageState(ImageState.Progress.FAILED, failure(image), null, "")
                : new ImageState(ImageState.Progress.PRESENT, "", simulation.pullTime(), digest(image));
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
            if (container != null && state.isRunning()) {
                scheduleEnd(pod, container, state);
            }
        }
    }

    private static @Nullable Container find(Pod pod, String name) {
        List<Container> all = new ArrayList<>(pod.getSpec().getInitContainers());
        all.addAll(pod.getSpec().getContainers());
        return all.stream().filter(c -> name.equals(c.getName())).findFirst().orElse(null);
    }

    @Override
    public void start(Pod pod, Container container, int attempt) {
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
                    "");
            put(uid, new Running(state, false, null));
            scheduleEnd(pod, container, state);
            listener.accept(uid);
        });
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
                () -> ended(uid, container.getName(), state.attempt(), end.exitCode()));
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

    private void ended(String uid, String name, int attempt, int exitCode) {
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
                            new ContainerState(name, attempt, s.id(), s.startedAt(), driver.now(), exitCode, reason),
                            false,
                            null));
        } finally {
            lock.unlock();
        }
        listener.accept(uid);
    }

    @Override
    public void stop(String podUid, String container, Duration grace) {
        int attempt;
        lock.lock();
        try {
            Map<String, Running> containers = pods.getOrDefault(podUid, NONE);
            Running running = containers.get(container);
            if (running == null || !running.state.isRunning() || running.stopping) {
                return;
            }
            if (running.end != null) {
                running.end.cancel();
            }
            attempt = running.state.attempt();
            containers.put(container, new Running(running.state, true, null));
        } finally {
            lock.unlock();
        }
        // Most servers end well when asked; what would take longer than its grace is killed.
        boolean killed = simulation.stopTime().compareTo(grace) > 0;
        driver.schedule(
                killed ? grace : simulation.stopTime(), () -> ended(podUid, container, attempt, killed ? KILLED : 0));
    }

    @Override
    public void remove(String podUid) {
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
