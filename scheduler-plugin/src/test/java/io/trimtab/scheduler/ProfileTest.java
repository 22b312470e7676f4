package io.trimtab.scheduler;

import static io.trimtab.scheduler.TestCluster.pod;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.scheduler.framework.BindPlugin;
import io.trimtab.scheduler.framework.Code;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.FilterPlugin;
import io.trimtab.scheduler.framework.Handle;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.PermitPlugin;
import io.trimtab.scheduler.framework.PermitResult;
import io.trimtab.scheduler.framework.Plugin;
import io.trimtab.scheduler.framework.PluginFactory;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.ReservePlugin;
import io.trimtab.scheduler.framework.ScorePlugin;
import io.trimtab.scheduler.framework.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProfileTest {
    private final List<String> calls = new ArrayList<>();

    /** Does what its name says. */
    private record Factory(Plugin plugin, boolean enabledByDefault) implements PluginFactory {
        @Override
        public String name() {
            return plugin.name();
        }

        @Override
        public Plugin create(JsonNode args, Handle handle) {
            return plugin;
        }
    }

    private static TestCluster with(Plugin... plugins) {
        SchedulerOptions options = SchedulerOptions.DEFAULT;
        for (Plugin plugin : plugins) {
            options = options.withPlugin(new Factory(plugin, true));
        }
        return new TestCluster().options(options);
    }

    private record Booking(String name, Status answer, List<String> calls) implements ReservePlugin {
        @Override
        public Status reserve(CycleState state, PodInfo pod, String nodeName) {
            calls.add("reserve " + name);
            return answer;
        }

        @Override
        public void unreserve(CycleState state, PodInfo pod, String nodeName) {
            calls.add("unreserve " + name);
        }
    }

    private record Binder(String name, Status answer) implements BindPlugin {
        @Override
        public Status bind(CycleState state, PodInfo pod, String nodeName) {
            return answer;
        }
    }

    private record Doorman(String name, PermitResult answer) implements PermitPlugin {
        @Override
        public PermitResult permit(CycleState state, PodInfo pod, String nodeName) {
            return answer;
        }
    }

    private record NotHere(String name, String node) implements FilterPlugin {
        @Override
        public Status filter(CycleState state, PodInfo pod, NodeInfo info) {
            return info.name().equals(node) ? Status.unschedulable("not here") : Status.SUCCESS;
        }
    }

    private record Fixed(String name, long value) implements ScorePlugin {
        @Override
        public long score(CycleState state, PodInfo pod, NodeInfo node) {
            return value;
        }
    }

    @Test
    void givenAUsersFilter_whenEnabledByDefault_thenItDecidesToo() {
        TestCluster cluster = with(new NotHere("NotHere", "a")).node("a").node("b");
        assertThat(cluster.decide(pod("p")).node()).isEqualTo("b");
        assertThat(cluster.search(pod("q")).rejectors()).containsExactly("NotHere");
    }

    @Test
    void givenASecondReservationThatFails_whenUndone_thenAllAreUndoneInReverse() {
        ProfileRunner runner = with(
                        new Booking("one", Status.SUCCESS, calls), new Booking("two", Status.error("no"), calls))
                .node("n")
                .runner();
        PodInfo pod = PodInfo.of(pod("p"));
        CycleState state = new CycleState();
        Status status = runner.runReserve(state, pod, "n");
        runner.runUnreserve(state, pod, "n");
        assertThat(status.message()).isEqualTo("running Reserve plugin \"two\": no");
        assertThat(calls).containsExactly("reserve one", "reserve two", "unreserve two", "unreserve one");
    }

    @Test
    void givenABinderThatSkips_whenBound_thenTheNextOneDecides() {
        ProfileOptions binders = new ProfileOptions(
                "default-scheduler",
                null,
                PluginSet.EMPTY,
                Map.of(
                        ExtensionPoint.BIND,
                        new PluginSet(
                                List.of(new PluginSet.Enabled("skips", 0), new PluginSet.Enabled("binds", 0)),
                                List.of("*"))),
                Map.of());
        ProfileRunner runner = with(new Binder("skips", Status.SKIP), new Binder("binds", Status.SUCCESS))
                .profile(binders)
                .runner();
        assertThat(runner.runBind(new CycleState(), PodInfo.of(pod("p")), "n").code())
                .isEqualTo(Code.SUCCESS);
    }

    @Test
    void givenAScoreOutOfRange_whenScored_thenTheAttemptFails() {
        TestCluster cluster = with(new Fixed("wild", 101)).node("a").node("b");
        assertThat(cluster.decide(pod("p")).message())
                .isEqualTo(
                        "plugin \"wild\" returns an invalid score 101, it should in the range of [0, 100] after normalizing");
    }

    @Test
    void givenPermitThatWaits_whenAllAllow_thenThePodGoes() {
        VirtualDriver driver = VirtualDriver.create();
        WaitingPods waiting = new WaitingPods(driver, driver.lane("test"));
        List<Status> ended = new ArrayList<>();
        PodInfo pod = PodInfo.of(pod("p"));
        waiting.add(pod, Map.of("x", Duration.ofMinutes(1), "y", Duration.ofMinutes(1)), ended::add);
        waiting.all().iterator().next().allow("x");
        driver.settle();
        assertThat(ended).isEmpty();
        waiting.all().iterator().next().allow("y");
        driver.settle();
        assertThat(ended).containsExactly(Status.SUCCESS);
        assertThat(waiting.all()).isEmpty();
    }

    @Test
    void givenPermitThatWaits_whenTheTimeIsUp_thenThePodIsRejected() {
        VirtualDriver driver = VirtualDriver.create();
        WaitingPods waiting = new WaitingPods(driver, driver.lane("test"));
        List<Status> ended = new ArrayList<>();
        waiting.add(PodInfo.of(pod("p")), Map.of("x", Duration.ofSeconds(90)), ended::add);
        driver.advance(Duration.ofSeconds(91));
        assertThat(ended)
                .containsExactly(Status.unschedulable("rejected due to timeout after waiting 1m30s at plugin x")
                        .by("x"));
    }

    @Test
    void givenPermitThatAsksForAnHour_whenAsked_thenItGetsFifteenMinutes() {
        ProfileRunner runner = with(new Doorman("slow", PermitResult.await(Duration.ofHours(1))))
                .runner();
        assertThat(runner.runPermit(new CycleState(), PodInfo.of(pod("p")), "n").waits())
                .containsEntry("slow", Duration.ofMinutes(15));
    }

    // ---- configuration ----

    private static final String HEAD = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";

    @Test
    void givenAFile_whenParsed_thenProfilesPluginsAndArgumentsAreThere() {
        SchedulerConfiguration.Parsed parsed = SchedulerConfiguration.parse(
                HEAD
                        + "percentageOfNodesToScore: 30\npodInitialBackoffSeconds: 2\npodMaxBackoffSeconds: 20\n"
                        + "leaderElection: {leaderElect: true}\n"
                        + "profiles:\n- schedulerName: default-scheduler\n- schedulerName: packing\n"
                        + "  plugins: {multiPoint: {disabled: [{name: ImageLocality}]}, score: {enabled: [{name: NodeResourcesFit, weight: 5}]}}\n"
                        + "  pluginConfig:\n  - name: NodeResourcesFit\n    args: {scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 1}]}}\n");
        SchedulerOptions options = parsed.options();
        assertThat(options.percentageOfNodesToScore()).isEqualTo(30);
        assertThat(options.initialBackoff()).isEqualTo(Duration.ofSeconds(2));
        assertThat(options.maxBackoff()).isEqualTo(Duration.ofSeconds(20));
        assertThat(parsed.leaderElect()).isTrue();
        assertThat(options.profiles())
                .extracting(ProfileOptions::schedulerName)
                .containsExactly("default-scheduler", "packing");
        TestCluster cluster = new TestCluster()
                .profile(options.profiles().get(1))
                .node("empty")
                .node("busy")
                .running("busy", pod("a", TestCluster.asking("2", "1Gi")));
        assertThat(cluster.decide(pod("p", TestCluster.asking("1", "1Gi"))).node())
                .isEqualTo("busy");
    }

    @Test
    void givenFilesThatMakeNoSense_whenParsed_thenTheFieldIsNamed() {
        assertThatThrownBy(() -> SchedulerConfiguration.parse("kind: Pod\napiVersion: v1\n"))
                .hasMessage("expected KubeSchedulerConfiguration of kubescheduler.config.k8s.io/v1, found Pod of v1");
        assertThatThrownBy(() -> SchedulerConfiguration.parse(HEAD + "percentageOfNodesToScore: 101\n"))
                .hasMessageContaining("percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]");
        assertThatThrownBy(() ->
                        SchedulerConfiguration.parse(HEAD + "profiles: [{schedulerName: a}, {schedulerName: a}]\n"))
                .hasMessage("profiles[1].schedulerName: Duplicate value: \"a\"");
        assertThatThrownBy(() -> SchedulerConfiguration.parse(
                        HEAD + "profiles: [{plugins: {filter: {enabled: [{name: Nobody}]}}}]\n"))
                .hasMessageStartingWith("there is no plugin named Nobody");
        assertThatThrownBy(() -> SchedulerConfiguration.parse(HEAD + "podInitialBackoffSeconds: 20\n"))
                .hasMessageContaining("must be greater than or equal to PodInitialBackoffSeconds");
    }

    @Test
    void givenDefaultsDisabledAtOnePoint_whenAPodComes_thenOnlyWhatIsNamedFilters() {
        ProfileOptions onlyPorts = new ProfileOptions(
                "default-scheduler",
                null,
                PluginSet.EMPTY,
                Map.of(
                        ExtensionPoint.FILTER,
                        new PluginSet(List.of(new PluginSet.Enabled("NodePorts", 0)), List.of("*"))),
                Map.of());
        TestCluster cluster = new TestCluster()
                .profile(onlyPorts)
                .node("n", node -> node.editSpec().withUnschedulable(true).endSpec());
        assertThat(cluster.decide(pod("p", TestCluster.asking("100", "1Ti"))).node())
                .isEqualTo("n");
    }
}
