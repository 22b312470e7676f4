package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.Node;
import io.trimtab.scheduler.framework.AffinityTerm;
import io.trimtab.scheduler.framework.AffinityTerm.Kind;
import io.trimtab.scheduler.framework.ClusterEvent;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.EnqueueExtensions;
import io.trimtab.scheduler.framework.FilterPlugin;
import io.trimtab.scheduler.framework.Handle;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.PodMatcher;
import io.trimtab.scheduler.framework.PreFilterPlugin;
import io.trimtab.scheduler.framework.PreFilterResult;
import io.trimtab.scheduler.framework.PreScorePlugin;
import io.trimtab.scheduler.framework.RegisteredEvent;
import io.trimtab.scheduler.framework.ScorePlugin;
import io.trimtab.scheduler.framework.Snapshot;
import io.trimtab.scheduler.framework.Status;
import io.trimtab.selector.LabelSelector;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Places pods near some pods and away from others, as the pod says and as those say that are there already. */
final class InterPodAffinity implements PreFilterPlugin, FilterPlugin, PreScorePlugin, ScorePlugin, EnqueueExtensions {
    static final String NAME = "InterPodAffinity";
    private static final Status NO_AFFINITY = Status.unresolvable("node(s) didn't match pod affinity rules");
    private static final Status ANTI_AFFINITY = Status.unschedulable("node(s) didn't match pod anti-affinity rules");
    private static final Status EXISTING =
            Status.unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");

    private final Handle handle;
    private final int hardWeight;
    private final boolean ignorePreferredOfExisting;

    /**
     * The plugin.
     *
     * @param hardWeight what a required affinity of a pod that is there counts when nodes are ranked
     * @param ignorePreferredOfExisting whether preferences of pods that are there count only for pods that have some too
     */
    InterPodAffinity(Handle handle, int hardWeight, boolean ignorePreferredOfExisting) {
        this.handle = handle;
        this.hardWeight = hardWeight;
        this.ignorePreferredOfExisting = ignorePreferredOfExisting;
    }

    @Override
    public String name() {
        return NAME;
    }

    /**
     * A node label and its value.
     *
     * @param key of the label
     */
    private record Domain(String key, String value) {}

    // ---- filter ----

    /** Pods that matter in each domain; domains with none are left out. */
    private static final class Counts implements CycleState.Data {
        final List<AffinityTerm> affinity;
        final List<AffinityTerm> antiAffinity;
        final Map<Domain, Integer> existing;
        final Map<Domain, Integer> near;
        final Map<Domain, Integer> away;

        Counts(
                List<AffinityTerm> affinity,
                List<AffinityTerm> antiAffinity,
                Map<Domain, Integer> existing,
                Map<Domain, Integer> near,
                Map<Domain, Integer> away) {
            this.affinity = affinity;
            this.antiAffinity = antiAffinity;
            this.existing = existing;
            this.near = near;
            this.away = away;
        }

        @Override
        public CycleState.Data copy() {
            return new Counts(
                    affinity, antiAffinity, new HashMap<>(existing), new HashMap<>(near), new HashMap<>(away));
        }
    }

    private static void add(Map<Domain, Integer> counts, NodeInfo node, String key, int change) {
        String value = node.labels().get(key);
        if (value != null && change != 0) {
            counts.merge(new Domain(key, value), change, (one, other) -> one + other == 0 ? null : one + other);
        }
    }

