package io.trimtab.scheduler;

import com.fasterxml.jackson.databind.node.MissingNode;
import io.trimtab.client.Client;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.InformerFactory;
import io.trimtab.runtime.Driver;
import io.trimtab.scheduler.framework.AwaitingPreBindPlugin;
import io.trimtab.scheduler.framework.BindPlugin;
import io.trimtab.scheduler.framework.Code;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.FilterPlugin;
import io.trimtab.scheduler.framework.Handle;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.NodeLocal;
import io.trimtab.scheduler.framework.NodeStatuses;
import io.trimtab.scheduler.framework.PermitPlugin;
import io.trimtab.scheduler.framework.PermitResult;
import io.trimtab.scheduler.framework.Plugin;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.PostBindPlugin;
import io.trimtab.scheduler.framework.PostFilterPlugin;
import io.trimtab.scheduler.framework.PostFilterResult;
import io.trimtab.scheduler.framework.PreBindPlugin;
import io.trimtab.scheduler.framework.PreEnqueuePlugin;
import io.trimtab.scheduler.framework.PreFilterPlugin;
import io.trimtab.scheduler.framework.PreFilterResult;
import io.trimtab.scheduler.framework.PreScorePlugin;
import io.trimtab.scheduler.framework.QueueSortPlugin;
import io.trimtab.scheduler.framework.ReservePlugin;
import io.trimtab.scheduler.framework.ScorePlugin;
import io.trimtab.scheduler.framework.Snapshot;
import io.trimtab.scheduler.framework.Status;
import io.trimtab.scheduler.framework.WaitingPod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs the plugins of one profile, point by point. On the scheduler's lane, but for PreBind, Bind and PostBind. A plugin that
 * throws has answered with an error.
 */
final class ProfileRunner implements Handle {
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(15);

    /**
     * What PreFilter found out.
     *
     * @param status of all plugins together
     * @param nodes the only nodes worth a look; null for all
     * @param narrowing the plugins that named those nodes
     */
    record PreFiltered(Status status, @Nullable Set<String> nodes, Set<String> narrowing) {}

    /**
     * What Permit said.
     *
     * @param waits the plugins that decide later, and how long they may take
     */
    record Permitted(Status status, Map<String, Duration> waits) {}

    private record Scorer(ScorePlugin plugin, int weight, boolean local) {}

    private final SchedulerServices services;
    private final String schedulerName;
    private final @Nullable Integer percentage;
    private final Map<String, Plugin> made = new LinkedHashMap<>();
    private final List<PreEnqueuePlugin> preEnqueue;
    private final QueueSortPlugin queueSort;
    private final List<PreFilterPlugin> preFilter;
    private final List<FilterPlugin> filter;
    private final List<PostFilterPlugin> postFilter;
    private final List<PreScorePlugin> preScore;
    private final List<Scorer> score;
    private final List<ReservePlugin> reserve;
    private final List<PermitPlugin> permit;
    private final List<PreBindPlugin> preBind;
    private final List<BindPlugin> bind;
    private final List<PostBindPlugin> postBind;
    /** How many filters, from the first on, are node-local: their common answer is remembered. */
    private final int localFilters;

    private final TemplateResults templates = new TemplateResults();

