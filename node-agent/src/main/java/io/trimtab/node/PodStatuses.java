package io.trimtab.node;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.ContainerStateBuilder;
import io.fabric8.kubernetes.api.model.ContainerStateRunning;
import io.fabric8.kubernetes.api.model.ContainerStateWaiting;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.HostIP;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.PodIP;
import io.fabric8.kubernetes.api.model.PodReadinessGate;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.PodStatusBuilder;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.trimtab.node.runtime.ContainerRuntime.ContainerState;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The status of a pod, made of what its containers do: phase, conditions and container statuses as a kubelet reports them. Pure
 * functions.
 */
final class PodStatuses {
    static final String READY = "Ready";
    private static final String PENDING = "Pending";
    private static final String RUNNING = "Running";
    private static final String SUCCEEDED = "Succeeded";
    private static final String FAILED = "Failed";

    private PodStatuses() {}

    /**
     * What a status is made of.
     *
     * @param containers the last attempt of each container that was ever started, by name
     * @param waiting why a container does not run, by name
     * @param lastStates how the attempt before ended, by name
     * @param isStarted whether the startup probe has succeeded
     * @param isReady what the probes find of a running container
     * @param hostIp of the node
     * @param podIp null before the sandbox is made
     * @param conditions that are true besides those that every pod has, by type
     */
    record Inputs(
            Pod pod,
            Map<String, ContainerState> containers,
            Map<String, PodRecord.Waiting> waiting,
            Map<String, ContainerState> lastStates,
            Predicate<ContainerState> isStarted,
            Predicate<ContainerState> isReady,
            @Nullable Instant startTime,
            String hostIp,
            @Nullable String podIp,
            @Nullable String failureReason,
            @Nullable String failureMessage,
            Map<String, PodRecord.Waiting> conditions,
            Instant now) {}

    static PodStatus build(Inputs in) {
        if (in.startTime == null) {
            return new PodStatusBuilder()
                    .withPhase(FAILED)
                    .withReason(in.failureReason)
                    .withMessage(in.failureMessage)
                    .withObservedGeneration(in.pod.getMetadata().getGeneration())
                    .withQosClass(
                            in.pod.getStatus() == null
                                    ? null
                                    : in.pod.getStatus().getQosClass())
                    .build();
        }
        String phase = phase(in);
        List<ContainerStatus> statuses = new ArrayList<>();
        for (Container container : in.pod.getSpec().getContainers()) {
            statuses.add(containerStatus(in, container));
        }
        List<ContainerStatus> initStatuses = new ArrayList<>();
        for (Container container : in.pod.getSpec().getInitContainers()) {
            initStatuses.add(containerStatus(in, container));
        }
        List<ContainerStatus> ephemeralStatuses = new ArrayList<>();
        for (Container container : ephemeral(in.pod)) {
            ephemeralStatuses.add(containerStatus(in, container));
        }
        PodStatus before = in.pod.getStatus();
        // By setters and not by a builder, which would copy every part of it: a status is made at each look at a pod.
        PodStatus status = new PodStatus();
        status.setPhase(phase);
        status.setHostIP(in.hostIp);
        status.setHostIPs(List.of(new HostIP(in.hostIp)));
        status.setStartTime(time(Objects.requireNonNull(in.startTime)));
        status.setObservedGeneration(in.pod.getMetadata().getGeneration());
        status.setContainerStatuses(statuses);
        status.setInitContainerStatuses(initStatuses);
        status.setEphemeralContainerStatuses(ephemeralStatuses);
        status.setReason(in.failureReason);
        status.setMessage(in.failureMessage);
        status.setQosClass(before == null ? null : before.getQosClass());
        if (in.podIp != null) {
            status.setPodIP(in.podIp);
            status.setPodIPs(List.of(new PodIP(in.podIp)));
        }
        status.setConditions(conditions(in, phase, statuses, initStatuses));
        return status;
    }

    /** The ephemeral containers as if they were of the other kind. */
    static List<Container> ephemeral(Pod pod) {
        return pod.getSpec().getEphemeralContainers().stream()
                .map(e -> new ContainerBuilder()
                        .withName(e.getName())
                        .withImage(e.getImage())
                        .withImagePullPolicy(e.getImagePullPolicy())
                        .withCommand(e.getCommand())
                        .withArgs(e.getArgs())
                        .withEnv(e.getEnv())
                        .withEnvFrom(e.getEnvFrom())
                        .withVolumeMounts(e.getVolumeMounts())
                        .withSecurityContext(e.getSecurityContext())
                        .withStdin(e.getStdin())
                        .withTty(e.getTty())
                        .withTerminationMessagePath(e.getTerminationMessagePath())
                        .withTerminationMessagePolicy(e.getTerminationMessagePolicy())
                        .build())
                .toList();
    }