    @Override
    public PreFilterResult preFilter(CycleState state, PodInfo pod, Snapshot snapshot) {
        List<AffinityTerm> affinity = pod.terms(Kind.REQUIRED_AFFINITY);
        List<AffinityTerm> antiAffinity = pod.terms(Kind.REQUIRED_ANTI_AFFINITY);
        Map<Domain, Integer> existing = new HashMap<>();
        if (snapshot.nodesWithRequiredAntiAffinity() > 0) {
            Map<String, String> labels = snapshot.namespaceLabels(pod.namespace());
            for (Snapshot.TermCount count : snapshot.terms()) {
                if (count.term().kind() == Kind.REQUIRED_ANTI_AFFINITY
                        && count.term().matches(pod, labels)) {
                    addAll(existing, snapshot, count.counts(), count.term().topologyKey());
                }
            }
        }
        if (existing.isEmpty() && affinity.isEmpty() && antiAffinity.isEmpty()) {
            return PreFilterResult.SKIP;
        }
        Map<Domain, Integer> near = new HashMap<>();
        if (!affinity.isEmpty()) {
            int[] counts = snapshot.counts(allOf(affinity, snapshot));
            affinity.forEach(term -> addAll(near, snapshot, counts, term.topologyKey()));
        }
        Map<Domain, Integer> away = new HashMap<>();
        for (AffinityTerm term : antiAffinity) {
            addAll(away, snapshot, snapshot.counts(allOf(List.of(term), snapshot)), term.topologyKey());
        }
        state.put(NAME, new Counts(affinity, antiAffinity, existing, near, away));
        return PreFilterResult.ALL;
    }

    private static void addAll(Map<Domain, Integer> into, Snapshot snapshot, int[] counts, String key) {
        for (NodeInfo node : snapshot.nodes()) {
            add(into, node, key, counts[node.slot()]);
        }
    }

    /** The pods that all of the terms speak of. */
    private static PodMatcher allOf(List<AffinityTerm> terms, Snapshot snapshot) {
        Set<String> namespaces = null;
        for (AffinityTerm term : terms) {
            Set<String> ofTerm = namespaces(term, snapshot);
            if (ofTerm != null) {
                if (namespaces == null) {
                    namespaces = new HashSet<>(ofTerm);
                } else {
                    namespaces.retainAll(ofTerm);
                }
            }
        }
        List<LabelSelector> selectors =
                terms.stream().map(AffinityTerm::selector).toList();
        return new PodMatcher(namespaces, selectors, true);
    }

