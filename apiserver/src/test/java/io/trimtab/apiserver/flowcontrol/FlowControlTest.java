package io.trimtab.apiserver.flowcontrol;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.ApiServer;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.auth.AuthorizerChain;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.bootstrap.Bootstrap;
import io.trimtab.apiserver.bootstrap.Keeper;
import io.trimtab.apiserver.kinds.Kinds;
import io.trimtab.apiserver.kinds.KindsOptions;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.runtime.VirtualDriver;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FlowControlTest {
    private final VirtualDriver driver = VirtualDriver.create();
    private final ResourceRegistry resources = ResourceRegistry.builtIn(new Kinds(KindsOptions.DEFAULT).registry());
    private final MemoryStore store = MemoryStore.create();
    private final DefaultStorage storage = new DefaultStorage(store, driver, resources::selectableFields);
    private FlowControl control = FlowControl.start(storage, resources, driver, 600, true);
    private ApiServer server = serverOf(control);

    @BeforeEach
    void bootstrap() {
        Bootstrap.run(storage, driver, new Bootstrap.Settings("10.0.0.0/16", "127.0.0.1", 443, null));
        driver.settle();
    }

    @AfterEach
    void close() {
        control.close();
        storage.close();
        store.close();
        driver.close();
    }

    private ApiServer serverOf(FlowControl flow) {
        return ApiServer.builder()
                .driver(driver)
                .storage(storage)
                .resources(resources)
                .authorizer(AuthorizerChain.alwaysAllow())
                .flowControl(flow)
                .build();
    }

    private static ApiRequest request(UserInfo user, String method, String path, Map<String, String> query) {
        return ApiRequest.local(user, method, path, query, null, new byte[0]);
    }

    private Ticket enter(UserInfo user, String method, String path) {
        ApiRequest request = request(user, method, path, Map.of());
        return control.enter(request, RequestInfo.of(request), user, Duration.ofSeconds(60), driver.nanoTime());
    }

    private static UserInfo user(String name, String groups) {
        List<String> all = new ArrayList<>(List.of(groups.split(";")));
        all.removeIf(String::isEmpty);
        all.add("system:authenticated");
        return new UserInfo(name, "", all, Map.of());
    }

    @ParameterizedTest
    @CsvSource({
        "admin, system:masters, GET, /api/v1/pods, exempt, exempt",
        "x, '', GET, /healthz, probes, exempt",
        "x, '', GET, /readyz, probes, exempt",
        "x, '', GET, /version, global-default, global-default",
        "x, '', POST, /readyz, global-default, global-default",
        "bob, '', GET, /api/v1/pods, global-default, global-default",
        "system:kube-scheduler, '', GET, /api/v1/pods, kube-scheduler, workload-high",
        "system:kube-controller-manager, '', GET, /api/v1/pods, kube-controller-manager, workload-high",
        "system:kube-scheduler, '', PUT, /apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler,"
                + " system-leader-election, leader-election",
        "system:node:n1, system:nodes, GET, /api/v1/pods, system-nodes, system",
        "system:node:n1, system:nodes, PATCH, /api/v1/nodes/n1/status, system-node-high, node-high",
        "system:serviceaccount:kube-system:x, system:serviceaccounts, GET, /api/v1/pods, kube-system-service-accounts,"
                + " workload-high",
        "system:serviceaccount:shop:x, system:serviceaccounts, GET, /api/v1/pods, service-accounts, workload-low",
    })
    void givenTheObjectsOfEveryCluster_whenRequestsCome_thenTheyAreSortedAsInKubernetes(
            String name, String groups, String method, String path, String schema, String level) {
        Ticket ticket = enter(user(name, groups), method, path);

        assertThat(ticket.schema()).isEqualTo(schema);
        assertThat(ticket.level()).isEqualTo(level);
    }

    @Test
    void givenDefaultFlags_whenSeatsAreDivided_thenTheLimitsAreThoseOfKubernetes() {
        Map<String, PriorityLevel> levels = control.configuration().levels();

        assertThat(levels.get("workload-high").nominal).isEqualTo(98);
        assertThat(levels.get("workload-high").lower).isEqualTo(49);
        assertThat(levels.get("workload-low").nominal).isEqualTo(245);
        assertThat(levels.get("global-default").nominal).isEqualTo(49);
        assertThat(levels.get("catch-all").nominal).isEqualTo(13);
        assertThat(levels.get("catch-all").upper).isEqualTo(613);
        assertThat(levels.get("exempt").nominal).isZero();
        assertThat(levels.get("leader-election").widest).isEqualTo(4);
    }

    @Test
    void givenASchemaOfALevelThatDoesNotExist_whenTheLevelComesAndGoes_thenTheConditionSaysSo() {
        storage.create(CoreResources.FLOW_SCHEMAS, schema("mine", "later", 50));
        driver.settle();
        assertThat(dangling("mine").path("status").asText()).isEqualTo("True");
        assertThat(dangling("mine").path("reason").asText()).isEqualTo("NotFound");
        assertThat(dangling("mine").path("message").asText())
                .isEqualTo(
                        "This FlowSchema references the PriorityLevelConfiguration object named \"later\" but there is"
                                + " no such object");
        assertThat(enter(user("bob", ""), "GET", "/api/v1/pods").schema()).isEqualTo("global-default");

        storage.create(CoreResources.PRIORITY_LEVELS, level("later", 10));
        driver.settle();
        assertThat(dangling("mine").path("status").asText()).isEqualTo("False");
        assertThat(enter(user("bob", ""), "GET", "/api/v1/pods").schema()).isEqualTo("mine");

        var found = storage.get(CoreResources.PRIORITY_LEVELS, null, "later").orElseThrow();
        storage.delete(CoreResources.PRIORITY_LEVELS, found);
        driver.settle();
        assertThat(dangling("mine").path("status").asText()).isEqualTo("True");
    }

    @Test
    void givenTheMandatoryObjectsAreDeleted_whenRequestsCome_thenTheyAreSortedAllTheSame() {
        for (String name : List.of("exempt", "catch-all", "global-default")) {
            storage.delete(
                    CoreResources.FLOW_SCHEMAS,
                    storage.get(CoreResources.FLOW_SCHEMAS, null, name).orElseThrow());
        }
        driver.settle();

        assertThat(enter(user("admin", "system:masters"), "GET", "/api/v1/pods").schema())
                .isEqualTo("exempt");
        assertThat(enter(user("bob", ""), "GET", "/api/v1/pods").schema()).isEqualTo("catch-all");
    }

    @Test
    void givenObjectsOfEveryCluster_whenTheyAreDeletedOrChanged_thenTheyComeBackUnlessSomebodyClaimedThem() {
        try (Keeper keeper = Keeper.ofFlowControl(storage, driver)) {
            storage.delete(
                    CoreResources.FLOW_SCHEMAS,
                    storage.get(CoreResources.FLOW_SCHEMAS, null, "probes").orElseThrow());
            shares("workload-low", 7, "true");
            shares("workload-high", 7, "false");
            shares("catch-all", 7, "false");
            driver.advance(Duration.ofMinutes(1));
        }

        assertThat(storage.get(CoreResources.FLOW_SCHEMAS, null, "probes")).isPresent();
        assertThat(shares("workload-low")).isEqualTo(100);
        assertThat(shares("workload-high")).isEqualTo(7);
        assertThat(shares("catch-all")).isEqualTo(5);
    }

    private void shares(String level, int shares, String automatic) {
        storage.update(CoreResources.PRIORITY_LEVELS, null, level, tree -> {
            tree.withObjectProperty("spec").withObjectProperty("limited").put("nominalConcurrencyShares", shares);
            tree.withObjectProperty("metadata")
                    .withObjectProperty("annotations")
                    .put("apf.kubernetes.io/autoupdate-spec", automatic);
            return tree;
        });
    }

    private int shares(String level) {
        return storage.get(CoreResources.PRIORITY_LEVELS, null, level)
                .orElseThrow()
                .tree()
                .path("spec")
                .path("limited")
                .path("nominalConcurrencyShares")
                .asInt();
    }

    @Test
    void givenALevelIsFull_whenARequestIsTurnedAway_thenTheAnswerIsThatOfKubernetes() {
        UserInfo nobody = UserInfo.of("nobody"); // in no group, so nothing but catch-all is left
        List<Ticket> seats = new ArrayList<>();
        Ticket next = enter(nobody, "GET", "/api/v1/namespaces");
        while (next.isExecuting()) {
            seats.add(next);
            next = enter(nobody, "GET", "/api/v1/namespaces");
        }
        assertThat(next.level()).isEqualTo("catch-all");
        List<ApiResponse> answers = new ArrayList<>();

        server.handle(request(nobody, "GET", "/api/v1/namespaces", Map.of()), answers::add);

        ApiResponse.Whole answer = (ApiResponse.Whole) answers.get(0);
        assertThat(answer.code()).isEqualTo(429);
        assertThat(new String(answer.body(), StandardCharsets.UTF_8))
                .isEqualTo("Too many requests, please try again later.\n");
        assertThat(answer.headers()).containsEntry("Retry-After", List.of("1"));
        assertThat(answer.headers()).containsEntry("Content-Type", List.of("text/plain; charset=utf-8"));
        assertThat(answer.headers())
                .containsKeys("X-Kubernetes-Pf-Flowschema-Uid", "X-Kubernetes-Pf-Prioritylevel-Uid");

        seats.forEach(Ticket::finish);
        server.handle(request(nobody, "GET", "/api/v1/namespaces", Map.of()), answers::add);
        assertThat(answers.get(1).code()).isEqualTo(200);
    }

    @Test
    void givenAllSeatsAreTaken_whenARequestComes_thenItIsAnsweredWhenItIsItsTurn() {
        control.close();
        control = FlowControl.start(storage, resources, driver, 60, true);
        server = serverOf(control);
        driver.settle();
        UserInfo bob = user("bob", "");
        Ticket first = enter(bob, "GET", "/api/v1/pods");
        assertThat(first.isExecuting()).isTrue();
        Ticket next = first;
        while (next.isExecuting()) {
            next = enter(bob, "GET", "/api/v1/pods");
        }
        List<ApiResponse> answers = new ArrayList<>();

        server.handle(request(bob, "GET", "/api/v1/namespaces", Map.of()), answers::add);
        server.handle(request(user("root", "system:masters"), "GET", "/api/v1/namespaces", Map.of()), answers::add);
        assertThat(answers).hasSize(1); // who is exempt does not wait
        first.finish(); // for the one that waits already
        next.finish();
        driver.settle();

        assertThat(answers).hasSize(2);
        assertThat(answers.get(1).code()).isEqualTo(200);
    }

    @Test
    void givenOneLevelIsIdleAndAnotherFull_whenSeatsAreAdjusted_thenTheFullOneBorrows() {
        PriorityLevel low = control.configuration().levels().get("workload-low");
        UserInfo account = user("system:serviceaccount:shop:x", "system:serviceaccounts");
        for (int i = 0; i < 400; i++) {
            enter(account, "GET", "/api/v1/namespaces/shop/pods/p" + i);
        }
        int before = low.current;

        driver.advance(Duration.ofSeconds(10));

        assertThat(low.current).isGreaterThan(before);
        assertThat(low.queues.seats()).isEqualTo(low.current);
        assertThat(control.configuration().levels().get("leader-election").current)
                .isGreaterThanOrEqualTo(control.configuration().levels().get("leader-election").lower);
    }

    @Test
    void givenWritesThatManyWatch_whenEstimated_thenTheyTakeSeatsForTheEvents() {
        for (int i = 0; i < 25; i++) {
            storage.watch(
                    CoreResources.CONFIG_MAPS,
                    new io.trimtab.apiserver.storage.Storage.WatchQuery(
                            "shop",
                            io.trimtab.selector.LabelSelectors.everything(),
                            io.trimtab.selector.FieldSelector.everything(),
                            -1,
                            false,
                            false,
                            Duration.ZERO));
        }

        Ticket watched = enter(user("bob", ""), "POST", "/api/v1/namespaces/shop/configmaps");
        Ticket unwatched = enter(user("bob", ""), "POST", "/api/v1/namespaces/other/configmaps");

        assertThat(watched.work).isEqualTo(new Work(1, 3, 5_000_000));
        assertThat(unwatched.work).isEqualTo(Work.ONE);
    }

    @Test
    void givenTheDumps_whenAskedFor_thenTheyAreTables() {
        enter(user("bob", ""), "GET", "/api/v1/namespaces/shop/pods/p");
        Dumps dumps = new Dumps(control);

        assertThat(dump(dumps, "dump_priority_levels").lines().toList())
                .contains(
                        "PriorityLevelName, ActiveQueues, IsIdle, IsQuiescing, WaitingRequests, ExecutingRequests,"
                                + " DispatchedRequests, RejectedRequests, TimedoutRequests, CancelledRequests",
                        "global-default,    0,            false,  false,       0,               1,                 1,   "
                                + "               0,                0,                0")
                .hasSize(9);
        assertThat(dump(dumps, "dump_requests").lines().skip(1))
                .hasSize(1)
                .first()
                .asString()
                .startsWith("global-default,    global-default, ");
        assertThat(dump(dumps, "dump_queues").lines().count()).isGreaterThan(100);
        assertThat(dumps.handle(request(UserInfo.SELF, "GET", "/debug/other", Map.of()), UserInfo.SELF))
                .isEmpty();
    }

    private static String dump(Dumps dumps, String name) {
        ApiResponse answer = dumps.handle(
                        request(UserInfo.SELF, "GET", "/debug/api_priority_and_fairness/" + name, Map.of()),
                        UserInfo.SELF)
                .orElseThrow();
        return new String(((ApiResponse.Whole) answer).body(), StandardCharsets.UTF_8);
    }

    private JsonNode dangling(String schema) {
        return storage.get(CoreResources.FLOW_SCHEMAS, null, schema)
                .orElseThrow()
                .tree()
                .path("status")
                .path("conditions")
                .path(0);
    }

    private static com.fasterxml.jackson.databind.node.ObjectNode schema(String name, String level, int precedence) {
        return tree(
                "{\"apiVersion\":\"flowcontrol.apiserver.k8s.io/v1\",\"kind\":\"FlowSchema\",\"metadata\":{\"name\":\""
                        + name + "\",\"uid\":\"u-" + name + "\"},\"spec\":{\"matchingPrecedence\":" + precedence
                        + ",\"priorityLevelConfiguration\":{\"name\":\"" + level
                        + "\"},\"rules\":[{\"subjects\":[{\"kind\":\"User\","
                        + "\"user\":{\"name\":\"bob\"}}],\"resourceRules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":"
                        + "[\"*\"],\"clusterScope\":true,\"namespaces\":[\"*\"]}]}]},\"status\":{}}");
    }

    private static com.fasterxml.jackson.databind.node.ObjectNode level(String name, int shares) {
        return tree("{\"apiVersion\":\"flowcontrol.apiserver.k8s.io/v1\",\"kind\":\"PriorityLevelConfiguration\","
                + "\"metadata\":{\"name\":\"" + name + "\",\"uid\":\"u-" + name + "\"},\"spec\":{\"type\":\"Limited\","
                + "\"limited\":{\"nominalConcurrencyShares\":" + shares
                + ",\"limitResponse\":{\"type\":\"Reject\"}}}}");
    }

    private static com.fasterxml.jackson.databind.node.ObjectNode tree(String json) {
        try {
            return (com.fasterxml.jackson.databind.node.ObjectNode)
                    new com.fasterxml.jackson.databind.ObjectMapper().readTree(json);
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
