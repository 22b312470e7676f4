package io.trimtab.node;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.Probe;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.node.runtime.ContainerRuntime;
import io.trimtab.node.runtime.ContainerRuntime.ContainerState;
import io.trimtab.node.runtime.ContainerRuntime.ImageState;
import io.trimtab.node.runtime.ContainerSetup;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Brings one pod, at each call, a step nearer to what it should be: pulls, starts, restarts, stops; then tells how it is. The
 * same for every runtime. A phase that somebody else has written is theirs: the worker stops the containers and writes no more.
 */
final class PodWorker implements Reconciler {
    static final ResourceType<Pod> PODS = ResourceType.of(Pod.class);

    /** kubelet shows ErrImagePull for a moment before it says that it backs off. */
    private static final Duration ERROR_SHOWN = Duration.ofSeconds(1);
    /** How often a pod that waits is looked at again, and says so in an event. */
    private static final Duration NAG = Duration.ofSeconds(12);
    /** Who makes a refused pod anew at once would do nothing else if a refusal took no time. */
    private static final Duration REFUSAL = Duration.ofMillis(100);
    /**
     * For how long after an order nobody need hear that containers are being made whose images are there: it seldom takes so
     * long.
     */
    private static final Duration FIRST_STATUS = Duration.ofSeconds(1);
    /** How often what volumes show is brought up to date, as a kubelet does by its sync period. */
    private static final Duration REMOUNT = Duration.ofSeconds(60);
    /** How often disks are measured, as a kubelet does. */
    private static final Duration HOUSEKEEPING = Duration.ofSeconds(10);
    /** How often it is seen whether others have made room for a resize. */
    private static final Duration RESIZE_RETRY = Duration.ofSeconds(5);

    private static final String EVICTED = "Evicted";

    static final String RESIZE_PENDING = "PodResizePending";
    static final String RESIZE_IN_PROGRESS = "PodResizeInProgress";

    private final Driver driver;
    private final Client client;
    private final EventRecorders events;
    private final Lister<Pod> pods;
    private final Nodes nodes;
    private final ContainerRuntime runtime;
    private final PodInputs inputs;
    private final PodAdmission admission;
    private final PodResizer resizer;
    private final Map<Request, PodRecord> records = new ConcurrentHashMap<>();

    /** The recorder of each node: its name stands in the events' source. */
    interface EventRecorders {
        EventRecorder of(String node);
    }

    PodWorker(
            Driver driver,
            Client client,
            EventRecorders events,
            Lister<Pod> pods,
            Nodes nodes,
            ContainerRuntime runtime,
            PodInputs inputs,
            PodAdmission admission) {
        this.driver = driver;
        this.client = client;
        this.events = events;
        this.pods = pods;
        this.nodes = nodes;
        this.runtime = runtime;
        this.inputs = inputs;
        this.admission = admission;
        this.resizer = new PodResizer(pods, nodes);
    }

    @Override
    public Result reconcile(Request request) {
        Pod pod = pods.get(request.namespace(), request.name()).orElse(null);
        PodRecord record = records.get(request);
        if (record != null
                && (pod == null || !record.uid.equals(pod.getMetadata().getUid()))) {
            forget(request, record); // deleted, or made anew under the same name
            record = null;
        }
        if (pod == null
                || pod.getSpec().getNodeName() == null
                || !nodes.runs(pod.getSpec().getNodeName())) {
            return Result.done();
        }
        if (record == null) {
            record = take(request, pod);
        }
        return sync(request, pod, record);
    }

    private PodRecord take(Request request, Pod pod) {
        String node = pod.getSpec().getNodeName();
        PodStatus status = pod.getStatus();
        boolean known = status != null && status.getStartTime() != null;
        PodRecord record = new PodRecord(
                pod.getMetadata().getUid(), node, known ? Instant.parse(status.getStartTime()) : driver.now());
        if (known) {
            adopt(pod, status, record);
        } else {
            PodAdmission.Refusal refusal = admission.refusal(pod, node);
            if (refusal != null && pod.getMetadata().getDeletionTimestamp() == null) {
                record.failureReason = refusal.reason();
                record.failureMessage = "Pod was rejected: " + refusal.message();
                record.rejected = true;
                events.of(node).warning(pod, refusal.reason(), refusal.message());
            }
        }
        records.put(request, record);
        return record;
    }