    /** The namespaces a term speaks of; null for all. */
    private static @Nullable Set<String> namespaces(AffinityTerm term, Snapshot snapshot) {
        if (term.namespaceSelector().isEverything()) {
            return null;
        }
        if (term.namespaceSelector().isNothing()) {
            return term.namespaces();
        }
        Set<String> names = new HashSet<>(term.namespaces());
        for (String name : snapshot.namespaces()) {
            if (term.namespaceSelector().matches(snapshot.namespaceLabels(name))) {
                names.add(name);
            }
        }
        return names;
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

    private void change(CycleState state, PodInfo pod, PodInfo changed, NodeInfo node, int change) {
        Counts counts = state.get(NAME, Counts.class);
        if (counts == null) {
            return;
        }
        Snapshot snapshot = handle.snapshot();
        Map<String, String> ofPod = snapshot.namespaceLabels(pod.namespace());
        Map<String, String> ofChanged = snapshot.namespaceLabels(changed.namespace());
        for (AffinityTerm term : changed.terms(Kind.REQUIRED_ANTI_AFFINITY)) {
            if (term.matches(pod, ofPod)) {
                add(counts.existing, node, term.topologyKey(), change);
            }
        }
        if (!counts.affinity.isEmpty() && counts.affinity.stream().allMatch(t -> t.matches(changed, ofChanged))) {
            counts.affinity.forEach(term -> add(counts.near, node, term.topologyKey(), change));
        }
        for (AffinityTerm term : counts.antiAffinity) {
            if (term.matches(changed, ofChanged)) {
                add(counts.away, node, term.topologyKey(), change);
            }
        }
    }

    @Override
    public Status filter(CycleState state, PodInfo pod, NodeInfo node) {
        Counts counts = state.get(NAME, Counts.class);
        if (counts == null) {
            return Status.SUCCESS;
        }
        if (!isNear(counts, pod, node)) {
            return NO_AFFINITY;
        }
        for (AffinityTerm term : counts.antiAffinity) {
            String value = node.labels().get(term.topologyKey());
            if (value != null && counts.away.getOrDefault(new Domain(term.topologyKey(), value), 0) > 0) {
                return ANTI_AFFINITY;
            }
        }
        if (!counts.existing.isEmpty()) {
            for (Map.Entry<String, String> label : node.labels().entrySet()) {
                if (counts.existing.getOrDefault(new Domain(label.getKey(), label.getValue()), 0) > 0) {
                    return EXISTING;
                }
            }
        }
        return Status.SUCCESS;
    }

    private boolean isNear(Counts counts, PodInfo pod, NodeInfo node) {
        boolean all = true;
        for (AffinityTerm term : counts.affinity) {
            String value = node.labels().get(term.topologyKey());
            if (value == null) {
                return false;
            }
            all &= counts.near.getOrDefault(new Domain(term.topologyKey(), value), 0) > 0;
        }
        // The first pod of a group that wants to be together has nobody to join: it may begin anywhere.
        return all || counts.near.isEmpty() && matchesItself(counts.affinity, pod);
    }

    private boolean matchesItself(List<AffinityTerm> terms, PodInfo pod) {
        Map<String, String> labels = handle.snapshot().namespaceLabels(pod.namespace());
        return terms.stream().allMatch(term -> term.matches(pod, labels));
    }

    // ---- score ----

    /**
     * What each domain is worth, by label and value. Not changed after it is made.
     *
     * @param byKey weights by value, by label
     */
    private record Weights(Map<String, Map<String, long[]>> byKey) implements CycleState.Data {
        @Override
        public CycleState.Data copy() {
            return this;
        }

        void add(Snapshot snapshot, int[] counts, String key, long weight) {
            Map<String, long[]> values = null;
            for (NodeInfo node : snapshot.nodes()) {
                int count = counts[node.slot()];
                String value = count == 0 ? null : node.labels().get(key);
                if (value != null) {
                    if (values == null) {
                        values = byKey.computeIfAbsent(key, k -> new HashMap<>());
                    }
                    values.computeIfAbsent(value, v -> new long[1])[0] += count * weight;
                }
            }
        }
    }

    private static final String SCORE = NAME + "/score";

    @Override
    public Status preScore(CycleState state, PodInfo pod, List<NodeInfo> nodes, Snapshot snapshot) {
        List<AffinityTerm> near = pod.terms(Kind.PREFERRED_AFFINITY);
        List<AffinityTerm> away = pod.terms(Kind.PREFERRED_ANTI_AFFINITY);
        boolean hasOwn = !near.isEmpty() || !away.isEmpty();
        if (ignorePreferredOfExisting && !hasOwn || !hasOwn && snapshot.terms().isEmpty()) {
            return Status.SKIP;
        }
        Weights weights = new Weights(new HashMap<>());
        for (AffinityTerm term : near) {
            weights.add(snapshot, snapshot.counts(allOf(List.of(term), snapshot)), term.topologyKey(), term.weight());
        }
        for (AffinityTerm term : away) {
            weights.add(snapshot, snapshot.counts(allOf(List.of(term), snapshot)), term.topologyKey(), -term.weight());
        }
        Map<String, String> labels = snapshot.namespaceLabels(pod.namespace());
        for (Snapshot.TermCount count : snapshot.terms()) {
            AffinityTerm term = count.term();
            long weight =
                    switch (term.kind()) {
                        case REQUIRED_AFFINITY -> hardWeight;
                        case PREFERRED_AFFINITY -> term.weight();
                        case PREFERRED_ANTI_AFFINITY -> -term.weight();
                        case REQUIRED_ANTI_AFFINITY -> 0;
                    };
            if (weight != 0 && term.matches(pod, labels)) {
                weights.add(snapshot, count.counts(), term.topologyKey(), weight);
            }
        }
        if (weights.byKey().isEmpty()) {
            return Status.SKIP;
        }
        state.put(SCORE, weights);
        return Status.SUCCESS;
    }

    @Override
    public long score(CycleState state, PodInfo pod, NodeInfo node) {
        Weights weights = state.get(SCORE, Weights.class);
        if (weights == null) {
            return 0;
        }
        long sum = 0;
        for (Map.Entry<String, Map<String, long[]>> entry : weights.byKey().entrySet()) {
            String value = node.labels().get(entry.getKey());
            long[] weight = value == null ? null : entry.getValue().get(value);
            if (weight != null) {
                sum += weight[0];
            }
        }
        return sum;
    }

    @Override
    public void normalize(CycleState state, PodInfo pod, List<NodeInfo> nodes, long[] scores) {
        normalize(scores);
    }

    /** Spreads what was found over the whole range. */
    static void normalize(long[] scores) {
        long min = Long.MAX_VALUE;
        long max = Long.MIN_VALUE;
        for (long score : scores) {
            min = Math.min(min, score);
            max = Math.max(max, score);
        }
        long range = max - min;
        for (int i = 0; i < scores.length; i++) {
            scores[i] = range == 0 ? 0 : (long) (MAX_SCORE * ((double) (scores[i] - min) / range));
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
                        ClusterEvent.NODE, ClusterEvent.ADD | ClusterEvent.UPDATE_NODE_LABEL, this::nodeHelps));
    }

