package io.trimtab.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.apiserver.kinds.Kinds;
import io.trimtab.apiserver.kinds.KindsOptions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PodSubresourcesTest {
    private static final String PODS = "/api/v1/namespaces/default/pods";
    private static final String BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    private final TestServer server = new TestServer(b -> b.kinds(new Kinds(KindsOptions.DEFAULT).registry()));

    private TestServer.Answer pod(String name) {
        return server.post(
                PODS,
                "{\"metadata\":{\"name\":\"" + name + "\",\"labels\":{\"app\":\"x\"}},\"spec\":{\"containers\":["
                        + "{\"name\":\"a\",\"image\":\"i\"},{\"name\":\"b\",\"image\":\"i\"}]}}");
    }

    private TestServer.Answer bind(String name, String node) {
        return server.post(
                PODS + "/" + name + "/binding",
                "{\"metadata\":{\"name\":\"" + name + "\"},\"target\":{\"kind\":\"Node\",\"name\":\"" + node + "\"}}");
    }

    private TestServer.Answer evict(String name) {
        return server.post(
                PODS + "/" + name + "/eviction",
                "{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"" + name + "\"}}");
    }

    private void run(String name) {
        server.patch(
                PODS + "/" + name + "/status",
                "merge-patch+json",
                "{\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}");
    }

    @Test
    void givenPod_whenBound_thenItHasItsNode() {
        assertThat(pod("p").code()).isEqualTo(201);
        var bound = bind("p", "n1");
        assertThat(bound.code()).isEqualTo(201);
        assertThat(bound.body())
                .isEqualTo(
                        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\",\"code\":201}\n");
        var after = server.get(PODS + "/p");
        assertThat(after.at("/spec/nodeName")).isEqualTo("n1");
        assertThat(after.at("/status/conditions/0/type")).isEqualTo("PodScheduled");

        var again = bind("p", "n2");
        assertThat(again.code()).isEqualTo(409);
        assertThat(again.message())
                .isEqualTo(
                        "Operation cannot be fulfilled on pods/binding \"p\": pod p is already assigned to node \"n1\"");
        var bad = server.post(
                "/api/v1/namespaces/default/bindings",
                "{\"metadata\":{\"name\":\"p\"},\"target\":{\"kind\":\"Foo\",\"name\":\"n\"}}");
        assertThat(bad.code()).isEqualTo(500);
        assertThat(bad.message())
                .isEqualTo("target.kind: Unsupported value: \"Foo\": supported values: \"Node\", \"<empty>\"");
    }

    @Test
    void givenScheduledPod_whenDeleted_thenGraceCountsDown() {
        pod("p");
        bind("p", "n1");
        run("p");
        var deleting = server.delete(PODS + "/p");
        assertThat(deleting.at("/metadata/deletionGracePeriodSeconds")).isEqualTo("30");
        assertThat(deleting.at("/metadata/deletionTimestamp")).isEqualTo("2026-01-01T00:00:30Z");
        assertThat(deleting.at("/metadata/generation")).isEqualTo("2");

        var longer = server.delete(PODS + "/p", "{\"gracePeriodSeconds\":60}");
        assertThat(longer.at("/metadata/resourceVersion")).isEqualTo(deleting.at("/metadata/resourceVersion"));
        var shorter = server.delete(PODS + "/p", "{\"gracePeriodSeconds\":10}");
        assertThat(shorter.at("/metadata/deletionTimestamp")).isEqualTo("2026-01-01T00:00:10Z");
        server.advance(Duration.ofSeconds(8));
        var passed = server.delete(PODS + "/p", "{\"gracePeriodSeconds\":5}");
        assertThat(passed.at("/metadata/deletionGracePeriodSeconds")).isEqualTo("1");

        var gone = server.delete(PODS + "/p", "{\"gracePeriodSeconds\":0}");
        assertThat(gone.at("/kind")).isEqualTo("Pod");
        assertThat(server.get(PODS + "/p").code()).isEqualTo(404);
    }

    @Test
    void givenUnscheduledPod_whenDeleted_thenItIsGoneAtOnce() {
        pod("p");
        assertThat(server.delete(PODS + "/p").at("/kind")).isEqualTo("Pod");
        assertThat(server.get(PODS + "/p").code()).isEqualTo(404);
    }

    @Test
    void givenBudget_whenEvicted_thenItIsChargedAndThenRefuses() {
        pod("p");
        pod("q");
        bind("p", "n");
        bind("q", "n");
        run("p");
        run("q");
        server.post(
                BUDGETS,
                "{\"metadata\":{\"name\":\"b\"},\"spec\":{\"minAvailable\":1,\"selector\":{\"matchLabels\":{\"app\":\"x\"}}}}");
        server.patch(
                BUDGETS + "/b/status",
                "merge-patch+json",
                "{\"status\":{\"observedGeneration\":1,\"disruptionsAllowed\":1,\"currentHealthy\":2,\"desiredHealthy\":1,"
                        + "\"expectedPods\":2}}");

        var first = evict("p");
        assertThat(first.body()).contains("\"status\":\"Success\",\"code\":201");
        var budget = server.get(BUDGETS + "/b");
        assertThat(budget.at("/status/disruptionsAllowed")).isEqualTo("0");
        assertThat(budget.json().at("/status/disruptedPods").has("p")).isTrue();
        assertThat(budget.at("/status/conditions/0/reason")).isEqualTo("InsufficientPods");
        assertThat(server.get(PODS + "/p").body())
                .contains("EvictionByEvictionAPI")
                .contains("deletionTimestamp");

        var second = evict("q");
        assertThat(second.code()).isEqualTo(429);
        assertThat(second.body())
                .isEqualTo(
                        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":"
                                + "\"Cannot evict pod as it would violate the pod's disruption budget.\",\"reason\":"
                                + "\"TooManyRequests\",\"details\":{\"causes\":[{\"reason\":\"DisruptionBudget\",\"message\":\"The"
                                + " disruption budget b needs 1 healthy pods and has 2 currently\"}]},\"code\":429}\n");
    }

    @Test
    void givenBudgetThatIsNotProcessed_whenEvicted_thenTryLater() {
        pod("p");
        bind("p", "n");
        run("p");
        server.post(
                BUDGETS,
                "{\"metadata\":{\"name\":\"b\",\"generation\":1},\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"x\"}}}}");

        var refused = evict("p");

        assertThat(refused.code()).isEqualTo(429);
        assertThat(refused.headers()).containsEntry("Retry-After", List.of("10"));
        assertThat(refused.json().at("/details").toString())
                .isEqualTo(
                        "{\"causes\":[{\"reason\":\"DisruptionBudget\",\"message\":\"The disruption budget b is still"
                                + " being processed by the server.\"}],\"retryAfterSeconds\":10}");
    }

    @Test
    void givenPodWithoutNode_whenReached_thenReasonIsSaid() {
        pod("p");
        assertThat(server.get(PODS + "/p/log").message())
                .isEqualTo("a container name must be specified for pod p, choose one of: [a b]");
        assertThat(server.get(PODS + "/p/log?container=z").message()).isEqualTo("container z is not valid for pod p");
        assertThat(server.get(PODS + "/p/log?container=a").code()).isEqualTo(204);
        assertThat(server.get(PODS + "/p/log?container=a&tailLines=-1").message())
                .isEqualTo(
                        "PodLogOptions \"p\" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0");
        assertThat(server.post(PODS + "/p/exec?container=a&command=ls", "").message())
                .isEqualTo("pod p does not have a host assigned");
        bind("p", "n1");
        assertThat(server.get(PODS + "/p/log?container=a").message()).isEqualTo("pods \"n1\" not found");
        server.post("/api/v1/nodes", "{\"metadata\":{\"name\":\"n1\"}}");
        var unreachable = server.get(PODS + "/p/log?container=a");
        assertThat(unreachable.code()).isEqualTo(500);
        assertThat(unreachable.message()).isEqualTo("no preferred addresses found; known addresses: []");
    }

    @Test
    void givenDeployment_whenScaled_thenReplicasChange() {
        String deployments = "/apis/apps/v1/namespaces/default/deployments";
        var created = server.post(
                deployments,
                "{\"metadata\":{\"name\":\"d\"},\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{\"a\":\"b\"}},"
                        + "\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{\"name\":\"c\","
                        + "\"image\":\"i\"}]}}}}");
        assertThat(created.code()).isEqualTo(201);
        var scale = server.get(deployments + "/d/scale");
        assertThat(scale.body())
                .isEqualTo(
                        "{\"kind\":\"Scale\",\"apiVersion\":\"autoscaling/v1\",\"metadata\":{\"name\":\"d\",\"namespace\":"
                                + "\"default\",\"uid\":\"" + created.at("/metadata/uid") + "\",\"resourceVersion\":\""
                                + created.at("/metadata/resourceVersion")
                                + "\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\"},\"spec\":{\"replicas\":2},\"status\":"
                                + "{\"replicas\":0,\"selector\":\"a=b\"}}\n");
        var patched = server.patch(deployments + "/d/scale", "merge-patch+json", "{\"spec\":{\"replicas\":5}}");
        assertThat(patched.at("/spec/replicas")).isEqualTo("5");
        var after = server.get(deployments + "/d");
        assertThat(after.at("/spec/replicas")).isEqualTo("5");
        assertThat(after.at("/metadata/generation")).isEqualTo("2");
        var negative = server.patch(deployments + "/d/scale", "merge-patch+json", "{\"spec\":{\"replicas\":-3}}");
        assertThat(negative.message())
                .isEqualTo(
                        "Scale.autoscaling \"d\" is invalid: spec.replicas: Invalid value: -3: must be greater than or"
                                + " equal to 0");
        var stale = server.put(
                deployments + "/d/scale",
                "{\"metadata\":{\"name\":\"d\",\"resourceVersion\":\"1\"},\"spec\":{\"replicas\":1}}");
        assertThat(stale.code()).isEqualTo(409);
    }

    @Test
    void givenNamespace_whenDeleted_thenFinalizeEndsIt() {
        server.post("/api/v1/namespaces", "{\"metadata\":{\"name\":\"shop\"}}");
        var deleting = server.delete("/api/v1/namespaces/shop");
        assertThat(deleting.code()).isEqualTo(200);
        assertThat(deleting.at("/status/phase")).isEqualTo("Terminating");
        assertThat(deleting.json().at("/spec/finalizers").toString()).isEqualTo("[\"kubernetes\"]");
        assertThat(deleting.json().at("/metadata").has("deletionGracePeriodSeconds"))
                .isFalse();
        var finalized = server.put(
                "/api/v1/namespaces/shop/finalize", "{\"metadata\":{\"name\":\"shop\"},\"spec\":{\"finalizers\":[]}}");
        assertThat(finalized.code()).isEqualTo(200);
        assertThat(server.get("/api/v1/namespaces/shop").code()).isEqualTo(404);
    }

    @Test
    void givenReviews_thenTheyAreAnswered() {
        String reviews = "/apis/authorization.k8s.io/v1/";
        var self = server.post(
                reviews + "selfsubjectaccessreviews",
                "{\"spec\":{\"resourceAttributes\":{\"verb\":\"get\",\"resource\":\"pods\"}}}");
        assertThat(self.code()).isEqualTo(201);
        assertThat(self.json().at("/status").toString()).isEqualTo("{\"allowed\":true}");
        var other = server.post(
                reviews + "subjectaccessreviews",
                "{\"spec\":{\"user\":\"bob\",\"nonResourceAttributes\":{\"verb\":\"get\",\"path\":\"/x\"}}}");
        assertThat(other.json().at("/status").toString()).isEqualTo("{\"allowed\":false}");
        assertThat(server.post(reviews + "subjectaccessreviews", "{\"spec\":{}}")
                        .message())
                .contains("spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or"
                        + " resourceAttributes must be specified")
                .contains("spec.user: Invalid value: \"\": at least one of user or group must be specified");
        var me = server.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}");
        assertThat(me.at("/status/userInfo/username")).isEqualTo("admin");
        var token = server.post("/apis/authentication.k8s.io/v1/tokenreviews", "{\"spec\":{\"token\":\"x\"}}");
        assertThat(token.json().at("/status").toString()).isEqualTo("{\"user\":{},\"error\":\"invalid bearer token\"}");
    }

    @Test
    void givenEvents_thenBothGroupsShowTheSameObject() {
        server.post(
                "/apis/events.k8s.io/v1/namespaces/default/events",
                "{\"metadata\":{\"name\":\"e\"},\"eventTime\":\"2026-01-01T00:00:00.000000Z\",\"note\":\"hello\",\"reason\":"
                        + "\"R\",\"action\":\"A\",\"type\":\"Normal\",\"reportingController\":\"c.io/c\","
                        + "\"reportingInstance\":\"i\",\"regarding\":{\"kind\":\"Pod\",\"namespace\":\"default\",\"name\":\"p\"}}");
        var core = server.get("/api/v1/namespaces/default/events/e");
        assertThat(core.at("/message")).isEqualTo("hello");
        assertThat(core.at("/involvedObject/name")).isEqualTo("p");
        assertThat(core.at("/apiVersion")).isEqualTo("v1");
        var other = server.get("/apis/events.k8s.io/v1/namespaces/default/events/e");
        assertThat(other.at("/note")).isEqualTo("hello");
        assertThat(other.at("/apiVersion")).isEqualTo("events.k8s.io/v1");
        assertThat(server.get("/apis/events.k8s.io/v1/events").at("/items/0/regarding/name"))
                .isEqualTo("p");
    }

    @Test
    void givenComponents_thenTheyAreListed() {
        var list = server.get("/api/v1/componentstatuses");
        assertThat(list.json().path("items").findValuesAsText("name"))
                .containsExactly("controller-manager", "scheduler", "etcd-0");
        assertThat(list.headers().get("Warning"))
                .containsExactly("299 - \"v1 ComponentStatus is deprecated in v1.19+\"");
        assertThat(server.send("GET", "/api/v1/componentstatuses/etcd-0", Map.of(), "")
                        .at("/conditions/0/message"))
                .isEqualTo("ok");
    }
}