    /** A pod that ran before this process did: its status is all that is known of it. */
    private void adopt(Pod pod, PodStatus status, PodRecord record) {
        record.ip = status.getPodIP();
        if (record.ip != null && !isHostNetwork(pod)) {
            nodes.addresses(record.node).ifPresent(pool -> pool.reserve(Objects.requireNonNull(record.ip)));
        }
        List<ContainerStatus> all = new ArrayList<>(status.getInitContainerStatuses());
        all.addAll(status.getContainerStatuses());
        List<ContainerState> states = new ArrayList<>();
        for (ContainerStatus container : all) {
            int attempt = container.getRestartCount() == null ? 0 : container.getRestartCount();
            ContainerState state = reported(container, attempt);
            if (state != null) {
                states.add(state);
                record.ordered.put(container.getName(), attempt);
                record.pulls.add("started/" + container.getName() + attempt); // the former process has told it
            }
        }
        runtime.adopt(pod, states);
    }

    private static @Nullable ContainerState reported(ContainerStatus status, int attempt) {
        var state = status.getState();
        if (state != null && state.getRunning() != null) {
            return new ContainerState(
                    status.getName(),
                    attempt,
                    status.getContainerID(),
                    Instant.parse(state.getRunning().getStartedAt()),
                    null,
                    0,
                    "",
                    "");
        }
        var ended = state != null && state.getTerminated() != null
                ? state.getTerminated()
                : status.getLastState() == null ? null : status.getLastState().getTerminated();
        if (ended == null || ended.getStartedAt() == null || ended.getFinishedAt() == null) {
            return null;
        }
        return new ContainerState(
                status.getName(),
                attempt,
                Objects.requireNonNullElse(ended.getContainerID(), ""),
                Instant.parse(ended.getStartedAt()),
                Instant.parse(ended.getFinishedAt()),
                ended.getExitCode() == null ? 0 : ended.getExitCode(),
                Objects.requireNonNullElse(ended.getReason(), ""),
                Objects.requireNonNullElse(ended.getMessage(), ""));
    }

    private void forget(Request request, PodRecord record) {
        runtime.remove(record.uid);
        resizer.forget(record.uid);
        if (record.ip != null) {
            nodes.addresses(record.node).ifPresent(pool -> pool.release(Objects.requireNonNull(record.ip)));
        }
        records.remove(request, record);
    }

    // ---- one step

    private Result sync(Request request, Pod pod, PodRecord record) {
        noticeForeign(pod, record);
        Map<String, ContainerState> containers = containers(record);
        if (pod.getMetadata().getDeletionTimestamp() != null) {
            return terminate(request, pod, record, containers);
        }
        if (record.foreign || record.failureReason == null && isEnded(pod, record)) {
            stopAll(pod, record, containers, Duration.ZERO);
            return Result.done();
        }
        Wake wake = new Wake();
        Integer deadline = pod.getSpec().getActiveDeadlineSeconds() == null
                ? null
                : pod.getSpec().getActiveDeadlineSeconds().intValue();
        if (deadline != null && record.failureReason == null) {
            Duration left = Duration.between(driver.now(), record.startTime.plusSeconds(deadline));
            if (left.isZero() || left.isNegative()) {
                record.failureReason = "DeadlineExceeded";
                record.failureMessage = "Pod was active on the node longer than the specified deadline";
                events.of(record.node).normal(pod, "DeadlineExceeded", record.failureMessage);
            } else {
                wake.in(left);
            }
        }
        if (record.failureReason == null) {
            evict(pod, record, wake);
        }
        Instant told = record.startTime.plus(REFUSAL);
        if (record.rejected && driver.now().isBefore(told)) {
            return Result.after(Duration.between(driver.now(), told));
        }
        if (record.failureReason != null) {
            long grace = record.failureReason.equals(EVICTED) ? 1 : gracePeriod(pod);
            stopAll(pod, record, containers, Duration.ofSeconds(grace));
            containers = containers(record);
        } else if (prepare(pod, record, wake) && mount(pod, record, wake)) {
            Pod given = resize(pod, record, containers, wake);
            run(given, record, containers, wake);
            containers = containers(record);
            publish(given, record, containers, wake);
            return wake.result();
        }
        publish(pod, record, containers, wake);
        return wake.result();
    }

    /** Gives the pod what it asks for, if the node has that. Returns the pod as it asks for what it has. */
    private Pod resize(Pod pod, PodRecord record, Map<String, ContainerState> containers, Wake wake) {
        PodResizer.Outcome outcome = resizer.look(pod, record.node, driver.now());
        record.conditions.remove(RESIZE_PENDING);
        record.conditions.remove(RESIZE_IN_PROGRESS);
        if (outcome.resized()) {
            runtime.resized(pod);
            for (String name : outcome.restarts()) {
                ContainerState state = containers.get(name);
                Container container = PodStatuses.container(pod, name);
                if (state != null && state.isRunning() && container != null) {
                    record.resized.add(name);
                    events.of(record.node)
                            .record(
                                    part(pod, container, "spec.containers"),
                                    "Normal",
                                    "Killing",
                                    "Container " + name + " resize requires restart");
                    runtime.stop(pod, container, Duration.ofSeconds(gracePeriod(pod)));
                }
            }
            record.completes = true;
        }
        if (!record.resized.isEmpty()) {
            record.conditions.put(RESIZE_IN_PROGRESS, new PodRecord.Waiting("", ""));
        } else if (record.completes) {
            record.completes = false;
            events.of(record.node).normal(pod, "ResizeCompleted", "Pod resize completed: " + summary(pod));
        }
        String reason = outcome.reason();
        if (reason != null) {
            record.conditions.put(
                    reason.equals("Error") ? RESIZE_IN_PROGRESS : RESIZE_PENDING,
                    new PodRecord.Waiting(reason, outcome.message()));
            if (!reason.equals("Infeasible")) {
                wake.in(RESIZE_RETRY);
            }
        }
        return outcome.pod();
    }