    ProfileRunner(ProfileOptions options, PluginRegistry registry, SchedulerServices services) {
        this.services = services;
        this.schedulerName = options.schedulerName();
        this.percentage = options.percentageOfNodesToScore();
        PluginOrder order = new PluginOrder(options, registry, name -> plugin(name, options, registry));
        this.preEnqueue = order.at(ExtensionPoint.PRE_ENQUEUE, PreEnqueuePlugin.class);
        List<QueueSortPlugin> sorts = order.at(ExtensionPoint.QUEUE_SORT, QueueSortPlugin.class);
        if (sorts.size() != 1) {
            throw new IllegalArgumentException(
                    "profile " + schedulerName + ": expected one queue sort plugin, found " + sorts.size());
        }
        this.queueSort = sorts.get(0);
        this.preFilter = order.at(ExtensionPoint.PRE_FILTER, PreFilterPlugin.class);
        this.filter = order.at(ExtensionPoint.FILTER, FilterPlugin.class);
        this.postFilter = order.at(ExtensionPoint.POST_FILTER, PostFilterPlugin.class);
        this.preScore = order.at(ExtensionPoint.PRE_SCORE, PreScorePlugin.class);
        this.score = order.at(ExtensionPoint.SCORE, ScorePlugin.class).stream()
                .map(plugin -> new Scorer(plugin, order.weight(plugin.name()), plugin instanceof NodeLocal))
                .toList();
        this.reserve = order.at(ExtensionPoint.RESERVE, ReservePlugin.class);
        this.permit = order.at(ExtensionPoint.PERMIT, PermitPlugin.class);
        this.preBind = order.at(ExtensionPoint.PRE_BIND, PreBindPlugin.class);
        this.bind = order.at(ExtensionPoint.BIND, BindPlugin.class);
        this.postBind = order.at(ExtensionPoint.POST_BIND, PostBindPlugin.class);
        if (bind.isEmpty()) {
            throw new IllegalArgumentException("profile " + schedulerName + ": at least one bind plugin is needed");
        }
        int local = 0;
        while (local < filter.size() && filter.get(local) instanceof NodeLocal) {
            local++;
        }
        this.localFilters = local;
    }

    private Plugin plugin(String name, ProfileOptions options, PluginRegistry registry) {
        Plugin known = made.get(name);
        if (known == null) {
            known = registry.of(name).create(options.args().getOrDefault(name, MissingNode.getInstance()), this);
            made.put(name, known);
        }
        return known;
    }

    Collection<Plugin> plugins() {
        return made.values();
    }

    List<PreEnqueuePlugin> preEnqueuePlugins() {
        return preEnqueue;
    }

    QueueSortPlugin queueSort() {
        return queueSort;
    }

    @Nullable
    Integer percentage() {
        return percentage;
    }

    boolean hasScores() {
        return !score.isEmpty();
    }

    boolean hasPostFilters() {
        return !postFilter.isEmpty();
    }

    // ---- scheduling cycle ----

    PreFiltered runPreFilter(CycleState state, PodInfo pod) {
        Set<String> nodes = null;
        Set<String> narrowing = new TreeSet<>();
        Status rejected = Status.SUCCESS;
        for (PreFilterPlugin plugin : preFilter) {
            PreFilterResult result;
            try {
                result = plugin.preFilter(state, pod, snapshot());
            } catch (RuntimeException e) {
                result = PreFilterResult.of(Status.error(e));
            }
            Status status = result.status();
            if (status.isSkip()) {
                state.skippedFilters().add(plugin.name());
                continue;
            }
            if (!status.isSuccess()) {
                status = status.by(plugin.name());
                if (status.code() == Code.UNSCHEDULABLE) {
                    // Preemption may follow, and needs the state of all plugins.
                    rejected = status;
                    continue;
                }
                if (status.isRejected()) {
                    return new PreFiltered(status, null, Set.of());
                }
                return new PreFiltered(failed("PreFilter", plugin, status), null, Set.of());
            }
            if (result.nodes() != null) {
                narrowing.add(plugin.name());
                if (nodes == null) {
                    nodes = new TreeSet<>(result.nodes()); // sorted: the order must not hang on a hash
                } else {
                    nodes.retainAll(result.nodes());
                }
                if (nodes.isEmpty()) {
                    String message = narrowing.size() == 1
                            ? "node(s) didn't satisfy plugin "
                                    + narrowing.iterator().next()
                            : "node(s) didn't satisfy plugin(s) [" + String.join(" ", narrowing) + "] simultaneously";
                    return new PreFiltered(Status.unresolvable(message), nodes, narrowing);
                }
            }
        }
        return new PreFiltered(rejected, nodes, narrowing);
    }

    private static Status failed(String point, Plugin plugin, Status status) {
        return new Status(
                Code.ERROR,
                List.of("running " + point + " plugin \"" + plugin.name() + "\": " + status.message()),
                plugin.name(),
                status.cause());
    }

