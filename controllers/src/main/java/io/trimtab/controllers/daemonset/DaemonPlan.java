package io.trimtab.controllers.daemonset;

import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.RollingUpdateDaemonSet;
import io.trimtab.controllers.pods.Pods;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Where a DaemonSet lacks pods, where it has too many, and which go next in an update. Pure. */
final class DaemonPlan {
    /** Those that are somewhere before those that are nowhere yet; then the oldest first. */
    private static final Comparator<Pod> AGE = Comparator.comparing((Pod pod) -> Pods.nodeName(pod) == null)
            .thenComparing(pod -> String.valueOf(pod.getMetadata().getCreationTimestamp()))
            .thenComparing(pod -> pod.getMetadata().getName());

    final List<String> create = new ArrayList<>();
    final List<Pod> delete = new ArrayList<>();
    final List<Pod> failed = new ArrayList<>();
    final List<Pod> succeeded = new ArrayList<>();

    private final DaemonSet set;
    private final String hash;
    private final Instant now;
    private final int minReady;

    private DaemonPlan(DaemonSet set, String hash, Instant now) {
        this.set = set;
        this.hash = hash;
        this.now = now;
        Integer seconds = set.getSpec().getMinReadySeconds();
        this.minReady = seconds == null ? 0 : seconds;
    }

    /** Pods by the node they are on or meant for. */
    static Map<String, List<Pod>> byNode(List<Pod> pods) {
        Map<String, List<Pod>> byNode = new LinkedHashMap<>();
        for (Pod pod : pods) {
            String node = DaemonPods.targetNode(pod);
            if (node != null) {
                byNode.computeIfAbsent(node, n -> new ArrayList<>()).add(pod);
            }
        }
        return byNode;
    }

    /** What is needed so that each node has its pod. Failed pods are listed apart: they may have to wait. */
    static DaemonPlan manage(DaemonSet set, String hash, List<Node> nodes, Map<String, List<Pod>> byNode, Instant now) {
        DaemonPlan plan = new DaemonPlan(set, hash, now);
        Map<String, Boolean> known = new LinkedHashMap<>();
        for (Node node : nodes) {
            String name = node.getMetadata().getName();
            known.put(name, true);
            DaemonPods.Decision decision = DaemonPods.decide(set, node);
            List<Pod> there = byNode.get(name);
            if (there == null) {
                if (decision.run()) {
                    plan.create.add(name);
                }
            } else if (decision.stay()) {
                plan.manageNode(there);
            } else {
                there.stream().filter(pod -> !Pods.isDeleting(pod)).forEach(plan.delete::add);
            }
        }
        byNode.forEach((name, pods) -> {
            if (!known.containsKey(name)) {
                // Nobody else will: those that are on a node that went are the garbage collector's.
                pods.stream()
                        .filter(pod -> Pods.nodeName(pod) == null && !Pods.isDeleting(pod))
                        .forEach(plan.delete::add);
            }
        });
        return plan;
    }

    private void manageNode(List<Pod> there) {
        List<Pod> running = new ArrayList<>();
        for (Pod pod : there) {
            if (Pods.isDeleting(pod)) {
                continue;
            }
            switch (Pods.phase(pod)) {
                case "Failed" -> failed.add(pod);
                case "Succeeded" -> succeeded.add(pod);
                default -> running.add(pod);
            }
        }
        if (running.size() <= 1) {
            return;
        }
        running.sort(AGE);
        if (maxSurge(set, Integer.MAX_VALUE / 200) == 0) {
            delete.addAll(running.subList(1, running.size()));
            return;
        }
        Pod oldestNew = null;
        Pod oldestOld = null;
        for (Pod pod : running) {
            if (DaemonPods.isUpdated(set, pod, hash)) {
                if (oldestNew == null) {
                    oldestNew = pod;
                    continue;
                }
            } else if (oldestOld == null) {
                oldestOld = pod;
                continue;
            }
            delete.add(pod);
        }
        if (oldestNew != null
                && oldestOld != null
                && (!Pods.isReady(oldestOld) || Pods.isAvailable(oldestNew, minReady, now))) {
            delete.add(oldestOld);
        }
    }

    /** The next step from old pods to new ones. */
    static DaemonPlan roll(DaemonSet set, String hash, List<Node> nodes, Map<String, List<Pod>> byNode, Instant now) {
        DaemonPlan plan = new DaemonPlan(set, hash, now);
        int desired = (int) nodes.stream()
                .filter(node -> DaemonPods.decide(set, node).run())
                .count();
        int surge = maxSurge(set, desired);
        int unavailable = maxUnavailable(set, desired);
        if (surge == 0) {
            plan.rollInPlace(byNode, unavailable == 0 ? 1 : unavailable);
        } else {
            plan.rollBeside(byNode, surge);
        }
        return plan;
    }