    /** A pod's container of any kind; null if there is none of that name. */
    static @Nullable Container container(Pod pod, String name) {
        List<Container> all = new ArrayList<>(pod.getSpec().getInitContainers());
        all.addAll(pod.getSpec().getContainers());
        all.addAll(ephemeral(pod));
        return all.stream().filter(c -> name.equals(c.getName())).findFirst().orElse(null);
    }

    // ---- phase

    private static String phase(Inputs in) {
        if (in.failureReason != null) {
            return FAILED;
        }
        String policy = Objects.requireNonNullElse(in.pod.getSpec().getRestartPolicy(), "Always");
        for (Container init : in.pod.getSpec().getInitContainers()) {
            ContainerState state = in.containers.get(init.getName());
            if (isSidecar(init)) {
                if (state == null) {
                    return PENDING;
                }
            } else if (state == null || state.isRunning()) {
                return PENDING;
            } else if (state.exitCode() != 0) {
                return policy.equals("Never") ? FAILED : PENDING;
            }
        }
        int waiting = 0;
        int running = 0;
        int failed = 0;
        int succeeded = 0;
        for (Container container : in.pod.getSpec().getContainers()) {
            ContainerState state = in.containers.get(container.getName());
            if (state == null) {
                waiting++;
            } else if (state.isRunning()) {
                running++;
            } else if (state.exitCode() == 0) {
                succeeded++;
            } else {
                failed++;
            }
        }
        if (waiting > 0) {
            return PENDING;
        }
        // A pod that is being deleted starts nothing again, whatever its policy.
        boolean terminating = in.pod.getMetadata().getDeletionTimestamp() != null;
        if (running == 0 && terminating) {
            return failed == 0 ? SUCCEEDED : FAILED;
        }
        if (running > 0 || policy.equals("Always")) {
            return RUNNING;
        }
        if (failed == 0) {
            return SUCCEEDED;
        }
        return policy.equals("Never") ? FAILED : RUNNING;
    }

    static boolean isTerminal(@Nullable String phase) {
        return SUCCEEDED.equals(phase) || FAILED.equals(phase);
    }

    static boolean isSidecar(Container container) {
        return "Always".equals(container.getRestartPolicy());
    }

    // ---- containers

    private static ContainerStatus containerStatus(Inputs in, Container container) {
        String name = container.getName();
        ContainerState state = in.containers.get(name);
        PodRecord.Waiting waiting = in.waiting.get(name);
        ContainerStatus status = new ContainerStatus();
        status.setName(name);
        status.setImage(container.getImage());
        status.setImageID(state == null ? "" : state.id().replace("simulated://", "simulated-image@sha256:"));
        status.setRestartCount(state == null ? 0 : state.attempt());
        status.setReady(false);
        status.setStarted(false);
        ContainerState last = in.lastStates.get(name);
        if (last != null) {
            status.setLastState(ended(last));
        }
        if (state != null) {
            status.setContainerID(state.id());
            resources(status, container.getResources());
        }
        io.fabric8.kubernetes.api.model.ContainerState shown = new io.fabric8.kubernetes.api.model.ContainerState();
        if (state != null && state.isRunning()) {
            status.setReady(in.isReady.test(state));
            status.setStarted(in.isStarted.test(state));
            shown.setRunning(new ContainerStateRunning(time(state.startedAt())));
            status.setState(shown);
        } else if (state == null || waiting != null) {
            PodRecord.Waiting why = waiting == null ? new PodRecord.Waiting(creating(in), "") : waiting;
            shown.setWaiting(new ContainerStateWaiting(why.message().isEmpty() ? null : why.message(), why.reason()));
            status.setState(shown);
        } else {
            boolean isInit = in.pod.getSpec().getInitContainers().stream()
                    .anyMatch(c -> c.getName().equals(name));
            status.setReady(isInit && state.exitCode() == 0);
            status.setState(ended(state));
        }
        return status;
    }

    private static io.fabric8.kubernetes.api.model.ContainerState ended(ContainerState state) {
        return new ContainerStateBuilder()
                .withNewTerminated()
                .withContainerID(state.id())
                .withExitCode(state.exitCode())
                .withReason(state.reason())
                .withMessage(state.message().isEmpty() ? null : state.message())
                .withStartedAt(time(state.startedAt()))
                .withFinishedAt(time(Objects.requireNonNull(state.finishedAt())))
                .endTerminated()
                .build();
    }

    /** Whether it runs or not: what it would run with. Empty is not the same as unknown. */
    private static void resources(ContainerStatus status, @Nullable ResourceRequirements resources) {
        ResourceRequirements given = new ResourceRequirements();
        if (resources != null) {
            given.setRequests(resources.getRequests());
            given.setLimits(resources.getLimits());
            if (resources.getRequests() != null && !resources.getRequests().isEmpty()) {
                status.setAllocatedResources(resources.getRequests());
            }
        }
        status.setResources(given);
    }

