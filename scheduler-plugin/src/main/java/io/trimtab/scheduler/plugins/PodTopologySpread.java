package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.TopologySpreadConstraint;
import io.trimtab.scheduler.framework.ClusterEvent;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.EnqueueExtensions;
import io.trimtab.scheduler.framework.FilterPlugin;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.PreFilterPlugin;
import io.trimtab.scheduler.framework.PreFilterResult;
import io.trimtab.scheduler.framework.PreScorePlugin;
import io.trimtab.scheduler.framework.RegisteredEvent;
import io.trimtab.scheduler.framework.ScorePlugin;
import io.trimtab.scheduler.framework.Snapshot;
import io.trimtab.scheduler.framework.Status;
import io.trimtab.selector.LabelSelector;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Spreads the pods of a workload over domains: hosts, zones, or whatever a node label says. */
final class PodTopologySpread implements PreFilterPlugin, FilterPlugin, PreScorePlugin, ScorePlugin, EnqueueExtensions {
    static final String NAME = "PodTopologySpread";
    private static final String REQUIRED = "DoNotSchedule";
    private static final String PREFERRED = "ScheduleAnyway";
    private static final Status SKEWED = Status.unschedulable("node(s) didn't match pod topology spread constraints");
    private static final Status NO_LABEL =
            Status.unresolvable("node(s) didn't match pod topology spread constraints (missing required label)");

    /** What a profile spreads pods by that say nothing themselves: over hosts, and less strictly over zones. */
    static final List<TopologySpreadConstraint> SYSTEM_DEFAULTS =
            List.of(preferred(SpreadConstraint.HOSTNAME, 3), preferred(SpreadConstraint.ZONE, 5));

    private final Function<PodInfo, LabelSelector> workloads;
    private final List<TopologySpreadConstraint> defaults;
    private final boolean systemDefaults;

    /**
     * The plugin.
     *
     * @param workloads the selector of the workload a pod belongs to
     * @param defaults for pods that have no constraints
     * @param systemDefaults whether the defaults are the system's, which do not ask that nodes have the labels
     */
    PodTopologySpread(
            Function<PodInfo, LabelSelector> workloads,
            List<TopologySpreadConstraint> defaults,
            boolean systemDefaults) {
        this.workloads = workloads;
        this.defaults = List.copyOf(defaults);
        this.systemDefaults = systemDefaults;
    }

    private static TopologySpreadConstraint preferred(String key, int maxSkew) {
        TopologySpreadConstraint constraint = new TopologySpreadConstraint();
        constraint.setTopologyKey(key);
        constraint.setMaxSkew(maxSkew);
        constraint.setWhenUnsatisfiable(PREFERRED);
        return constraint;
    }

    @Override
    public String name() {
        return NAME;
    }

    private List<SpreadConstraint> constraints(PodInfo pod, String kind) {
        if (!pod.spec().getTopologySpreadConstraints().isEmpty()) {
            return SpreadConstraint.of(pod, kind);
        }
        if (defaults.stream().noneMatch(c -> kind.equals(c.getWhenUnsatisfiable()))) {
            return List.of();
        }
        LabelSelector selector = workloads.apply(pod);
        if (selector.isEverything() || selector.isNothing()) {
            return List.of();
        }
        List<SpreadConstraint> compiled = new ArrayList<>();
        for (TopologySpreadConstraint constraint : defaults) {
            if (kind.equals(constraint.getWhenUnsatisfiable())) {
                compiled.add(SpreadConstraint.compiled(constraint, selector));
            }
        }
        return compiled;
    }

    // ---- filter ----

    /** Matching pods of each domain, for each constraint. */
    private static final class Domains implements CycleState.Data {
        final List<SpreadConstraint> constraints;
        final List<Map<String, Integer>> counts;
        final boolean[] counted;
        final long[] minimum;