    private static String summary(Pod pod) {
        ObjectNode all = JsonNodeFactory.instance.objectNode();
        for (boolean init : new boolean[] {true, false}) {
            List<Container> some =
                    init ? pod.getSpec().getInitContainers() : pod.getSpec().getContainers();
            if (!some.isEmpty()) {
                ArrayNode list = all.putArray(init ? "initContainers" : "containers");
                some.forEach(c -> list.addObject()
                        .put("name", c.getName())
                        .set("resources", KubernetesJson.mapper().valueToTree(c.getResources())));
            }
        }
        return all.toString();
    }

    /** Ends a pod that has written more to its node's disk than it may (pkg/kubelet/eviction). */
    private void evict(Pod pod, PodRecord record, Wake wake) {
        if (!DiskLimits.has(pod)) {
            return;
        }
        ContainerRuntime.Usage usage = runtime.usage(pod);
        String why = DiskLimits.exceeded(pod, usage);
        if (why == null) {
            if (!usage.containers().isEmpty()) {
                wake.in(HOUSEKEEPING);
            }
            return;
        }
        record.failureReason = EVICTED;
        record.failureMessage = why;
        events.of(record.node).warning(pod, EVICTED, why);
    }

    /** Somebody else has written a phase since we did: from now on they decide. */
    private static void noticeForeign(Pod pod, PodRecord record) {
        String phase = pod.getStatus() == null ? null : pod.getStatus().getPhase();
        if (record.written == null || phase == null) {
            record.foreign |= record.written == null
                    && (record.held || record.ordered.isEmpty())
                    && PodStatuses.isTerminal(phase);
            return;
        }
        // Our own writes are in the cache before the next call: a difference is not ours.
        record.foreign |= !phase.equals(record.written.getPhase());
    }

    private static boolean isEnded(Pod pod, PodRecord record) {
        return pod.getStatus() != null
                && PodStatuses.isTerminal(pod.getStatus().getPhase())
                && (record.written == null || PodStatuses.isTerminal(record.written.getPhase()));
    }

    /** Sees to the pod's address; false if it must wait for one. */
    private boolean prepare(Pod pod, PodRecord record, Wake wake) {
        if (record.ip != null) {
            return true;
        }
        String handler = inputs.runtimeHandler(pod);
        if (!runtime.handles(handler)) {
            if (record.nag("sandbox", driver.now(), NAG)) {
                events.of(record.node)
                        .warning(
                                pod,
                                "FailedCreatePodSandBox",
                                "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime:"
                                        + " no runtime for \"" + handler + "\" is configured");
            }
            wake.in(NAG);
            return false;
        }
        if (isHostNetwork(pod)) {
            record.ip = nodes.hostAddress(record.node);
            return true;
        }
        AddressPool pool = nodes.addresses(record.node).orElse(null);
        if (pool == null) {
            wake.in(Duration.ofMillis(250)); // the node has no pod CIDR yet
            return false;
        }
        record.ip = pool.take();
        if (record.ip == null) {
            events.of(record.node)
                    .warning(
                            pod,
                            "FailedCreatePodSandBox",
                            "Failed to create pod sandbox: no addresses are left in the pod CIDR of node "
                                    + record.node);
            wake.in(NAG);
            return false;
        }
        return true;
    }

    /** The address that a pod was given; null if none yet. */
    @Nullable
    String address(Pod pod) {
        PodRecord record = records.get(Request.of(pod));
        return record == null || !record.uid.equals(pod.getMetadata().getUid()) ? null : record.ip;
    }

    private static boolean isHostNetwork(Pod pod) {
        return Boolean.TRUE.equals(pod.getSpec().getHostNetwork());
    }

    private Map<String, ContainerState> containers(PodRecord record) {
        Map<String, ContainerState> byName = new HashMap<>();
        runtime.containers(record.uid).forEach(state -> byName.put(state.name(), state));
        return byName;
    }

    // ---- running