    private static String creating(Inputs in) {
        return in.pod.getSpec().getInitContainers().isEmpty() ? "ContainerCreating" : "PodInitializing";
    }

    // ---- conditions

    private static List<PodCondition> conditions(
            Inputs in, String phase, List<ContainerStatus> statuses, List<ContainerStatus> initStatuses) {
        List<PodCondition> conditions = new ArrayList<>();
        boolean terminal = isTerminal(phase);
        boolean sandbox = in.podIp != null && !terminal;
        conditions.add(condition(in, "PodReadyToStartContainers", sandbox, null, null));
        conditions.add(initialized(in, phase, initStatuses));
        List<String> unready = new ArrayList<>();
        for (Container init : in.pod.getSpec().getInitContainers()) {
            if (isSidecar(init)) {
                initStatuses.stream()
                        .filter(s -> s.getName().equals(init.getName()) && !Boolean.TRUE.equals(s.getReady()))
                        .forEach(s -> unready.add(s.getName()));
            }
        }
        statuses.stream().filter(s -> !Boolean.TRUE.equals(s.getReady())).forEach(s -> unready.add(s.getName()));
        String reason = null;
        String message = null;
        if (terminal) {
            reason = phase.equals(SUCCEEDED) ? "PodCompleted" : "PodFailed";
        } else if (!unready.isEmpty()) {
            reason = "ContainersNotReady";
            message = "containers with unready status: [" + String.join(" ", unready) + "]";
        }
        boolean containersReady = reason == null;
        List<String> gates = unmetGates(in.pod);
        String readyReason = reason;
        String readyMessage = message;
        if (containersReady && !gates.isEmpty()) {
            readyReason = "ReadinessGatesNotReady";
            readyMessage = String.join(", ", gates);
        }
        conditions.add(condition(in, READY, readyReason == null, readyReason, readyMessage));
        conditions.add(condition(in, "ContainersReady", containersReady, reason, message));
        conditions.add(condition(in, "PodScheduled", true, null, null));
        in.conditions.forEach((type, why) -> conditions.add(condition(
                in,
                type,
                true,
                why.reason().isEmpty() ? null : why.reason(),
                why.message().isEmpty() ? null : why.message())));
        return conditions;
    }

    private static PodCondition initialized(Inputs in, String phase, List<ContainerStatus> initStatuses) {
        if (phase.equals(SUCCEEDED)) {
            return condition(in, "Initialized", true, "PodCompleted", null);
        }
        List<String> incomplete = new ArrayList<>();
        List<Container> inits = in.pod.getSpec().getInitContainers();
        for (int i = 0; i < inits.size(); i++) {
            ContainerStatus status = initStatuses.get(i);
            boolean done = isSidecar(inits.get(i))
                    ? Boolean.TRUE.equals(status.getStarted())
                    : Boolean.TRUE.equals(status.getReady());
            if (!done) {
                incomplete.add(status.getName());
            }
        }
        return incomplete.isEmpty()
                ? condition(in, "Initialized", true, null, null)
                : condition(
                        in,
                        "Initialized",
                        false,
                        "ContainersNotInitialized",
                        "containers with incomplete status: [" + String.join(" ", incomplete) + "]");
    }

    private static List<String> unmetGates(Pod pod) {
        List<String> unmet = new ArrayList<>();
        for (PodReadinessGate gate : pod.getSpec().getReadinessGates()) {
            PodCondition found = find(pod, gate.getConditionType());
            if (found == null) {
                unmet.add("corresponding condition of pod readiness gate \"" + gate.getConditionType()
                        + "\" does not exist.");
            } else if (!"True".equals(found.getStatus())) {
                unmet.add("the status of pod readiness gate \"" + gate.getConditionType() + "\" is not \"True\", but "
                        + found.getStatus());
            }
        }
        return unmet;
    }

    private static PodCondition condition(
            Inputs in, String type, boolean value, @Nullable String reason, @Nullable String message) {
        PodCondition before = find(in.pod, type);
        String status = value ? "True" : "False";
        String since = before != null && status.equals(before.getStatus()) && before.getLastTransitionTime() != null
                ? before.getLastTransitionTime()
                : time(in.now);
        PodCondition condition = new PodCondition();
        condition.setType(type);
        condition.setStatus(status);
        condition.setReason(reason);
        condition.setMessage(message);
        condition.setLastTransitionTime(since);
        condition.setObservedGeneration(in.pod.getMetadata().getGeneration());
        return condition;
    }

    private static @Nullable PodCondition find(Pod pod, String type) {
        if (pod.getStatus() == null) {
            return null;
        }
        return pod.getStatus().getConditions().stream()
                .filter(c -> type.equals(c.getType()))
                .findFirst()
                .orElse(null);
    }

    static String time(Instant instant) {
        return instant.truncatedTo(ChronoUnit.SECONDS).toString();
    }
}