        Domains(List<SpreadConstraint> constraints) {
            this.constraints = constraints;
            this.counts = new ArrayList<>();
            constraints.forEach(c -> counts.add(new HashMap<>()));
            this.counted = new boolean[constraints.size()];
            this.minimum = new long[constraints.size()];
        }

        @Override
        public CycleState.Data copy() {
            Domains copy = new Domains(constraints);
            for (int i = 0; i < counts.size(); i++) {
                copy.counts.get(i).putAll(counts.get(i));
            }
            return copy;
        }

        void add(int constraint, String domain, int change) {
            counts.get(constraint).merge(domain, change, Integer::sum);
            counted[constraint] = false;
        }

        /** The fewest pods of any domain; so large that nothing is skewed if there is no domain. */
        long minimum(int constraint) {
            Map<String, Integer> domains = counts.get(constraint);
            if (domains.size() < constraints.get(constraint).minDomains()) {
                return 0;
            }
            if (!counted[constraint]) {
                long least = Integer.MAX_VALUE;
                for (int count : domains.values()) {
                    least = Math.min(least, count);
                }
                minimum[constraint] = least;
                counted[constraint] = true;
            }
            return minimum[constraint];
        }
    }

    @Override
    public PreFilterResult preFilter(CycleState state, PodInfo pod, Snapshot snapshot) {
        List<SpreadConstraint> constraints = constraints(pod, REQUIRED);
        if (constraints.isEmpty()) {
            return PreFilterResult.SKIP;
        }
        Domains domains = new Domains(constraints);
        for (int i = 0; i < constraints.size(); i++) {
            SpreadConstraint constraint = constraints.get(i);
            int[] counts = constraint.counts(snapshot, pod.namespace());
            for (NodeInfo node : snapshot.nodes()) {
                if (SpreadConstraint.hasAllKeys(constraints, node.labels()) && constraint.includes(pod, node)) {
                    domains.add(i, Objects.requireNonNull(node.labels().get(constraint.key())), counts[node.slot()]);
                }
            }
        }
        state.put(NAME, domains);
        return PreFilterResult.ALL;
    }

    @Override
    public boolean tracksPods() {
        return true;
    }

    @Override
    public Status addPod(CycleState state, PodInfo pod, PodInfo added, NodeInfo node) {
        change(state, pod, added, node, 1);
        return Status.SUCCESS;
    }

    @Override
    public Status removePod(CycleState state, PodInfo pod, PodInfo removed, NodeInfo node) {
        change(state, pod, removed, node, -1);
        return Status.SUCCESS;
    }

    private static void change(CycleState state, PodInfo pod, PodInfo changed, NodeInfo node, int change) {
        Domains domains = state.get(NAME, Domains.class);
        if (domains == null
                || changed.isTerminating()
                || !changed.namespace().equals(pod.namespace())
                || !SpreadConstraint.hasAllKeys(domains.constraints, node.labels())) {
            return;
        }
        for (int i = 0; i < domains.constraints.size(); i++) {
            SpreadConstraint constraint = domains.constraints.get(i);
            if (constraint.counts(changed) && constraint.includes(pod, node)) {
                domains.add(i, Objects.requireNonNull(node.labels().get(constraint.key())), change);
            }
        }
    }

    @Override
    public Status filter(CycleState state, PodInfo pod, NodeInfo node) {
        Domains domains = state.get(NAME, Domains.class);
        if (domains == null) {
            return Status.SUCCESS;
        }
        for (int i = 0; i < domains.constraints.size(); i++) {
            SpreadConstraint constraint = domains.constraints.get(i);
            @Nullable String domain = node.labels().get(constraint.key());
            if (domain == null) {
                return NO_LABEL;
            }
            int self = constraint.selector().matches(pod.labels()) ? 1 : 0;
            int matching = domains.counts.get(i).getOrDefault(domain, 0);
            if (matching + self - domains.minimum(i) > constraint.maxSkew()) {
                return SKEWED;
            }
        }
        return Status.SUCCESS;
    }

    // ---- score ----