    private boolean podHelps(PodInfo pod, @Nullable Object before, @Nullable Object after) {
        PodInfo old = before instanceof PodInfo info ? info : null;
        PodInfo now = after instanceof PodInfo info ? info : null;
        if (now != null && now.uid().equals(pod.uid())) {
            return true;
        }
        PodInfo any = now != null ? now : old;
        if (any == null || any.nodeName().isEmpty()) {
            return false;
        }
        List<AffinityTerm> near = pod.terms(Kind.REQUIRED_AFFINITY);
        List<AffinityTerm> away = pod.terms(Kind.REQUIRED_ANTI_AFFINITY);
        if (old != null && now != null) {
            return !allMatch(near, old) && allMatch(near, now) || anyMatches(away, old) && !anyMatches(away, now);
        }
        if (now != null) {
            return !near.isEmpty() && allMatch(near, now);
        }
        // The one that went may have been what we avoid, or have avoided us.
        return old != null && (anyMatches(away, old) || anyMatches(old.terms(Kind.REQUIRED_ANTI_AFFINITY), pod));
    }

    private boolean allMatch(List<AffinityTerm> terms, PodInfo pod) {
        Map<String, String> labels = handle.snapshot().namespaceLabels(pod.namespace());
        return !terms.isEmpty() && terms.stream().allMatch(term -> term.matches(pod, labels));
    }

    private boolean anyMatches(List<AffinityTerm> terms, PodInfo pod) {
        Map<String, String> labels = handle.snapshot().namespaceLabels(pod.namespace());
        return terms.stream().anyMatch(term -> term.matches(pod, labels));
    }

    private boolean nodeHelps(PodInfo pod, @Nullable Object before, @Nullable Object after) {
        Map<String, String> old = labels(before);
        Map<String, String> now = labels(after);
        for (AffinityTerm term : pod.terms(Kind.REQUIRED_AFFINITY)) {
            String value = now.get(term.topologyKey());
            if (value != null && (before == null || !value.equals(old.get(term.topologyKey())))) {
                return true;
            }
        }
        // A node without the key, or of another domain, may be out of reach of what we avoid.
        for (AffinityTerm term : pod.terms(Kind.REQUIRED_ANTI_AFFINITY)) {
            if (before == null || !Objects.equals(old.get(term.topologyKey()), now.get(term.topologyKey()))) {
                return true;
            }
        }
        return pod.terms(Kind.REQUIRED_AFFINITY).isEmpty() && (before == null || !old.equals(now));
    }

    private static Map<String, String> labels(@Nullable Object node) {
        return node instanceof Node known && known.getMetadata().getLabels() != null
                ? known.getMetadata().getLabels()
                : Map.of();
    }
}