    private void run(Pod pod, PodRecord record, Map<String, ContainerState> containers, Wake wake) {
        String policy = Objects.requireNonNullElse(pod.getSpec().getRestartPolicy(), "Always");
        // First of all: a container may have ended before anybody looked, and was started all the same.
        pod.getSpec().getInitContainers().forEach(c -> tellStarted(pod, record, c, containers, "spec.initContainers"));
        pod.getSpec().getContainers().forEach(c -> tellStarted(pod, record, c, containers, "spec.containers"));
        for (Container init : pod.getSpec().getInitContainers()) {
            ContainerState state = containers.get(init.getName());
            if (PodStatuses.isSidecar(init)) {
                keep(pod, record, init, state, "Always", "spec.initContainers", wake);
                if (state == null || !state.isRunning() && state.attempt() == 0) {
                    return; // the rest waits for its first start
                }
                Prober.Findings found = record.probed.get(init.getName());
                if (found != null
                        && !found.started()
                        && pod.getSpec().getContainers().stream().noneMatch(c -> containers.containsKey(c.getName()))) {
                    return; // and, at first, for its startup probe
                }
                continue;
            }
            if (state != null && !state.isRunning() && state.exitCode() == 0) {
                continue;
            }
            boolean retries = !policy.equals("Never");
            if (state == null || !state.isRunning() && retries) {
                keep(pod, record, init, state, retries ? "OnFailure" : "Never", "spec.initContainers", wake);
            }
            return; // one at a time
        }
        for (Container container : pod.getSpec().getContainers()) {
            keep(pod, record, container, containers.get(container.getName()), policy, "spec.containers", wake);
        }
        for (Container container : PodStatuses.ephemeral(pod)) {
            tellStarted(pod, record, container, containers, "spec.ephemeralContainers");
            if (containers.get(container.getName()) == null) {
                keep(pod, record, container, null, "Never", "spec.ephemeralContainers", wake);
            }
        }
    }

    /** Sees to the pod's volumes; false if something that they show is missing, which is tried again. */
    private boolean mount(Pod pod, PodRecord record, Wake wake) {
        boolean follows = PodInputs.mayChange(pod);
        if (record.mounted != null && (!follows || driver.now().isBefore(record.mounted.plus(REMOUNT)))) {
            if (follows) {
                wake.in(Duration.between(driver.now(), record.mounted.plus(REMOUNT)));
            }
            return true;
        }
        if (pod.getSpec().getVolumes().isEmpty()) {
            return true;
        }
        try {
            Map<String, ContainerSetup.Volume> volumes = inputs.volumes(pod, record);
            if (record.mounted == null) {
                for (Map.Entry<String, String> bad :
                        runtime.unmountable(pod, volumes).entrySet()) {
                    throw new PodInputs.MissingException(bad.getKey() + "\n" + bad.getValue());
                }
            }
            runtime.volumes(pod, volumes);
            record.mounted = driver.now();
            if (follows) {
                wake.in(REMOUNT);
            }
            return true;
        } catch (PodInputs.MissingException e) {
            if (record.mounted != null) {
                record.mounted = driver.now();
                wake.in(REMOUNT);
                return true; // what was there stays
            }
            String[] parts = String.valueOf(e.getMessage()).split("\n", 2);
            if (record.nag("mount", driver.now(), NAG)) {
                events.of(record.node)
                        .warning(
                                pod,
                                "FailedMount",
                                "MountVolume.SetUp failed for volume \"" + parts[0] + "\" : "
                                        + parts[parts.length - 1]);
            }
            wake.in(Duration.ofSeconds(2));
            return false;
        }
    }

    /** Starts a container that does not run and should. */
    private void keep(
            Pod pod,
            PodRecord record,
            Container container,
            @Nullable ContainerState state,
            String policy,
            String field,
            Wake wake) {
        String name = container.getName();
        if (state != null && state.isRunning()) {
            record.waiting.remove(name);
            if (runtime.isProbed(pod, container)) {
                probe(pod, record, container, state, field, wake);
                return;
            }
            record.probed.remove(name);
            Instant ready = runtime.readyAt(pod, container, state);
            if (ready != null && ready.isAfter(driver.now())) {
                wake.in(Duration.between(driver.now(), ready));
            }
            return;
        }
        Integer ordered = record.ordered.get(name);
        int attempt = state == null ? 0 : state.attempt() + 1;
        if (ordered != null && ordered >= attempt) {
            return; // on its way
        }
        if (state != null && !record.resized.contains(name)) {
            boolean again = policy.equals("Always") || policy.equals("OnFailure") && state.exitCode() != 0;
            if (!again || !mayRestart(pod, record, container, state, field, wake)) {
                return;
            }
        }
        if (hasImage(pod, record, container, attempt, field, wake)) {
            ContainerSetup setup;
            try {
                PodInputs.verifyUser(pod, container);
                setup = inputs.setup(pod, record, container);
                String unprepared = runtime.unprepared(pod, container, setup);
                if (unprepared != null) {
                    throw new PodInputs.MissingException(unprepared);
                }
            } catch (PodInputs.MissingException e) {
                String why = String.valueOf(e.getMessage());
                record.waiting.put(name, new PodRecord.Waiting("CreateContainerConfigError", why));
                if (record.nag("config/" + name + why, driver.now(), NAG)) {
                    events.of(record.node).record(part(pod, container, field), "Warning", "Failed", "Error: " + why);
                }
                wake.in(Duration.ofSeconds(2));
                return;
            }
            record.ordered.put(name, attempt);
            record.resized.remove(name);
            if (state == null) {
                record.waiting.remove(name);
            }
            events.of(record.node)
                    .record(part(pod, container, field), "Normal", "Created", "Created container: " + name);
            record.lastOrder = driver.now();
            runtime.start(pod, container, attempt, setup);
        }
    }