    /**
     * What the scores are made of. Immutable after it is made.
     *
     * @param ignored nodes without all labels
     * @param perNode for a constraint over hosts: matching pods by slot; else null
     * @param perDomain for the others: matching pods by domain
     * @param weights what one pod counts: more where there are more domains
     */
    private record Preferences(
            List<SpreadConstraint> constraints,
            Set<String> ignored,
            List<int @Nullable []> perNode,
            List<Map<String, long[]>> perDomain,
            double[] weights)
            implements CycleState.Data {
        @Override
        public CycleState.Data copy() {
            return this;
        }
    }

    private static final String SCORE = NAME + "/score";

    @Override
    public Status preScore(CycleState state, PodInfo pod, List<NodeInfo> nodes, Snapshot snapshot) {
        List<SpreadConstraint> constraints = constraints(pod, PREFERRED);
        if (constraints.isEmpty()) {
            return Status.SKIP;
        }
        boolean needsAllKeys = !pod.spec().getTopologySpreadConstraints().isEmpty() || !systemDefaults;
        Set<String> ignored = new HashSet<>();
        if (needsAllKeys) {
            for (NodeInfo node : nodes) {
                if (!SpreadConstraint.hasAllKeys(constraints, node.labels())) {
                    ignored.add(node.name());
                }
            }
        }
        List<int @Nullable []> perNode = new ArrayList<>();
        List<Map<String, long[]>> perDomain = new ArrayList<>();
        double[] weights = new double[constraints.size()];
        for (int i = 0; i < constraints.size(); i++) {
            SpreadConstraint constraint = constraints.get(i);
            int[] counts = constraint.counts(snapshot, pod.namespace());
            if (constraint.key().equals(SpreadConstraint.HOSTNAME)) {
                perNode.add(counts);
                perDomain.add(Map.of());
                weights[i] = weight(nodes.size() - ignored.size());
                continue;
            }
            Map<String, long[]> domains = new HashMap<>();
            for (NodeInfo node : nodes) {
                if (!ignored.contains(node.name())) {
                    // A node without the label counts as one domain of its own, as in Kubernetes.
                    domains.computeIfAbsent(node.labels().getOrDefault(constraint.key(), ""), d -> new long[1]);
                }
            }
            weights[i] = weight(domains.size());
            for (NodeInfo node : snapshot.nodes()) {
                int count = counts[node.slot()];
                if (count == 0
                        || needsAllKeys && !SpreadConstraint.hasAllKeys(constraints, node.labels())
                        || !constraint.includes(pod, node)) {
                    continue;
                }
                long[] domain = domains.get(node.labels().getOrDefault(constraint.key(), ""));
                if (domain != null) {
                    domain[0] += count;
                }
            }
            perNode.add(null);
            perDomain.add(domains);
        }
        state.put(SCORE, new Preferences(constraints, ignored, perNode, perDomain, weights));
        return Status.SUCCESS;
    }

    private static double weight(int domains) {
        return Math.log(domains + 2.0);
    }

    @Override
    public long score(CycleState state, PodInfo pod, NodeInfo node) {
        Preferences preferences = state.get(SCORE, Preferences.class);
        if (preferences == null || preferences.ignored().contains(node.name())) {
            return 0;
        }
        double score = 0;
        for (int i = 0; i < preferences.constraints().size(); i++) {
            SpreadConstraint constraint = preferences.constraints().get(i);
            @Nullable String domain = node.labels().get(constraint.key());
            if (domain == null) {
                continue;
            }
            int[] perNode = preferences.perNode().get(i);
            long[] perDomain = preferences.perDomain().get(i).get(domain);
            long count = perNode != null ? perNode[node.slot()] : perDomain == null ? 0 : perDomain[0];
            score += count * preferences.weights()[i] + (constraint.maxSkew() - 1);
        }
        return Math.round(score);
    }