    /** The one new and the one old pod of a node; null if there are more of a kind. */
    private @Nullable Pod @Nullable [] newAndOld(List<Pod> pods) {
        @Nullable Pod[] pair = new Pod[2];
        for (Pod pod : pods) {
            if (!Pods.isDeleting(pod)) {
                int which = DaemonPods.isUpdated(set, pod, hash) ? 0 : 1;
                if (pair[which] != null) {
                    return null;
                }
                pair[which] = pod;
            }
        }
        return pair;
    }

    private boolean isAvailable(Pod pod) {
        return Pods.isAvailable(pod, minReady, now);
    }

    private void rollInPlace(Map<String, List<Pod>> byNode, int maxUnavailable) {
        int unavailable = 0;
        List<Pod> candidates = new ArrayList<>();
        for (List<Pod> pods : byNode.values()) {
            @Nullable Pod @Nullable [] pair = newAndOld(pods);
            Pod fresh = pair == null ? null : pair[0];
            Pod old = pair == null ? null : pair[1];
            if ((fresh == null) == (old == null)) {
                unavailable++; // the other half of the work sees to this node
            } else if (fresh != null) {
                unavailable += isAvailable(fresh) ? 0 : 1;
            } else if (!isAvailable(Objects.requireNonNull(old))) {
                delete.add(old);
                unavailable++;
            } else {
                candidates.add(old);
            }
        }
        delete.addAll(candidates.subList(0, Math.min(candidates.size(), Math.max(0, maxUnavailable - unavailable))));
    }

    private void rollBeside(Map<String, List<Pod>> byNode, int maxSurge) {
        int surging = 0;
        List<String> candidates = new ArrayList<>();
        for (Map.Entry<String, List<Pod>> entry : byNode.entrySet()) {
            @Nullable Pod @Nullable [] pair = newAndOld(entry.getValue());
            if (pair == null) {
                surging++;
                continue;
            }
            Pod fresh = pair[0];
            Pod old = pair[1];
            if (old == null) {
                continue;
            }
            if (fresh == null) {
                (isAvailable(old) ? candidates : create).add(entry.getKey());
            } else if (isAvailable(fresh)) {
                delete.add(old);
            } else {
                surging++;
            }
        }
        create.addAll(candidates.subList(0, Math.min(candidates.size(), Math.max(0, maxSurge - surging))));
    }

    private static int maxSurge(DaemonSet set, int desired) {
        RollingUpdateDaemonSet rolling = rolling(set);
        return rolling == null ? 0 : scaled(rolling.getMaxSurge(), desired, 0);
    }

    private static int maxUnavailable(DaemonSet set, int desired) {
        RollingUpdateDaemonSet rolling = rolling(set);
        return rolling == null ? 0 : scaled(rolling.getMaxUnavailable(), desired, 1);
    }

    private static @Nullable RollingUpdateDaemonSet rolling(DaemonSet set) {
        return set.getSpec().getUpdateStrategy() == null
                        || !"RollingUpdate"
                                .equals(set.getSpec().getUpdateStrategy().getType())
                ? null
                : set.getSpec().getUpdateStrategy().getRollingUpdate();
    }

    /** Percentages are rounded up. */
    private static int scaled(@Nullable IntOrString value, int total, int fallback) {
        if (value == null || value.getValue() == null) {
            return fallback;
        }
        if (value.getIntVal() != null) {
            return value.getIntVal();
        }
        String text = value.getStrVal();
        if (!text.matches("[0-9]{1,9}%")) {
            throw new IllegalArgumentException("invalid value for IntOrString: " + text);
        }
        return (int) Math.min(
                Integer.MAX_VALUE, (Long.parseLong(text.substring(0, text.length() - 1)) * total + 99) / 100);
    }

    /** The numbers of a DaemonSet's status. */
    record Counts(int desired, int current, int misscheduled, int ready, int available, int updated) {}

    static Counts count(DaemonSet set, String hash, List<Node> nodes, Map<String, List<Pod>> byNode, Instant now) {
        Integer seconds = set.getSpec().getMinReadySeconds();
        int minReady = seconds == null ? 0 : seconds;
        int desired = 0;
        int current = 0;
        int misscheduled = 0;
        int ready = 0;
        int available = 0;
        int updated = 0;
        for (Node node : nodes) {
            List<Pod> pods = byNode.getOrDefault(node.getMetadata().getName(), List.of());
            if (!DaemonPods.decide(set, node).run()) {
                misscheduled += pods.isEmpty() ? 0 : 1;
                continue;
            }
            desired++;
            Pod oldest = pods.stream().min(AGE).orElse(null);
            if (oldest != null) {
                current++;
                ready += Pods.isReady(oldest) ? 1 : 0;
                available += Pods.isAvailable(oldest, minReady, now) ? 1 : 0;
                updated += DaemonPods.isUpdated(set, oldest, hash) ? 1 : 0;
            }
        }
        return new Counts(desired, current, misscheduled, ready, available, updated);
    }
}
