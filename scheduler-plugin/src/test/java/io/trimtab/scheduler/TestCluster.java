package io.trimtab.scheduler;

import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.trimtab.client.Client;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.InformerFactory;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.scheduler.cache.ClusterCache;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.PostFilterResult;
import io.trimtab.scheduler.framework.Snapshot;
import io.trimtab.scheduler.framework.WaitingPod;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A snapshot to decide on: nodes, pods and a profile, without an API server. */
public final class TestCluster {
    public final ClusterCache cache = new ClusterCache();
    public final FakeInformers informers = new FakeInformers();
    public final Map<String, List<PodInfo>> nominated = new HashMap<>();
    public final VirtualDriver driver = VirtualDriver.create();
    private @Nullable ProfileRunner runner;
    private @Nullable NodeSearch search;
    private ProfileOptions profile = ProfileOptions.DEFAULT;
    private SchedulerOptions options = SchedulerOptions.DEFAULT;

    /** What was decided. */
    public record Decision(
            @Nullable String node, String message, @Nullable String nominated) {}

    public TestCluster profile(ProfileOptions other) {
        profile = other;
        return this;
    }

    public TestCluster options(SchedulerOptions others) {
        options = others;
        return this;
    }

    public TestCluster node(String name) {
        return node(name, builder -> {});
    }

    /** A node of 4 CPUs, 32 GiB and 110 pods, with its host name as a label. */
    public TestCluster node(String name, Consumer<NodeBuilder> change) {
        NodeBuilder builder = new NodeBuilder()
                .withNewMetadata()
                .withName(name)
                .addToLabels("kubernetes.io/hostname", name)
                .endMetadata()
                .withNewSpec()
                .endSpec()
                .withNewStatus()
                .withAllocatable(
                        Map.of("cpu", new Quantity("4"), "memory", new Quantity("32Gi"), "pods", new Quantity("110")))
                .endStatus();
        change.accept(builder);
        Node node = builder.build();
        cache.setNode(node);
        return this;
    }

    public TestCluster zoned(String name, String zone) {
        return node(
                name,
                builder -> builder.editMetadata()
                        .addToLabels("topology.kubernetes.io/zone", zone)
                        .endMetadata());
    }

    /** A pod on a node. */
    public TestCluster running(String node, Pod pod) {
        cache.setPod(PodInfo.of(
                new PodBuilder(pod).editSpec().withNodeName(node).endSpec().build()));
        return this;
    }

    public static Pod pod(String name) {
        return pod(name, builder -> {});
    }

    /** A pod of namespace {@code default} with one container that asks for nothing. */
    public static Pod pod(String name, Consumer<PodBuilder> change) {
        PodBuilder builder = new PodBuilder()
                .withNewMetadata()
                .withNamespace("default")
                .withName(name)
                .withUid("uid-" + name)
                .endMetadata()
                .withNewSpec()
                .withSchedulerName("default-scheduler")
                .addToContainers(
                        new ContainerBuilder().withName("c").withImage("nginx").build())
                .endSpec()
                .withNewStatus()
                .endStatus();
        change.accept(builder);
        return builder.build();
    }

    /** Asks for CPU and memory. */
    public static Consumer<PodBuilder> asking(String cpu, String memory) {
        return builder -> builder.editSpec()
                .editFirstContainer()
                .withNewResources()
                .addToRequests("cpu", new Quantity(cpu))
                .addToRequests("memory", new Quantity(memory))
                .endResources()
                .endContainer()
                .endSpec();
    }

    public static Consumer<PodBuilder> labelled(String key, String value) {
        return builder -> builder.editMetadata().addToLabels(key, value).endMetadata();
    }

    public static Consumer<PodBuilder> priority(int priority) {
        return builder -> builder.editSpec().withPriority(priority).endSpec();
    }

    ProfileRunner runner() {
        ProfileRunner known = runner;
        if (known == null) {
            known = new ProfileRunner(profile, new PluginRegistry(options.factories()), new Services());
            runner = known;
        }
        return known;
    }

    NodeSearch search() {
        NodeSearch known = search;
        if (known == null) {
            known = new NodeSearch(driver.random(), options.percentageOfNodesToScore());
            search = known;
        }
        return known;
    }

    NodeSearch.Outcome search(Pod pod) {
        return search().search(runner(), new CycleState(), PodInfo.of(pod));
    }

    /** Finds a node, or says why there is none, preemption included. */
    public Decision decide(Pod pod) {
        CycleState state = new CycleState();
        PodInfo info = PodInfo.of(pod);
        NodeSearch.Outcome outcome = search().search(runner(), state, info);
        if (outcome.node() != null) {
            return new Decision(outcome.node(), "", null);
        }
        if (!outcome.status().isRejected() || cache.nodes().isEmpty()) {
            return new Decision(null, outcome.status().message(), null);
        }
        PostFilterResult made = runner().runPostFilter(state, info, outcome.statuses());
        String text = FitText.of(
                cache.nodes().size(),
                outcome.statuses(),
                outcome.preFilter(),
                made.status().message());
        return new Decision(null, text, made.nominatedNode());
    }

    /** Finds a node and places the pod there. */
    public @Nullable String place(Pod pod) {
        String node = decide(pod).node();
        if (node != null) {
            running(node, pod);
        }
        return node;
    }

    /** The total score of each node, by name. */
    public Map<String, Long> scores(Pod pod) {
        PodInfo info = PodInfo.of(pod);
        CycleState state = new CycleState();
        runner().runPreFilter(state, info);
        List<NodeInfo> nodes = cache.nodes();
        ProfileRunner.Scores scores = runner().score(state, info, nodes, runner().template(info));
        if (!scores.status().isSuccess()) {
            throw new AssertionError(scores.status().message());
        }
        Map<String, Long> byName = new TreeMap<>();
        for (int i = 0; i < nodes.size(); i++) {
            byName.put(nodes.get(i).name(), scores.totals()[i]);
        }
        return byName;
    }

    /** A profile that scores with one plugin alone, of weight 1. */
    public static ProfileOptions scoringOnly(String plugin) {
        return new ProfileOptions(
                ProfileOptions.DEFAULT_NAME,
                null,
                PluginSet.EMPTY,
                Map.of(ExtensionPoint.SCORE, new PluginSet(List.of(new PluginSet.Enabled(plugin, 1)), List.of("*"))),
                Map.of());
    }

    private final class Services implements SchedulerServices {
        @Override
        public Driver driver() {
            return driver;
        }

        @Override
        public Client client() {
            throw new AssertionError("nothing is written here");
        }

        @Override
        public InformerFactory informers() {
            return informers;
        }

        @Override
        public EventRecorder events(String schedulerName) {
            return new EventRecorder() {
                @Override
                public void record(ObjectReference regarding, String type, String reason, String message) {}
            };
        }

        @Override
        public Snapshot snapshot() {
            return cache;
        }

        @Override
        public boolean hasNominations() {
            return !nominated.isEmpty();
        }

        @Override
        public List<PodInfo> nominatedPods(String node) {
            return nominated.getOrDefault(node, List.of());
        }

        @Override
        public void clearNomination(PodInfo pod) {
            nominated.values().forEach(pods -> pods.remove(pod));
        }

        @Override
        public @Nullable WaitingPod waitingPod(String uid) {
            return null;
        }

        @Override
        public Collection<WaitingPod> waitingPods() {
            return new ArrayList<>();
        }

        @Override
        public void activate(Collection<String> keys) {}

        @Override
        public void onLane(Runnable step) {}

        @Override
        public void write(PodInfo about, Runnable step) {}
    }
}