    @Override
    public void normalize(CycleState state, PodInfo pod, List<NodeInfo> nodes, long[] scores) {
        Preferences preferences = state.get(SCORE, Preferences.class);
        Set<String> ignored = preferences == null ? Set.of() : preferences.ignored();
        normalize(
                scores, i -> !ignored.isEmpty() && ignored.contains(nodes.get(i).name()));
    }

    /** Fewer pods are better; nodes that do not count get nothing. */
    static void normalize(long[] scores, java.util.function.IntPredicate ignored) {
        long min = Long.MAX_VALUE;
        long max = Long.MIN_VALUE;
        for (int i = 0; i < scores.length; i++) {
            if (!ignored.test(i)) {
                min = Math.min(min, scores[i]);
                max = Math.max(max, scores[i]);
            }
        }
        for (int i = 0; i < scores.length; i++) {
            if (ignored.test(i)) {
                scores[i] = 0;
            } else if (max == 0) {
                scores[i] = MAX_SCORE;
            } else {
                scores[i] = MAX_SCORE * (max + min - scores[i]) / max;
            }
        }
    }

    // ---- events ----

    @Override
    public List<RegisteredEvent> eventsToRegister() {
        return List.of(
                RegisteredEvent.of(
                        ClusterEvent.POD,
                        ClusterEvent.ADD | ClusterEvent.DELETE | ClusterEvent.UPDATE_POD_LABEL,
                        this::podHelps),
                RegisteredEvent.of(
                        ClusterEvent.POD,
                        ClusterEvent.UPDATE_POD_TOLERATION,
                        (pod, before, after) -> after instanceof PodInfo changed
                                && changed.uid().equals(pod.uid())),
                RegisteredEvent.of(
                        ClusterEvent.NODE,
                        ClusterEvent.ADD
                                | ClusterEvent.DELETE
                                | ClusterEvent.UPDATE_NODE_LABEL
                                | ClusterEvent.UPDATE_NODE_TAINT,
                        this::nodeHelps));
    }

    private boolean podHelps(PodInfo pod, @Nullable Object before, @Nullable Object after) {
        PodInfo old = before instanceof PodInfo info ? info : null;
        PodInfo now = after instanceof PodInfo info ? info : null;
        if (now != null && now.uid().equals(pod.uid())) {
            return true;
        }
        PodInfo any = now != null ? now : old;
        if (any == null || any.nodeName().isEmpty() || !any.namespace().equals(pod.namespace())) {
            return false;
        }
        for (SpreadConstraint constraint : constraints(pod, REQUIRED)) {
            boolean counted = old != null && constraint.counts(old);
            boolean counts = now != null && constraint.counts(now);
            if (counted != counts) {
                return true;
            }
        }
        return false;
    }

    private boolean nodeHelps(PodInfo pod, @Nullable Object before, @Nullable Object after) {
        List<SpreadConstraint> constraints = constraints(pod, REQUIRED);
        Map<String, String> old = labels(before);
        Map<String, String> now = labels(after);
        boolean matched = before != null && SpreadConstraint.hasAllKeys(constraints, old);
        boolean matches = after != null && SpreadConstraint.hasAllKeys(constraints, now);
        if (matched != matches) {
            return true;
        }
        if (!matches) {
            return false;
        }
        boolean moved = constraints.stream().anyMatch(c -> !Objects.equals(old.get(c.key()), now.get(c.key())));
        boolean tainted = constraints.stream().anyMatch(SpreadConstraint::honorTaints)
                && before instanceof Node oldNode
                && after instanceof Node newNode
                && !Objects.equals(
                        oldNode.getSpec() == null ? null : oldNode.getSpec().getTaints(),
                        newNode.getSpec() == null ? null : newNode.getSpec().getTaints());
        return moved || tainted;
    }

    private static Map<String, String> labels(@Nullable Object node) {
        return node instanceof Node known && known.getMetadata().getLabels() != null
                ? known.getMetadata().getLabels()
                : Map.of();
    }
}