    private void probe(Pod pod, PodRecord record, Container container, ContainerState state, String field, Wake wake) {
        Prober.Findings found = record.prober.look(runtime, pod, container, state, driver.now());
        record.probed.put(container.getName(), found);
        EventRecorder recorder = events.of(record.node);
        found.unhealthy()
                .values()
                .forEach(why -> recorder.record(part(pod, container, field), "Warning", "Unhealthy", why));
        found.warnings()
                .values()
                .forEach(why -> recorder.record(part(pod, container, field), "Warning", "ProbeWarning", why));
        String failed = found.failed();
        if (failed != null && record.pulls.add("killed/" + container.getName() + state.attempt())) {
            recorder.record(
                    part(pod, container, field),
                    "Normal",
                    "Killing",
                    "Container " + container.getName() + " failed " + failed + " probe"
                            + ("Never".equals(pod.getSpec().getRestartPolicy()) ? "" : ", will be restarted"));
            Probe probe = failed.equals("startup") ? container.getStartupProbe() : container.getLivenessProbe();
            Long grace = probe == null ? null : probe.getTerminationGracePeriodSeconds();
            runtime.stop(pod, container, Duration.ofSeconds(grace == null ? gracePeriod(pod) : grace));
        }
        if (found.next() != null && failed == null) {
            Duration left = Duration.between(driver.now(), found.next());
            wake.in(left.isNegative() ? Duration.ZERO : left);
        }
    }

    private void tellStarted(
            Pod pod, PodRecord record, Container container, Map<String, ContainerState> containers, String field) {
        ContainerState state = containers.get(container.getName());
        if (state != null && record.pulls.add("started/" + container.getName() + state.attempt())) {
            events.of(record.node)
                    .record(
                            part(pod, container, field),
                            "Normal",
                            "Started",
                            "Started container " + container.getName());
        }
    }

    private boolean mayRestart(
            Pod pod, PodRecord record, Container container, ContainerState state, String field, Wake wake) {
        String thing = "restart/" + container.getName();
        // The first restart is immediate, as a kubelet's is; each one counts.
        if (record.pulls.add("ended/" + container.getName() + state.attempt())) {
            if (state.attempt() == 0) {
                return true;
            }
            record.backOff(thing, driver.now());
        }
        Duration left = record.left(thing, driver.now());
        if (left.isZero()) {
            return true;
        }
        String what = container.getName() + " in pod " + pod.getMetadata().getName() + "_"
                + pod.getMetadata().getNamespace() + "(" + record.uid + ")";
        record.waiting.put(
                container.getName(),
                new PodRecord.Waiting(
                        "CrashLoopBackOff",
                        "back-off " + text(record.wait(thing)) + " restarting failed container="
                                + container.getName() + " pod="
                                + pod.getMetadata().getName() + "_"
                                + pod.getMetadata().getNamespace() + "(" + record.uid + ")"));
        if (record.nag(thing, driver.now(), NAG)) {
            events.of(record.node)
                    .record(
                            part(pod, container, field),
                            "Warning",
                            "BackOff",
                            "Back-off restarting failed container " + what);
        }
        wake.in(left.compareTo(NAG) < 0 ? left : NAG);
        return false;
    }

    // ---- images