    /** What is known of the pod's template; valid until the snapshot changes. */
    TemplateResults.Entry template(PodInfo pod) {
        long epoch = 0;
        for (Scorer scorer : score) {
            if (scorer.plugin() instanceof NodeLocal local) {
                epoch = epoch * 31 + local.epoch(snapshot());
            }
        }
        for (int i = 0; i < localFilters; i++) {
            epoch = epoch * 31 + ((NodeLocal) filter.get(i)).epoch(snapshot());
        }
        return templates.of(pod, score.size(), snapshot().slots(), epoch);
    }

    /** Filters one node of the snapshot, remembering the answers that hold for the whole template. */
    Status filter(
            CycleState state, PodInfo pod, NodeInfo node, TemplateResults.Entry template, List<FilterPlugin> others) {
        if (services.hasNominations() && !services.nominatedPods(node.name()).isEmpty()) {
            return filterWithNominatedPods(state, pod, node);
        }
        int slot = node.slot();
        Status status;
        if (template.filterGeneration[slot] == node.generation()) {
            Status known = template.filter[slot];
            status = known == null ? Status.SUCCESS : known;
        } else {
            status = runFilters(state, pod, node, filter.subList(0, localFilters));
            if (status.code() != Code.ERROR) {
                template.filter[slot] = status;
                template.filterGeneration[slot] = node.generation();
            }
        }
        return status.isSuccess() && !others.isEmpty() ? runFilters(state, pod, node, others) : status;
    }

    /** The filters whose answers are not remembered, without those that have nothing to do in this cycle. */
    List<FilterPlugin> otherFilters(CycleState state) {
        return filter.subList(localFilters, filter.size()).stream()
                .filter(plugin -> !state.skippedFilters().contains(plugin.name()))
                .toList();
    }

    private static Status runFilters(CycleState state, PodInfo pod, NodeInfo node, List<FilterPlugin> plugins) {
        for (FilterPlugin plugin : plugins) {
            if (state.skippedFilters().contains(plugin.name())) {
                continue;
            }
            Status status;
            try {
                status = plugin.filter(state, pod, node);
            } catch (RuntimeException e) {
                status = Status.error(e);
            }
            if (!status.isSuccess()) {
                return status.isRejected() ? status.by(plugin.name()) : failed("Filter", plugin, status);
            }
        }
        return Status.SUCCESS;
    }

    @Override
    public Status filterWithNominatedPods(CycleState state, PodInfo pod, NodeInfo node) {
        List<PodInfo> nominated = services.nominatedPods(node.name()).stream()
                .filter(other ->
                        other.priority() >= pod.priority() && !other.uid().equals(pod.uid()))
                .toList();
        if (!nominated.isEmpty()) {
            NodeInfo with = node.copy();
            CycleState stateWith = state.copy();
            for (PodInfo other : nominated) {
                with.addPod(other);
                Status added = addPod(stateWith, pod, other, with);
                if (!added.isSuccess()) {
                    return added;
                }
            }
            Status status = runFilters(stateWith, pod, with, filter);
            if (!status.isSuccess()) {
                return status;
            }
        }
        // Also without them: affinity must not lean on a pod that may never come.
        return runFilters(state, pod, node, filter);
    }

    @Override
    public Status addPod(CycleState state, PodInfo pod, PodInfo added, NodeInfo node) {
        for (PreFilterPlugin plugin : preFilter) {
            if (plugin.tracksPods() && !state.skippedFilters().contains(plugin.name())) {
                Status status = plugin.addPod(state, pod, added, node);
                if (!status.isSuccess()) {
                    return failed("AddPod on PreFilter", plugin, status);
                }
            }
        }
        return Status.SUCCESS;
    }

    @Override
    public Status removePod(CycleState state, PodInfo pod, PodInfo removed, NodeInfo node) {
        for (PreFilterPlugin plugin : preFilter) {
            if (plugin.tracksPods() && !state.skippedFilters().contains(plugin.name())) {
                Status status = plugin.removePod(state, pod, removed, node);
                if (!status.isSuccess()) {
                    return failed("RemovePod on PreFilter", plugin, status);
                }
            }
        }
        return Status.SUCCESS;
    }

