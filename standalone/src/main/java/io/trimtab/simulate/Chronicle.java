package io.trimtab.simulate;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.trimtab.controller.Manager;
import io.trimtab.informer.EventHandler;
import io.trimtab.runtime.VirtualDriver;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Notes what happens to pods, workloads and nodes, in words. Hears of it from the informers that the controllers share, so that
 * nothing is read twice. Runs on the simulation's thread.
 */
final class Chronicle {
    /** What happened to a group of objects within one second, and how often. */
    private record Line(Duration at, String subject, String what) {}

    /** How far a workload has come. */
    private record Progress(int desired, int updated, int available, int total, boolean observed) {
        boolean isComplete() {
            return observed && updated >= desired && total <= desired && available >= desired;
        }
    }

    private static final class Life {
        final Duration created;
        boolean initial;
        boolean scheduled;
        boolean ready;
        boolean ended;
        boolean disrupted;
        String pending = "";

        Life(Duration created) {
            this.created = created;
        }
    }

    private final VirtualDriver driver;
    private final Instant began;
    private final Map<Line, Integer> lines = new LinkedHashMap<>();
    private final Map<String, Life> pods = new HashMap<>();
    private final Map<String, Duration> rollouts = new HashMap<>();
    private final Map<String, String> stuck = new HashMap<>();
    private final List<Long> schedulingMillis = new ArrayList<>();
    private final List<Long> readyMillis = new ArrayList<>();
    private final Map<String, Integer> counts = new TreeMap<>();
    private final List<Outcome.Rollout> finished = new ArrayList<>();
    /** False while something is told that was there before. */
    private boolean listening;

    Chronicle(VirtualDriver driver) {
        this.driver = driver;
        this.began = driver.now();
        this.listening = true;
    }

    /** Begins to take notes; what is there already is known and not told. */
    void follow(Manager manager) {
        on(manager, Pod.class, this::pod, this::podGone);
        on(manager, Node.class, this::node, node -> tell("node " + name(node), "removed"));
        on(manager, Deployment.class, (old, now) -> workload("deployment", now, progress(now)), this::workloadGone);
        on(manager, StatefulSet.class, (old, now) -> workload("statefulset", now, progress(now)), this::workloadGone);
        on(manager, DaemonSet.class, (old, now) -> workload("daemonset", now, progress(now)), this::workloadGone);
        on(manager, Job.class, this::job, job -> {});
    }

    private <T extends HasMetadata> void on(
            Manager manager, Class<T> type, BiConsumer<@Nullable T, T> changed, java.util.function.Consumer<T> gone) {
        manager.informers().informer(type).addHandler(new EventHandler<T>() {
            @Override
            public void onAdd(T object, boolean initial) {
                listening = !initial;
                changed.accept(null, object);
                listening = true;
            }

            @Override
            public void onUpdate(T old, T object) {
                changed.accept(old, object);
            }

            @Override
            public void onDelete(T object, boolean finalStateUnknown) {
                gone.accept(object);
            }
        });
    }

    Duration now() {
        return Duration.between(began, driver.now());
    }

    void tell(String subject, String what) {
        if (listening) {
            Duration second = Duration.ofSeconds(now().toSeconds());
            lines.merge(new Line(second, subject, what), 1, Integer::sum);
        }
    }

    private void count(String what) {
        if (listening) {
            counts.merge(what, 1, Integer::sum);
        }
    }

    private static String name(HasMetadata object) {
        return object.getMetadata().getName();
    }

    private static String key(HasMetadata object) {
        return object.getMetadata().getNamespace() + "/" + name(object);
    }

    // ---- pods

    /** By whom a pod is kept: {@code default/web}, or its own name. */
    static String group(Pod pod) {
        ObjectMeta metadata = pod.getMetadata();
        for (OwnerReference owner : metadata.getOwnerReferences()) {
            if (Boolean.TRUE.equals(owner.getController())) {
                String hash = metadata.getLabels() == null
                        ? null
                        : metadata.getLabels().get("pod-template-hash");
                String name = owner.getName();
                return metadata.getNamespace() + "/"
                        + (hash != null && name.endsWith("-" + hash)
                                ? name.substring(0, name.length() - hash.length() - 1)
                                : name);
            }
        }
        return metadata.getNamespace() + "/" + metadata.getName();
    }