    private boolean hasImage(Pod pod, PodRecord record, Container container, int attempt, String field, Wake wake) {
        String image = container.getImage();
        String thing = "image/" + container.getName();
        String asked = "pull/" + container.getName() + attempt;
        ObjectReference part = part(pod, container, field);
        EventRecorder recorder = events.of(record.node);
        ImageState state = runtime.image(record.node, image);
        boolean always = "Always".equals(container.getImagePullPolicy());
        boolean wasAsked = record.pulls.contains(asked);
        switch (state.progress()) {
            case PRESENT -> {
                if (always && !wasAsked) {
                    break; // asked for anew each time
                }
                recorder.record(part, "Normal", "Pulled", pulled(image, state, wasAsked));
                return true;
            }
            case PULLING -> {
                if (!wasAsked) {
                    break; // for another pod: be told, too
                }
                // Ours may have failed and another pod's be on its way since: without asking again we would never be
                // told.
                runtime.pull(record.node, image, record.uid);
                return false;
            }
            case FAILED -> {
                if (wasAsked) {
                    failed(pod, record, container, state, asked, field);
                    wake.in(ERROR_SHOWN);
                    return false;
                }
            }
            case ABSENT -> {}
        }
        if ("Never".equals(container.getImagePullPolicy())) {
            String why = "Container image \"" + image + "\" is not present with pull policy of Never";
            record.waiting.put(container.getName(), new PodRecord.Waiting("ErrImageNeverPull", why));
            recorder.record(part, "Warning", "ErrImageNeverPull", why);
            wake.in(NAG);
            return false;
        }
        Duration left = record.left(thing, driver.now());
        if (!left.isZero()) {
            Instant told = record.pullErrors.get(container.getName());
            if (told != null && driver.now().isBefore(told.plus(ERROR_SHOWN))) {
                wake.in(Duration.between(driver.now(), told.plus(ERROR_SHOWN)));
                return false;
            }
            String why = "Back-off pulling image \"" + image + "\"";
            PodRecord.Waiting before = record.waiting.get(container.getName());
            String detail = before != null && before.reason().equals("ErrImagePull")
                    ? why + ": ErrImagePull: " + before.message()
                    : before == null ? why : before.message();
            record.waiting.put(container.getName(), new PodRecord.Waiting("ImagePullBackOff", detail));
            if (record.nag(thing, driver.now(), NAG)) {
                recorder.record(part, "Normal", "BackOff", why);
                recorder.record(part, "Warning", "Failed", "Error: ImagePullBackOff");
            }
            wake.in(left.compareTo(NAG) < 0 ? left : NAG);
            return false;
        }
        recorder.record(part, "Normal", "Pulling", "Pulling image \"" + image + "\"");
        record.pulls.add(asked);
        record.lastOrder = driver.now();
        runtime.pull(record.node, image, record.uid);
        return false;
    }

    private void failed(Pod pod, PodRecord record, Container container, ImageState state, String asked, String field) {
        record.pulls.remove(asked);
        record.backOff("image/" + container.getName(), driver.now());
        record.pullErrors.put(container.getName(), driver.now());
        record.waiting.put(container.getName(), new PodRecord.Waiting("ErrImagePull", state.message()));
        EventRecorder recorder = events.of(record.node);
        ObjectReference part = part(pod, container, field);
        recorder.record(
                part, "Warning", "Failed", "Failed to pull image \"" + container.getImage() + "\": " + state.message());
        recorder.record(part, "Warning", "Failed", "Error: ErrImagePull");
    }

    private static String pulled(String image, ImageState state, boolean wasAsked) {
        if (!wasAsked || state.took() == null) {
            return "Container image \"" + image + "\" already present on machine";
        }
        String took = text(state.took());
        return "Successfully pulled image \"" + image + "\" in " + took + " (" + took + " including waiting)";
    }

    // ---- ending

    private void stopAll(Pod pod, PodRecord record, Map<String, ContainerState> containers, Duration grace) {
        if (record.stopping) {
            return;
        }
        record.stopping = true;
        for (ContainerState state : containers.values()) {
            if (state.isRunning()) {
                String field = pod.getSpec().getInitContainers().stream()
                                .anyMatch(c -> c.getName().equals(state.name()))
                        ? "spec.initContainers"
                        : "spec.containers";
                ObjectReference reference = EventRecorder.referenceTo(pod);
                reference.setFieldPath(field + "{" + state.name() + "}");
                events.of(record.node).record(reference, "Normal", "Killing", "Stopping container " + state.name());
                Container container = PodStatuses.container(pod, state.name());
                if (container != null) {
                    runtime.stop(pod, container, grace);
                }
            }
        }
    }

    private Result terminate(Request request, Pod pod, PodRecord record, Map<String, ContainerState> containers) {
        Long grace = pod.getMetadata().getDeletionGracePeriodSeconds();
        stopAll(pod, record, containers, Duration.ofSeconds(grace == null ? gracePeriod(pod) : grace));
        if (containers(record).values().stream().anyMatch(ContainerState::isRunning)) {
            return watchReadiness(pod, record, containers); // the runtime tells when they have ended
        }
        if (!record.foreign && !containers.isEmpty()) {
            publish(pod, record, containers(record), new Wake());
        }
        try {
            client.delete(
                    PODS,
                    request.namespace(),
                    request.name(),
                    new DeleteOptionsBuilder()
                            .withGracePeriodSeconds(0L)
                            .withNewPreconditions()
                            .withUid(record.uid)
                            .endPreconditions()
                            .build());
        } catch (ApiException e) {
            if (!e.isNotFound() && !e.isConflict()) {
                throw e;
            }
        }
        return Result.done(); // gone, or kept by somebody's finalizer: its containers are gone either way
    }