    PostFilterResult runPostFilter(CycleState state, PodInfo pod, NodeStatuses statuses) {
        List<String> reasons = new ArrayList<>();
        String rejector = null;
        String nominated = null;
        boolean hasNomination = false;
        for (PostFilterPlugin plugin : postFilter) {
            PostFilterResult result;
            try {
                result = plugin.postFilter(state, pod, statuses);
            } catch (RuntimeException e) {
                result = new PostFilterResult(Status.error(e), null);
            }
            Status status = result.status();
            if (status.isSuccess() || status.code() == Code.UNSCHEDULABLE_AND_UNRESOLVABLE) {
                return new PostFilterResult(status.by(plugin.name()), result.nominatedNode());
            }
            if (!status.isRejected()) {
                return new PostFilterResult(status.by(plugin.name()), null);
            }
            if (!hasNomination && result.nominatedNode() != null) {
                nominated = result.nominatedNode();
                hasNomination = true;
            }
            reasons.addAll(status.reasons());
            if (rejector == null) {
                rejector = plugin.name();
            }
        }
        return new PostFilterResult(new Status(Code.UNSCHEDULABLE, reasons, rejector, null), nominated);
    }

    /** The total score of each node, or an error. */
    Scores score(CycleState state, PodInfo pod, List<NodeInfo> nodes, TemplateResults.Entry template) {
        for (PreScorePlugin plugin : preScore) {
            Status status = guarded(() -> plugin.preScore(state, pod, nodes, snapshot()));
            if (status.isSkip()) {
                state.skippedScores().add(plugin.name());
            } else if (!status.isSuccess()) {
                return new Scores(failed("PreScore", plugin, status), new long[0]);
            }
        }
        int count = nodes.size();
        long[] totals = new long[count];
        boolean[] fresh = new boolean[count];
        for (int i = 0; i < count; i++) {
            NodeInfo node = nodes.get(i);
            fresh[i] = template.scoreGeneration[node.slot()] == node.generation();
        }
        for (int s = 0; s < score.size(); s++) {
            Scorer scorer = score.get(s);
            ScorePlugin plugin = scorer.plugin();
            if (state.skippedScores().contains(plugin.name())) {
                continue;
            }
            long[] scores = new long[count];
            try {
                for (int i = 0; i < count; i++) {
                    NodeInfo node = nodes.get(i);
                    if (!scorer.local()) {
                        scores[i] = plugin.score(state, pod, node);
                    } else if (fresh[i]) {
                        scores[i] = template.scoresOf(node.slot())[s];
                    } else {
                        scores[i] = plugin.score(state, pod, node);
                        template.scoresOf(node.slot())[s] = scores[i];
                    }
                }
                plugin.normalize(state, pod, nodes, scores);
            } catch (RuntimeException e) {
                return new Scores(failed("Score", plugin, Status.error(e)), totals);
            }
            for (int i = 0; i < count; i++) {
                if (scores[i] < 0 || scores[i] > ScorePlugin.MAX_SCORE) {
                    return new Scores(
                            Status.error("plugin \"" + plugin.name() + "\" returns an invalid score " + scores[i]
                                    + ", it should in the range of [0, 100] after normalizing"),
                            totals);
                }
                totals[i] += scores[i] * scorer.weight();
            }
        }
        for (NodeInfo node : nodes) {
            template.scoreGeneration[node.slot()] = node.generation();
        }
        return new Scores(Status.SUCCESS, totals);
    }

    /**
     * Scores in the order of the nodes.
     *
     * @param status success, or what broke
     */
    record Scores(Status status, long[] totals) {}

    Status runReserve(CycleState state, PodInfo pod, String node) {
        for (ReservePlugin plugin : reserve) {
            Status status = guarded(() -> plugin.reserve(state, pod, node));
            if (!status.isSuccess()) {
                return status.isRejected() ? status.by(plugin.name()) : failed("Reserve", plugin, status);
            }
        }
        return Status.SUCCESS;
    }

    void runUnreserve(CycleState state, PodInfo pod, String node) {
        for (int i = reserve.size() - 1; i >= 0; i--) {
            ReservePlugin plugin = reserve.get(i);
            guarded(() -> {
                plugin.unreserve(state, pod, node);
                return Status.SUCCESS;
            });
        }
    }

