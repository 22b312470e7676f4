package io.trimtab.scheduler;

import io.trimtab.scheduler.framework.Code;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.FilterPlugin;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.NodeStatuses;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.Snapshot;
import io.trimtab.scheduler.framework.Status;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Finds the best node for a pod: PreFilter, Filter, PreScore, Score. Reads the snapshot and changes nothing but the index at
 * which the next search begins. On the scheduler's lane.
 */
final class NodeSearch {
    private static final int MIN_FEASIBLE = 100;
    private static final int MIN_PERCENTAGE = 5;

    /**
     * What a search came to: a node, a rejection with its reasons, or an error.
     *
     * @param node where the pod goes; null if nowhere
     * @param status success, a rejection, or what broke
     * @param statuses why each node was rejected
     * @param preFilter what rejected the pod before any node was looked at
     * @param rejectors the plugins that said no
     * @param pending those of them that wait for something of their own
     * @param examined how many nodes were filtered
     * @param feasible how many passed
     */
    record Outcome(
            @Nullable String node,
            Status status,
            NodeStatuses statuses,
            @Nullable String preFilter,
            Set<String> rejectors,
            Set<String> pending,
            int examined,
            int feasible) {}

    private final RandomGenerator random;
    private final int percentage;
    private int start;

    NodeSearch(RandomGenerator random, int percentage) {
        this.random = random;
        this.percentage = percentage;
    }

    Outcome search(ProfileRunner profile, CycleState state, PodInfo pod) {
        Snapshot snapshot = profile.snapshot();
        Search search = new Search(profile, state, pod, snapshot);
        if (snapshot.nodes().isEmpty()) {
            return search.ended(Status.of(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, "no nodes available to schedule pods"));
        }
        ProfileRunner.PreFiltered pre = profile.runPreFilter(state, pod);
        if (!pre.status().isSuccess()) {
            if (pre.status().isRejected()) {
                search.statuses.setAbsent(pre.status());
                search.preFilter = pre.status().message();
                search.reject(pre.status());
                search.rejectors.addAll(pre.narrowing());
            }
            return search.ended(pre.status());
        }
        search.rejectors.addAll(pre.narrowing());
        TemplateResults.Entry template = profile.template(pod);
        List<NodeInfo> feasible = search.feasible(pre, template);
        if (search.failure != null) {
            return search.ended(search.failure);
        }
        if (feasible.isEmpty()) {
            return search.ended(Status.unschedulable());
        }
        if (feasible.size() == 1) {
            return search.found(feasible.get(0), 1);
        }
        ProfileRunner.Scores scores = profile.score(state, pod, feasible, template);
        if (!scores.status().isSuccess()) {
            return search.ended(scores.status());
        }
        return search.found(feasible.get(best(scores.totals())), feasible.size());
    }

    /** The index of the highest score; one of them at random if there are several. */
    private int best(long[] totals) {
        long max = Long.MIN_VALUE;
        int ties = 0;
        for (long total : totals) {
            if (total > max) {
                max = total;
                ties = 1;
            } else if (total == max) {
                ties++;
            }
        }
        int skip = ties == 1 ? 0 : random.nextInt(ties);
        for (int i = 0; ; i++) {
            if (totals[i] == max && skip-- == 0) {
                return i;
            }
        }
    }

    /** How many nodes that fit are enough. */
    static int enough(int nodes, int percentage) {
        if (nodes < MIN_FEASIBLE || percentage >= 100) {
            return nodes;
        }
        int percent = percentage > 0 ? percentage : Math.max(50 - nodes / 125, MIN_PERCENTAGE);
        return Math.max(nodes * percent / 100, MIN_FEASIBLE);
    }

    private final class Search {
        final ProfileRunner profile;
        final CycleState state;
        final PodInfo pod;
        final Snapshot snapshot;
        final NodeStatuses statuses = new NodeStatuses();
        final Set<String> rejectors = new HashSet<>();
        final Set<String> pending = new HashSet<>();

        @Nullable
        String preFilter;

        @Nullable
        Status failure;

        int examined;

        Search(ProfileRunner profile, CycleState state, PodInfo pod, Snapshot snapshot) {
            this.profile = profile;
            this.state = state;
            this.pod = pod;
            this.snapshot = snapshot;
        }

        Outcome ended(Status status) {
            return new Outcome(null, status, statuses, preFilter, rejectors, pending, examined, 0);
        }

        Outcome found(NodeInfo node, int feasible) {
            return new Outcome(node.name(), Status.SUCCESS, statuses, null, rejectors, pending, examined, feasible);
        }

        void reject(Status status) {
            String plugin = status.plugin();
            if (plugin != null) {
                rejectors.add(plugin);
                if (status.code() == Code.PENDING) {
                    pending.add(plugin);
                }
            }
        }

        List<NodeInfo> feasible(ProfileRunner.PreFiltered pre, TemplateResults.Entry template) {
            List<FilterPlugin> others = profile.otherFilters(state);
            if (!pod.nominatedNode().isEmpty()) {
                NodeInfo nominated = snapshot.node(pod.nominatedNode());
                if (nominated != null && (pre.nodes() == null || pre.nodes().contains(nominated.name()))) {
                    List<NodeInfo> fits = filter(List.of(nominated), 0, 1, template, others);
                    if (!fits.isEmpty()) {
                        return fits;
                    }
                    failure = null;
                }
            }
            List<NodeInfo> nodes = snapshot.nodes();
            if (pre.nodes() != null) {
                nodes = new ArrayList<>();
                for (String name : pre.nodes()) {
                    NodeInfo node = snapshot.node(name);
                    if (node != null) {
                        nodes.add(node);
                    }
                }
                statuses.setAbsent(Status.unresolvable(
                        "node(s) didn't satisfy plugin(s) [" + String.join(" ", pre.narrowing()) + "]"));
            }
            if (nodes.isEmpty()) {
                return List.of();
            }
            int begin = start % nodes.size();
            int before = examined;
            Integer own = profile.percentage();
            int enough = profile.hasScores() ? enough(nodes.size(), own == null ? percentage : own) : 1;
            List<NodeInfo> fits = filter(nodes, begin, enough, template, others);
            start = (begin + examined - before) % nodes.size();
            return fits;
        }

        private List<NodeInfo> filter(
                List<NodeInfo> nodes,
                int begin,
                int enough,
                TemplateResults.Entry template,
                List<FilterPlugin> others) {
            List<NodeInfo> fits = new ArrayList<>(Math.min(enough, nodes.size()));
            int size = nodes.size();
            for (int i = 0; i < size && fits.size() < enough; i++) {
                int at = begin + i;
                NodeInfo node = nodes.get(at < size ? at : at - size);
                examined++;
                Status status = profile.filter(state, pod, node, template, others);
                if (status.isSuccess()) {
                    fits.add(node);
                } else if (status.code() == Code.ERROR) {
                    failure = status;
                    return List.of();
                } else {
                    statuses.set(node.name(), status);
                    reject(status);
                }
            }
            return fits;
        }
    }
}