    /** A pod that ends may still serve: its readiness is asked for as long as it runs. */
    private Result watchReadiness(Pod pod, PodRecord record, Map<String, ContainerState> containers) {
        Wake wake = new Wake();
        boolean probed = false;
        for (Container container : pod.getSpec().getContainers()) {
            ContainerState state = containers.get(container.getName());
            if (container.getReadinessProbe() != null
                    && state != null
                    && state.isRunning()
                    && runtime.isProbed(pod, container)) {
                Prober.Findings found = record.prober.look(runtime, pod, container, state, driver.now());
                record.probed.put(container.getName(), found);
                if (found.next() != null) {
                    Duration left = Duration.between(driver.now(), found.next());
                    wake.in(left.isNegative() ? Duration.ZERO : left);
                }
                probed = true;
            }
        }
        if (probed && !record.foreign) {
            publish(pod, record, containers, wake);
        }
        return wake.result();
    }

    private static long gracePeriod(Pod pod) {
        Long grace = pod.getSpec().getTerminationGracePeriodSeconds();
        return grace == null ? 30 : Math.max(1, grace);
    }

    // ---- telling

    private void publish(Pod pod, PodRecord record, Map<String, ContainerState> containers, Wake wake) {
        Duration held = driver.isVirtual() ? Duration.ZERO : held(pod, record, containers);
        if (!held.isZero()) {
            record.held = true;
            wake.in(held);
            return;
        }
        Map<String, Container> specs = new HashMap<>();
        pod.getSpec().getInitContainers().forEach(c -> specs.put(c.getName(), c));
        pod.getSpec().getContainers().forEach(c -> specs.put(c.getName(), c));
        Map<String, ContainerState> ended = new HashMap<>();
        Map<String, ContainerState> shown = new HashMap<>(containers);
        lastStates(pod, containers, record, ended);
        boolean stopped = record.stopping && pod.getMetadata().getDeletionTimestamp() == null;
        PodStatus status = PodStatuses.build(new PodStatuses.Inputs(
                pod,
                shown,
                record.waiting,
                ended,
                state -> {
                    Prober.Findings found = record.probed.get(state.name());
                    return found == null || found.started();
                },
                state -> {
                    Container spec = specs.get(state.name());
                    Prober.Findings found = record.probed.get(state.name());
                    if (found != null) {
                        return found.ready() && !stopped;
                    }
                    Instant ready = spec == null || stopped ? null : runtime.readyAt(pod, spec, state);
                    return ready != null && !ready.isAfter(driver.now());
                },
                record.rejected ? null : record.startTime,
                nodes.hostAddress(record.node),
                record.ip,
                record.failureReason,
                record.failureMessage,
                record.conditions,
                driver.now()));
        if (status.equals(record.written) && !isReadinessOverwritten(pod, status)) {
            return;
        }
        try {
            client.patchOnly(
                    PODS,
                    pod.getMetadata().getNamespace(),
                    pod.getMetadata().getName(),
                    Patch.strategic(body(record.uid, status, record.written == null ? pod.getStatus() : record.written))
                            .on("status"));
        } catch (ApiException e) {
            if (!e.isNotFound()) {
                throw e;
            }
            return; // it is gone: its deletion will be seen soon
        }
        record.written = status;
    }

    /**
     * How long a first status that says no more than that containers are being made is kept back: what follows at once replaces
     * it, as in a kubelet, whose status manager sends the newest status there is. In virtual time every state is shown.
     */
    private Duration held(Pod pod, PodRecord record, Map<String, ContainerState> containers) {
        boolean says = record.written != null
                || record.failureReason != null
                || !record.waiting.isEmpty()
                || pod.getMetadata().getDeletionTimestamp() != null
                || !pod.getSpec().getInitContainers().isEmpty()
                || pod.getSpec().getContainers().stream().allMatch(c -> containers.containsKey(c.getName()))
                || pod.getSpec().getContainers().stream()
                        .anyMatch(c ->
                                runtime.image(record.node, c.getImage()).progress() != ImageState.Progress.PRESENT);
        Duration left = Duration.between(driver.now(), record.lastOrder.plus(FIRST_STATUS));
        return says || left.isNegative() ? Duration.ZERO : left;
    }

    /** Whether somebody took the pod for not ready, as is done when its node falls silent: they are told otherwise. */
    private static boolean isReadinessOverwritten(Pod pod, PodStatus ours) {
        String theirs = readiness(pod.getStatus());
        return theirs != null && !theirs.equals(readiness(ours));
    }