    Permitted runPermit(CycleState state, PodInfo pod, String node) {
        Map<String, Duration> waits = new HashMap<>();
        for (PermitPlugin plugin : permit) {
            PermitResult result;
            try {
                result = plugin.permit(state, pod, node);
            } catch (RuntimeException e) {
                result = new PermitResult(Status.error(e), Duration.ZERO);
            }
            Status status = result.status();
            if (status.code() == Code.WAIT) {
                Duration timeout = result.timeout();
                waits.put(plugin.name(), timeout.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : timeout);
            } else if (!status.isSuccess()) {
                return new Permitted(
                        status.isRejected() ? status.by(plugin.name()) : failed("Permit", plugin, status), Map.of());
            }
        }
        return new Permitted(waits.isEmpty() ? Status.SUCCESS : Status.of(Code.WAIT), waits);
    }

    // ---- binding cycle ----

    /** Waits, without holding a thread, for the PreBind plugins that have to; then calls back, on the lane. */
    void awaitPreBind(CycleState state, PodInfo pod, String node, Consumer<Status> done) {
        awaitFrom(0, state, pod, node, done);
    }

    private void awaitFrom(int first, CycleState state, PodInfo pod, String node, Consumer<Status> done) {
        for (int i = first; i < preBind.size(); i++) {
            if (preBind.get(i) instanceof AwaitingPreBindPlugin plugin) {
                int next = i + 1;
                plugin.await(state, pod, node, status -> {
                    if (status.isSuccess()) {
                        awaitFrom(next, state, pod, node, done);
                    } else {
                        done.accept(status.isRejected() ? status.by(plugin.name()) : failed("PreBind", plugin, status));
                    }
                });
                return;
            }
        }
        done.accept(Status.SUCCESS);
    }

    Status runPreBind(CycleState state, PodInfo pod, String node) {
        for (PreBindPlugin plugin : preBind) {
            Status status = guarded(() -> plugin.preBind(state, pod, node));
            if (!status.isSuccess()) {
                return status.isRejected() ? status.by(plugin.name()) : failed("PreBind", plugin, status);
            }
        }
        return Status.SUCCESS;
    }

    Status runBind(CycleState state, PodInfo pod, String node) {
        Status status = Status.SKIP;
        for (BindPlugin plugin : bind) {
            status = guarded(() -> plugin.bind(state, pod, node));
            if (status.isSkip()) {
                continue;
            }
            if (!status.isSuccess()) {
                return status.isRejected() ? status.by(plugin.name()) : failed("Bind", plugin, status);
            }
            return status;
        }
        return status;
    }

    void runPostBind(CycleState state, PodInfo pod, String node) {
        for (PostBindPlugin plugin : postBind) {
            guarded(() -> {
                plugin.postBind(state, pod, node);
                return Status.SUCCESS;
            });
        }
    }

    private static Status guarded(Supplier<Status> call) {
        try {
            return call.get();
        } catch (RuntimeException e) {
            return Status.error(e);
        }
    }

    // ---- what plugins may use ----

    @Override
    public String schedulerName() {
        return schedulerName;
    }

    @Override
    public Driver driver() {
        return services.driver();
    }

    @Override
    public Client client() {
        return services.client();
    }

    @Override
    public InformerFactory informers() {
        return services.informers();
    }

    @Override
    public EventRecorder events() {
        return services.events(schedulerName);
    }

    @Override
    public Snapshot snapshot() {
        return services.snapshot();
    }

    @Override
    public List<PodInfo> nominatedPods(String node) {
        return services.nominatedPods(node);
    }

    @Override
    public void clearNomination(PodInfo pod) {
        services.clearNomination(pod);
    }

    @Override
    public @Nullable WaitingPod waitingPod(String uid) {
        return services.waitingPod(uid);
    }

    @Override
    public Collection<WaitingPod> waitingPods() {
        return services.waitingPods();
    }

    @Override
    public void activate(Collection<String> keys) {
        services.activate(keys);
    }

    @Override
    public void onLane(Runnable step) {
        services.onLane(step);
    }

    @Override
    public void write(PodInfo about, Runnable step) {
        services.write(about, step);
    }
}
