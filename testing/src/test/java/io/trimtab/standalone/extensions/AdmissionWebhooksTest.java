package io.trimtab.standalone.extensions;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.callout.CalloutException;
import io.trimtab.apiserver.callout.LocalCallouts;
import io.trimtab.apiserver.certificates.CertificateAuthority;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AdmissionWebhooksTest {
    private static final String CONFIG = "/apis/admissionregistration.k8s.io/v1/";
    private static final String MAPS = "/api/v1/namespaces/default/configmaps";

    private ExtendedServer server;
    private final List<String> asked = new ArrayList<>();

    @BeforeEach
    void start() {
        server = new ExtendedServer();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    // ---- The words of a real server ------------------------------------------------------------------------------

    /** 75 answers of a webhook, each with what Kubernetes 1.34 made of it, asked over HTTPS. */
    @Test
    void givenAnyAnswerOfAWebhook_whenAWriteIsAdmitted_thenTheOutcomeIsThatOfKubernetes() throws IOException {
        JsonNode cases;
        try (InputStream in = getClass().getResourceAsStream("/golden/admission-webhooks.json")) {
            cases = ExtendedServer.JSON.readTree(in);
        }
        CertificateAuthority authority = HookServer.authority();
        try (HookServer hook = HookServer.start(HookServer.credential(authority, "127.0.0.1"), (path, body) -> {
            String uid = ExtendedServer.read(body).at("/request/uid").asText();
            for (JsonNode one : cases) {
                if (one.path("name").asText().equals(path)) {
                    JsonNode answer = one.path("answer");
                    return new HookServer.Answer(
                            answer.path("code").asInt(),
                            answer.path("type").asText(),
                            answer.path("body").asText().replace("$UID", uid));
                }
            }
            throw new IllegalStateException(path);
        })) {
            List<String> differences = new ArrayList<>();
            for (JsonNode one : cases) {
                String name = one.path("name").asText();
                boolean mutating = one.path("mutating").asBoolean();
                configure(mutating, "c-" + name, webhook(name + ".hooks.example", hook.url(name), h -> {
                    ((ObjectNode) h.path("clientConfig")).put("caBundle", HookServer.bundle(authority));
                    h.put("failurePolicy", one.path("failurePolicy").asText());
                    h.putArray("admissionReviewVersions")
                            .add(one.path("version").asText());
                    h.putObject("objectSelector").putObject("matchLabels").put("case", name);
                    return h;
                }));
            }
            for (JsonNode one : cases) {
                String name = one.path("name").asText();
                ExtendedServer.Answer answer = server.post(
                        MAPS,
                        "{\"metadata\":{\"name\":\"x-" + name + "\",\"labels\":{\"case\":\"" + name
                                + "\"},\"finalizers\":[\"example.com/a\"]},\"data\":{\"a\":\"b\"}}");
                JsonNode expected = one.path("expected");
                String wanted = expected.path("code").asText() + " "
                        + expected.path("status").toString().replaceAll("uid=(\\\\*\")[^\\\\\"]*", "uid=$1U")
                        + expected.path("data");
                String got = answer.code() + " "
                        + (answer.code() < 300
                                ? ""
                                : answer.json().toString().replaceAll("uid=(\\\\*\")[^\\\\\"]*", "uid=$1U"))
                        + (answer.code() < 300 ? answer.json().path("data") : "");
                if (!wanted.equals(got)) {
                    differences.add(name + "\n  expected " + wanted + "\n  found    " + got);
                }
                if (expected.has("warnings")) {
                    List<String> warnings = new ArrayList<>();
                    expected.path("warnings").forEach(w -> warnings.add(w.asText()));
                    assertThat(answer.headers().get("Warning")).as(name).isEqualTo(warnings);
                }
            }
            assertThat(differences).isEmpty();
        }
    }

    // ---- Servers that cannot be trusted or reached ---------------------------------------------------------------

    @Test
    void givenACertificateOfAStranger_whenAsked_thenTheWriteFailsAndSaysWhy() {
        CertificateAuthority authority = HookServer.authority();
        CertificateAuthority other = HookServer.authority();
        try (HookServer hook = HookServer.start(HookServer.credential(other, "127.0.0.1"), this::allow)) {
            configure(false, "c", trusting("a.b.c", hook.url("x"), authority));

            assertThat(create("a").message())
                    .startsWith(
                            "Internal error occurred: failed calling webhook \"a.b.c\": failed to call webhook: Post"
                                    + " \"" + hook.url("x") + "?timeout=10s\": tls: failed to verify certificate: x509:"
                                    + " certificate signed by unknown authority");
            assertThat(asked).isEmpty();
        }
    }

    @Test
    void givenACertificateForAnotherHost_whenAsked_thenTheWriteFailsAndSaysWhy() {
        CertificateAuthority authority = HookServer.authority();
        try (HookServer hook = HookServer.start(HookServer.credential(authority, "10.1.2.3"), this::allow)) {
            configure(false, "c", trusting("a.b.c", hook.url("x"), authority));

            assertThat(create("a").message()).endsWith("x509: certificate is valid for 10.1.2.3, not 127.0.0.1");
        }
    }

    @Test
    void givenAServerWithoutTls_whenAsked_thenTheWriteFails() {
        try (HookServer hook = HookServer.plain(this::allow)) {
            configure(false, "c", webhook("a.b.c", hook.url("x"), h -> h.put("timeoutSeconds", 1)));

            ExtendedServer.Answer answer = create("a");
            assertThat(answer.code()).isEqualTo(500);
            assertThat(answer.message()).contains("Post \"" + hook.url("x") + "?timeout=1s\": ");
        }
    }

    @Test
    void givenNobodyListens_whenAsked_thenTheWriteFailsOrPassesAsThePolicySays() {
        configure(false, "c", webhook("a.b.c", "https://127.0.0.1:1/x", h -> h));

        assertThat(create("a").message())
                .isEqualTo("Internal error occurred: failed calling webhook \"a.b.c\": failed to call webhook: Post"
                        + " \"https://127.0.0.1:1/x?timeout=10s\": dial tcp 127.0.0.1:1: connect: connection refused");

        configure(false, "c", webhook("a.b.c", "https://127.0.0.1:1/x", h -> h.put("failurePolicy", "Ignore")));
        assertThat(create("a").code()).isEqualTo(201);
    }

    @Test
    void givenASlowServer_whenItsTimeIsOver_thenTheWriteFails() {
        CertificateAuthority authority = HookServer.authority();
        java.util.concurrent.CountDownLatch over = new java.util.concurrent.CountDownLatch(1);
        try (HookServer hook = HookServer.start(HookServer.credential(authority, "127.0.0.1"), (path, body) -> {
            try {
                over.await(20, java.util.concurrent.TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return allow(path, body);
        })) {
            configure(false, "c", with(trusting("a.b.c", hook.url("x"), authority), h -> h.put("timeoutSeconds", 1)));

            assertThat(create("a").message())
                    .endsWith("Post \"" + hook.url("x") + "?timeout=1s\": context deadline exceeded");
            over.countDown();
        }
    }

    @Test
    void givenAServiceThatIsNotThere_whenAsked_thenTheWriteFailsAndSaysWhy() {
        configure(false, "c", webhook("a.b.c", "", h -> {
            ((ObjectNode) h.path("clientConfig")).remove("url");
            ((ObjectNode) h.path("clientConfig"))
                    .putObject("service")
                    .put("namespace", "default")
                    .put("name", "nosuch")
                    .put("path", "/check");
            return h;
        }));

        assertThat(create("a").message())
                .endsWith("Post \"https://nosuch.default.svc:443/check?timeout=10s\": service \"nosuch\" not found");
    }

    // ---- Whom a write concerns, in virtual time ------------------------------------------------------------------

    @Test
    void givenAServiceInThisJvm_whenAWriteIsAdmitted_thenTheReviewIsThatOfKubernetes() {
        List<JsonNode> reviews = new ArrayList<>();
        local("hook.default.svc", review -> {
            reviews.add(review);
            return response(review);
        });
        configure(false, "c", service("a.b.c", "hook"));

        assertThat(create("a").code()).isEqualTo(201);

        JsonNode review = reviews.get(0);
        assertThat(review.path("kind").asText()).isEqualTo("AdmissionReview");
        JsonNode request = review.path("request");
        List<String> fields = new ArrayList<>();
        request.fieldNames().forEachRemaining(fields::add);
        assertThat(fields)
                .containsExactly(
                        "uid",
                        "kind",
                        "resource",
                        "requestKind",
                        "requestResource",
                        "name",
                        "namespace",
                        "operation",
                        "userInfo",
                        "object",
                        "oldObject",
                        "dryRun",
                        "options");
        assertThat(request.at("/object/metadata/uid").asText()).isNotEmpty();
        assertThat(request.path("oldObject").isNull()).isTrue();
        assertThat(request.path("options"))
                .isEqualTo(ExtendedServer.read("{\"kind\":\"CreateOptions\",\"apiVersion\":\"meta.k8s.io/v1\"}"));
    }

    @Test
    void givenAPatchAndADelete_whenAdmitted_thenTheWebhookSeesAnUpdateWithOldAndNewThenTheOldAlone() {
        List<JsonNode> reviews = new ArrayList<>();
        local("hook.default.svc", review -> {
            reviews.add(review.path("request"));
            return response(review);
        });
        create("a");
        configure(false, "c", with(service("a.b.c", "hook"), h -> operations(h, "*")));

        server.merge(MAPS + "/a?fieldManager=me", "{\"data\":{\"k\":\"v\"}}");
        server.delete(MAPS + "/a");

        assertThat(reviews.get(0).path("operation").asText()).isEqualTo("UPDATE");
        assertThat(reviews.get(0).at("/object/data/k").asText()).isEqualTo("v");
        assertThat(reviews.get(0).path("oldObject").has("data")).isFalse();
        assertThat(reviews.get(0).path("options"))
                .isEqualTo(ExtendedServer.read(
                        "{\"kind\":\"UpdateOptions\",\"apiVersion\":\"meta.k8s.io/v1\"," + "\"fieldManager\":\"me\"}"));
        assertThat(reviews.get(1).path("operation").asText()).isEqualTo("DELETE");
        assertThat(reviews.get(1).path("object").isNull()).isTrue();
        assertThat(reviews.get(1).at("/oldObject/data/k").asText()).isEqualTo("v");
    }

    @Test
    void givenSelectorsAndConditions_whenTheyDoNotFit_thenTheWebhookIsNotAsked() {
        local("hook.default.svc", review -> deny(review, "asked"));
        configure(false, "c", with(service("a.b.c", "hook"), h -> {
            h.putArray("matchConditions")
                    .addObject()
                    .put("name", "only-big")
                    .put("expression", "object.metadata.name.startsWith('big')");
            h.putObject("namespaceSelector").putObject("matchLabels").put("kubernetes.io/metadata.name", "default");
            return h;
        }));

        assertThat(create("small").code()).isEqualTo(201);
        assertThat(create("big").message()).isEqualTo("admission webhook \"a.b.c\" denied the request: asked");
        assertThat(server.post("/api/v1/namespaces/kube-system/configmaps", "{\"metadata\":{\"name\":\"big\"}}")
                        .code())
                .isEqualTo(201);
    }

    @Test
    void givenAWebhookThatRefusesEverything_whenItsConfigurationIsDeleted_thenItIsNotAsked() {
        local("hook.default.svc", review -> deny(review, "never"));
        configure(false, "c", with(service("a.b.c", "hook"), h -> {
            ObjectNode rule = (ObjectNode) h.path("rules").get(0);
            for (String field : List.of("apiGroups", "apiVersions", "resources", "operations")) {
                rule.putArray(field).add("*");
            }
            return h;
        }));

        assertThat(create("a").code()).isEqualTo(400);
        assertThat(server.delete(CONFIG + "validatingwebhookconfigurations/c").code())
                .isEqualTo(200);
        assertThat(create("a").code()).isEqualTo(201);
    }

    @Test
    void givenARuleForAnotherVersion_whenTheMatchIsEquivalent_thenTheObjectIsConverted() {
        List<JsonNode> requests = new ArrayList<>();
        local("hook.default.svc", review -> {
            requests.add(review.path("request"));
            return response(review);
        });
        configure(false, "c", with(service("a.b.c", "hook"), h -> {
            ObjectNode rule = (ObjectNode) h.path("rules").get(0);
            rule.putArray("apiGroups").add("autoscaling");
            rule.putArray("apiVersions").add("v1");
            rule.putArray("resources").add("horizontalpodautoscalers");
            return h;
        }));

        String hpa = "{\"metadata\":{\"name\":\"h\"},\"spec\":{\"maxReplicas\":3,\"scaleTargetRef\":{\"kind\":"
                + "\"Deployment\",\"name\":\"d\",\"apiVersion\":\"apps/v1\"},\"metrics\":[{\"type\":\"Resource\","
                + "\"resource\":{\"name\":\"cpu\",\"target\":{\"type\":\"Utilization\",\"averageUtilization\":70}}}]}}";
        assertThat(server.post("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", hpa)
                        .code())
                .isEqualTo(201);

        assertThat(requests).hasSize(1);
        assertThat(requests.get(0).at("/kind/version").asText()).isEqualTo("v1");
        assertThat(requests.get(0).at("/requestKind/version").asText()).isEqualTo("v2");
        assertThat(requests.get(0).at("/object/apiVersion").asText()).isEqualTo("autoscaling/v1");
        assertThat(requests.get(0)
                        .at("/object/spec/targetCPUUtilizationPercentage")
                        .asInt())
                .isEqualTo(70);
    }

    @Test
    void givenMutatingWebhooks_whenALaterOneChanges_thenThoseThatWantToAreAskedAgainInOrder() {
        local("first.default.svc", review -> {
            asked.add("first");
            return response(review);
        });
        local("second.default.svc", review -> {
            asked.add("second");
            return patch(review, "[{\"op\":\"add\",\"path\":\"/data\",\"value\":{\"n\":\"1\"}}]");
        });
        configure(true, "b", service("second.b.c", "second"));
        configure(true, "a", with(service("first.b.c", "first"), h -> h.put("reinvocationPolicy", "IfNeeded")));

        assertThat(create("a").json().at("/data/n").asText()).isEqualTo("1");
        assertThat(asked).containsExactly("first", "second", "first");
    }

    @Test
    void givenAMutatingWebhook_whenItAddsAField_thenDefaultsAreFilledInAndTheOutcomeIsValidated() {
        local(
                "hook.default.svc",
                review -> patch(
                        review,
                        "[{\"op\":\"add\",\"path\":\"/spec/ports/-\",\"value\":{\"name\":\"b\",\"port\":81}}]"));
        configure(true, "c", with(service("a.b.c", "hook"), h -> resources(h, "services")));

        JsonNode service = server.post(
                        "/api/v1/namespaces/default/services",
                        "{\"metadata\":{\"name\":\"s\"},\"spec\":{\"ports\":[{\"name\":\"a\",\"port\":80}]}}")
                .json();

        assertThat(service.at("/spec/ports/1/protocol").asText()).isEqualTo("TCP");
        assertThat(service.at("/spec/ports/1/targetPort").asInt()).isEqualTo(81);
    }

    @Test
    void givenAWebhookThatFailsInThisJvm_whenAsked_thenTheFailureIsThatOfAServerThatCannotBeReached() {
        server.callouts().register("hook.default.svc", request -> {
            throw CalloutException.timeout();
        });
        configure(false, "c", service("a.b.c", "hook"));

        assertThat(create("a").message())
                .endsWith("Post \"https://hook.default.svc:443?timeout=10s\": context deadline exceeded");
    }

    @Test
    void givenAScale_whenAWebhookListensToIt_thenItSeesAScaleAndMayChangeIt() {
        List<JsonNode> requests = new ArrayList<>();
        local("hook.default.svc", review -> {
            requests.add(review.path("request"));
            return patch(review, "[{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":4}]");
        });
        server.post(
                "/apis/apps/v1/namespaces/default/deployments",
                "{\"metadata\":{\"name\":\"d\"},\"spec\":{\"replicas\":1,\"selector\":{\"matchLabels\":{\"a\":\"b\"}},"
                        + "\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{\"name\":\"c\","
                        + "\"image\":\"i\"}]}}}}");
        configure(true, "c", with(service("a.b.c", "hook"), h -> {
            ObjectNode rule = (ObjectNode) h.path("rules").get(0);
            rule.putArray("apiGroups").add("apps");
            operations(h, "UPDATE");
            return resources(h, "deployments/scale");
        }));

        JsonNode scale = server.merge(
                        "/apis/apps/v1/namespaces/default/deployments/d/scale", "{\"spec\":{\"replicas\":2}}")
                .json();

        assertThat(requests.get(0).at("/kind/kind").asText()).isEqualTo("Scale");
        assertThat(requests.get(0).path("subResource").asText()).isEqualTo("scale");
        assertThat(requests.get(0).at("/object/spec/replicas").asInt()).isEqualTo(2);
        assertThat(scale.at("/spec/replicas").asInt()).isEqualTo(4);
    }

    // ---- Helpers -------------------------------------------------------------------------------------------------

    private HookServer.Answer allow(String path, String body) {
        asked.add(path);
        return HookServer.Answer.json(response(ExtendedServer.read(body)));
    }

    private ExtendedServer.Answer create(String name) {
        return server.post(MAPS, "{\"metadata\":{\"name\":\"" + name + "\"}}");
    }

    private void local(String host, Function<JsonNode, String> review) {
        server.callouts()
                .register(
                        host,
                        LocalCallouts.json(
                                body -> review.apply(ExtendedServer.read(new String(body, StandardCharsets.UTF_8)))
                                        .getBytes(StandardCharsets.UTF_8)));
    }

    private static String response(JsonNode review) {
        return answer(review, r -> r.put("allowed", true));
    }

    private static String deny(JsonNode review, String message) {
        return answer(review, r -> {
            r.put("allowed", false).putObject("status").put("message", message);
            return r;
        });
    }

    private static String patch(JsonNode review, String operations) {
        String encoded = Base64.getEncoder().encodeToString(operations.getBytes(StandardCharsets.UTF_8));
        return answer(
                review,
                r -> r.put("allowed", true).put("patchType", "JSONPatch").put("patch", encoded));
    }

    private static String answer(JsonNode review, UnaryOperator<ObjectNode> response) {
        ObjectNode answer = ExtendedServer.JSON.createObjectNode();
        answer.set("kind", review.path("kind"));
        answer.set("apiVersion", review.path("apiVersion"));
        answer.set(
                "response",
                response.apply(ExtendedServer.JSON
                        .createObjectNode()
                        .put("uid", review.at("/request/uid").asText())));
        return answer.toString();
    }

    private static ObjectNode webhook(String name, String url, UnaryOperator<ObjectNode> more) {
        ObjectNode hook = ExtendedServer.JSON.createObjectNode().put("name", name);
        hook.putObject("clientConfig").put("url", url);
        ObjectNode rule = hook.putArray("rules").addObject();
        rule.putArray("apiGroups").add("");
        rule.putArray("apiVersions").add("v1");
        rule.putArray("operations").add("CREATE");
        rule.putArray("resources").add("configmaps");
        hook.put("sideEffects", "None");
        hook.putArray("admissionReviewVersions").add("v1");
        return more.apply(hook);
    }

    private static ObjectNode trusting(String name, String url, CertificateAuthority authority) {
        return webhook(name, url, h -> {
            ((ObjectNode) h.path("clientConfig")).put("caBundle", HookServer.bundle(authority));
            return h;
        });
    }

    private static ObjectNode service(String name, String service) {
        return webhook(name, "", h -> {
            ObjectNode client = (ObjectNode) h.path("clientConfig");
            client.remove("url");
            client.putObject("service").put("namespace", "default").put("name", service);
            return h;
        });
    }

    private static ObjectNode with(ObjectNode hook, UnaryOperator<ObjectNode> more) {
        return more.apply(hook);
    }

    private static ObjectNode operations(ObjectNode hook, String operation) {
        ((ObjectNode) hook.path("rules").get(0)).putArray("operations").add(operation);
        return hook;
    }

    private static ObjectNode resources(ObjectNode hook, String resource) {
        ((ObjectNode) hook.path("rules").get(0)).putArray("resources").add(resource);
        return hook;
    }

    private void configure(boolean mutating, String name, ObjectNode hook) {
        String path = CONFIG + (mutating ? "mutating" : "validating") + "webhookconfigurations";
        server.delete(path + "/" + name);
        ObjectNode configuration = ExtendedServer.JSON.createObjectNode();
        configuration.putObject("metadata").put("name", name);
        configuration.putArray("webhooks").add(hook);
        ExtendedServer.Answer answer = server.post(path, configuration.toString());
        assertThat(answer.code()).as(answer.text()).isEqualTo(201);
    }
}