    private static @Nullable String readiness(@Nullable PodStatus status) {
        return status == null
                ? null
                : status.getConditions().stream()
                        .filter(c -> "Ready".equals(c.getType()))
                        .map(c -> c.getStatus())
                        .findFirst()
                        .orElse(null);
    }

    /** How the attempt before ended: known from the last status, or from the present state if it waits to run again. */
    private static void lastStates(
            Pod pod, Map<String, ContainerState> containers, PodRecord record, Map<String, ContainerState> ended) {
        if (pod.getStatus() == null) {
            return;
        }
        List<ContainerStatus> statuses = new ArrayList<>(pod.getStatus().getContainerStatuses());
        statuses.addAll(pod.getStatus().getInitContainerStatuses());
        for (ContainerStatus status : statuses) {
            ContainerState now = containers.get(status.getName());
            if (now == null) {
                continue;
            }
            int before = status.getRestartCount() == null ? 0 : status.getRestartCount();
            if (!now.isRunning() && record.waiting.containsKey(status.getName())) {
                ended.put(status.getName(), now);
            } else if (now.attempt() > 0) {
                ContainerState reported = reported(status, before);
                if (reported != null && !reported.isRunning() && before < now.attempt()) {
                    ended.put(status.getName(), reported);
                } else if (status.getLastState() != null
                        && status.getLastState().getTerminated() != null) {
                    var t = status.getLastState().getTerminated();
                    ended.put(
                            status.getName(),
                            new ContainerState(
                                    status.getName(),
                                    before,
                                    Objects.requireNonNullElse(t.getContainerID(), ""),
                                    Instant.parse(t.getStartedAt()),
                                    Instant.parse(t.getFinishedAt()),
                                    t.getExitCode(),
                                    Objects.requireNonNullElse(t.getReason(), ""),
                                    Objects.requireNonNullElse(t.getMessage(), "")));
                }
            }
        }
    }

    private static String body(String uid, PodStatus status, @Nullable PodStatus before) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("metadata").put("uid", uid);
        ObjectNode tree = KubernetesJson.mapper().valueToTree(status);
        if (before != null) {
            dropReasons(tree, before);
            dropConditions(tree, before);
        }
        body.set("status", tree);
        try {
            return KubernetesJson.mapper().writeValueAsString(body);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a pod status cannot be written", e);
        }
    }

    /** Conditions merge with what the server has: a reason that no longer holds has to be taken away. */
    private static void dropReasons(ObjectNode status, PodStatus before) {
        for (JsonNode condition : status.path("conditions")) {
            before.getConditions().stream()
                    .filter(old -> condition.path("type").asText().equals(old.getType()))
                    .forEach(old -> {
                        if (old.getReason() != null && !condition.has("reason")) {
                            ((ObjectNode) condition).putNull("reason");
                        }
                        if (old.getMessage() != null && !condition.has("message")) {
                            ((ObjectNode) condition).putNull("message");
                        }
                    });
        }
    }

    /** So has a condition that only shows while something goes on. */
    private static void dropConditions(ObjectNode status, PodStatus before) {
        for (var old : before.getConditions()) {
            boolean ours = old.getType().equals(RESIZE_PENDING) || old.getType().equals(RESIZE_IN_PROGRESS);
            boolean stays = false;
            for (JsonNode condition : status.path("conditions")) {
                stays |= condition.path("type").asText().equals(old.getType());
            }
            if (ours && !stays) {
                status.withArray("conditions")
                        .addObject()
                        .put("$patch", "delete")
                        .put("type", old.getType());
            }
        }
    }

    private static ObjectReference part(Pod pod, Container container, String field) {
        ObjectReference reference = EventRecorder.referenceTo(pod);
        reference.setFieldPath(field + "{" + container.getName() + "}");
        return reference;
    }

    /** A time as Go prints it, to the millisecond. */
    private static String text(Duration time) {
        if (time.compareTo(Duration.ofSeconds(1)) < 0) {
            return time.toMillis() + "ms";
        }
        long minutes = time.toMinutes();
        String seconds = time.toMillisPart() == 0
                ? time.toSecondsPart() + "s"
                : time.toSecondsPart() + "."
                        + String.format("%03d", time.toMillisPart()).replaceAll("0+$", "") + "s";
        return minutes > 0 ? minutes + "m" + seconds : seconds;
    }

    /** The soonest moment at which the pod must be looked at again. Belongs to one call. */
    private static final class Wake {
        private @Nullable Duration soonest;

        void in(Duration time) {
            if (soonest == null || time.compareTo(soonest) < 0) {
                soonest = time;
            }
        }

        Result result() {
            return soonest == null ? Result.done() : Result.after(soonest);
        }
    }
}