    private void pod(@Nullable Pod old, Pod pod) {
        String uid = pod.getMetadata().getUid();
        Life life = pods.get(uid);
        if (life == null) {
            life = new Life(now());
            life.initial = !listening;
            pods.put(uid, life);
            note(pod, "created");
        }
        String subject = "pods of " + group(pod);
        if (!life.scheduled && pod.getSpec().getNodeName() != null) {
            life.scheduled = true;
            life.pending = "";
            if (!life.initial) {
                schedulingMillis.add(now().minus(life.created).toMillis());
            }
            note(pod, "scheduled");
        }
        if (pod.getStatus() == null) {
            return;
        }
        for (PodCondition condition : pod.getStatus().getConditions()) {
            boolean holds = "True".equals(condition.getStatus());
            switch (condition.getType()) {
                case "PodScheduled" -> {
                    String message = holds || condition.getMessage() == null ? "" : condition.getMessage();
                    if (!message.isEmpty() && !life.scheduled && !message.equals(life.pending)) {
                        life.pending = message;
                        tell(subject, "pending: " + message);
                    }
                }
                case "Ready" -> {
                    if (holds != life.ready) {
                        if (holds && !life.initial) {
                            readyMillis.add(now().minus(life.created).toMillis());
                        }
                        if (holds) {
                            note(pod, "ready");
                        } else if (pod.getMetadata().getDeletionTimestamp() == null && !life.ended) {
                            note(pod, "not ready");
                        }
                        life.ready = holds;
                    }
                }
                case "DisruptionTarget" -> {
                    if (holds && !life.disrupted) {
                        life.disrupted = true;
                        count("evicted");
                        tell(subject, "evicted (" + condition.getReason() + ")");
                    }
                }
                default -> {}
            }
        }
        String phase = pod.getStatus().getPhase();
        boolean ends = "Failed".equals(phase) || "Succeeded".equals(phase);
        // One that is told to end ends in one of them; that it is deleted says more.
        if (!life.ended && ends && pod.getMetadata().getDeletionTimestamp() == null) {
            life.ended = true;
            String reason = pod.getStatus().getReason();
            count(phase.equals("Failed") ? "failed" : "succeeded");
            tell(
                    subject,
                    phase.equals("Failed") ? "failed" + (reason == null ? "" : " (" + reason + ")") : "succeeded");
        }
    }

    private void note(Pod pod, String what) {
        count(what);
        tell("pods of " + group(pod), what);
    }

    private void podGone(Pod pod) {
        pods.remove(pod.getMetadata().getUid());
        note(pod, "deleted");
    }

    // ---- workloads

    private static int number(@Nullable Integer value, int otherwise) {
        return value == null ? otherwise : value;
    }

    private static Progress progress(Deployment now) {
        var status = now.getStatus();
        return new Progress(
                number(now.getSpec().getReplicas(), 1),
                status == null ? 0 : number(status.getUpdatedReplicas(), 0),
                status == null ? 0 : number(status.getAvailableReplicas(), 0),
                status == null ? 0 : number(status.getReplicas(), 0),
                observed(now, status == null ? null : status.getObservedGeneration()));
    }

    private static Progress progress(StatefulSet now) {
        var status = now.getStatus();
        return new Progress(
                number(now.getSpec().getReplicas(), 1),
                status == null ? 0 : number(status.getUpdatedReplicas(), number(status.getReplicas(), 0)),
                status == null ? 0 : number(status.getAvailableReplicas(), 0),
                status == null ? 0 : number(status.getReplicas(), 0),
                observed(now, status == null ? null : status.getObservedGeneration()));
    }

    private static Progress progress(DaemonSet now) {
        var status = now.getStatus();
        int desired = status == null ? 0 : number(status.getDesiredNumberScheduled(), 0);
        return new Progress(
                desired,
                status == null ? 0 : number(status.getUpdatedNumberScheduled(), 0),
                status == null ? 0 : number(status.getNumberAvailable(), 0),
                status == null ? 0 : number(status.getCurrentNumberScheduled(), 0),
                observed(now, status == null ? null : status.getObservedGeneration()));
    }

    private static boolean observed(HasMetadata object, @Nullable Long seen) {
        Long generation = object.getMetadata().getGeneration();
        return generation == null || seen != null && seen >= generation;
    }

    private void workload(String kind, HasMetadata now, Progress progress) {
        String subject = kind + " " + key(now);
        if (progress.isComplete()) {
            Duration since = rollouts.remove(subject);
            if (since != null) {
                Duration took = now().minus(since);
                stuck.remove(subject);
                if (listening) {
                    finished.add(new Outcome.Rollout(subject, since, took, progress.desired()));
                    tell(subject, "complete: " + progress.desired() + " available after " + Times.length(took));
                }
            }
        } else {
            if (rollouts.putIfAbsent(subject, now()) == null) {
                tell(subject, progress.available() + " of " + progress.desired() + " available");
            }
            if (now instanceof Deployment deployment && deployment.getStatus() != null) {
                deployment.getStatus().getConditions().stream()
                        .filter(c -> "Progressing".equals(c.getType()) && "False".equals(c.getStatus()))
                        .forEach(c -> {
                            if (stuck.put(subject, String.valueOf(c.getReason())) == null) {
                                tell(subject, "stuck: " + c.getReason() + ": " + c.getMessage());
                            }
                        });
            }
        }
    }

    private void workloadGone(HasMetadata object) {
        String subject = object.getKind().toLowerCase(java.util.Locale.ROOT) + " " + key(object);
        rollouts.remove(subject);
        tell(subject, "deleted");
    }

    private void job(@Nullable Job old, Job now) {
        boolean ended = old != null && ended(old) != null;
        String how = ended(now);
        if (!ended && how != null) {
            tell("job " + key(now), how);
        }
    }

    private static @Nullable String ended(Job job) {
        return job.getStatus() == null
                ? null
                : job.getStatus().getConditions().stream()
                        .filter(c -> "True".equals(c.getStatus())
                                && ("Complete".equals(c.getType()) || "Failed".equals(c.getType())))
                        .map(c -> c.getType().equals("Complete") ? "complete" : "failed (" + c.getReason() + ")")
                        .findFirst()
                        .orElse(null);
    }

    // ---- nodes

    private void node(@Nullable Node old, Node now) {
        String subject = "node " + name(now);
        if (old == null) {
            tell(subject, "joined");
            return;
        }
        if (old.getStatus() == now.getStatus()) {
            return;
        }
        String before = ready(old);
        String after = ready(now);
        if (!before.equals(after)) {
            count(after.equals("True") ? "nodes that became ready" : "nodes that became not ready");
            tell(subject, after.equals("True") ? "ready" : "not ready (" + after + ")");
        }
    }

    private static String ready(Node node) {
        return node.getStatus() == null
                ? "Unknown"
                : node.getStatus().getConditions().stream()
                        .filter(c -> "Ready".equals(c.getType()))
                        .map(c -> c.getStatus())
                        .findFirst()
                        .orElse("Unknown");
    }

    // ---- what is known at the end

    List<Outcome.Entry> entries() {
        List<Outcome.Entry> entries = new ArrayList<>();
        lines.forEach((line, count) -> entries.add(new Outcome.Entry(line.at(), line.subject(), line.what(), count)));
        return entries;
    }

    Map<String, Integer> counts() {
        return counts;
    }

    List<Outcome.Rollout> rollouts() {
        return finished;
    }

    /** Workloads that are not what they should be, since when. */
    Map<String, Duration> unfinished() {
        return new TreeMap<>(rollouts);
    }

    /** Why pods wait, and how many do for each reason. */
    Map<String, Integer> pending() {
        Map<String, Integer> reasons = new TreeMap<>();
        pods.values().stream()
                .filter(life -> !life.scheduled && !life.ended)
                .forEach(life ->
                        reasons.merge(life.pending.isEmpty() ? "not looked at yet" : life.pending, 1, Integer::sum));
        return reasons;
    }

    Outcome.Latency scheduling() {
        return latency(schedulingMillis);
    }

    Outcome.Latency readiness() {
        return latency(readyMillis);
    }

    private static Outcome.Latency latency(List<Long> millis) {
        if (millis.isEmpty()) {
            return new Outcome.Latency(0, 0, 0, 0);
        }
        List<Long> sorted = new ArrayList<>(millis);
        Collections.sort(sorted);
        int last = sorted.size() - 1;
        return new Outcome.Latency(
                sorted.size(), sorted.get(last / 2), sorted.get((int) (last * 0.99)), sorted.get(last));
    }
}
