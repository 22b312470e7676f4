package io.trimtab.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Pod;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.ResourceType;
import io.trimtab.webhook.Admission.Operation;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WebhooksTest {
    private static final ResourceType<ConfigMap> MAPS = ResourceType.of(ConfigMap.class);

    private static JsonNode json(String text) {
        try {
            return KubernetesJson.mapper().readTree(text);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static JsonNode ask(Webhooks webhooks, String path, String request) {
        Webhooks.Answer answer = webhooks.handle(
                path,
                ("{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":" + request + "}")
                        .getBytes(StandardCharsets.UTF_8));
        assertThat(answer.code()).isEqualTo(200);
        JsonNode review = json(new String(answer.body(), StandardCharsets.UTF_8));
        assertThat(review.path("apiVersion").asText()).isEqualTo("admission.k8s.io/v1");
        return review.path("response");
    }

    private static String create(String object) {
        return "{\"uid\":\"u1\",\"operation\":\"CREATE\",\"namespace\":\"shop\",\"name\":\"a\",\"dryRun\":true,"
                + "\"userInfo\":{\"username\":\"ann\",\"groups\":[\"devs\"],\"extra\":{\"k\":[\"v\"]}},\"object\":"
                + object + "}";
    }

    private static final String MAP =
            "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"},\"data\":{\"x\":\"1\"}}";

    @Test
    void givenAValidator_whenItRefuses_thenTheAnswerSaysWhyInKubernetesForm() {
        Webhooks webhooks = Webhooks.named("t")
                .validating(
                        ConfigMap.class,
                        admission -> Verdict.invalid(admission.caller().name() + " may not " + admission)
                                .warn("look out")
                                .note("seen", "yes"))
                .build();

        JsonNode response = ask(webhooks, "/validate--v1-configmap", create(MAP));

        assertThat(response.toString())
                .isEqualTo("{\"uid\":\"u1\",\"allowed\":false,\"status\":{\"status\":\"Failure\",\"code\":422,"
                        + "\"message\":\"ann may not CREATE  shop/a\",\"reason\":\"Invalid\"},"
                        + "\"warnings\":[\"look out\"],\"auditAnnotations\":{\"seen\":\"yes\"}}");
    }

    @Test
    void givenARequest_whenRead_thenAllOfItIsThere() {
        List<Admission<ConfigMap>> seen = new java.util.ArrayList<>();
        Webhooks webhooks = Webhooks.named("t")
                .validating(ConfigMap.class, admission -> {
                    seen.add(admission);
                    return Verdict.allow();
                })
                .build();

        assertThat(ask(webhooks, "/validate--v1-configmap", create(MAP))
                        .path("allowed")
                        .asBoolean())
                .isTrue();

        Admission<ConfigMap> admission = seen.get(0);
        assertThat(admission.operation()).isEqualTo(Operation.CREATE);
        assertThat(admission.isDryRun()).isTrue();
        assertThat(admission.old()).isEmpty();
        assertThat(admission.object().getData()).containsEntry("x", "1");
        assertThat(admission.caller().groups()).containsExactly("devs");
        assertThat(admission.caller().extra()).containsEntry("k", List.of("v"));
    }

    @Test
    void givenAMutator_whenItChangesTheObject_thenOnlyThatIsInThePatch() {
        Webhooks webhooks = Webhooks.named("t")
                .mutating(Pod.class, (admission, pod) -> {
                    pod.getMetadata().setLabels(new LinkedHashMap<>(Map.of("a/b", "c")));
                    pod.getSpec().getContainers().get(1).setImage("new");
                    pod.getSpec().setPriority(null);
                    return Verdict.allow();
                })
                .build();
        String pod = "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"priority\":3,"
                + "\"fromTheFuture\":{\"x\":1},\"containers\":[{\"name\":\"one\",\"image\":\"i\",\"later\":true},"
                + "{\"name\":\"two\",\"image\":\"i\",\"later\":true}]}}";

        JsonNode response = ask(webhooks, "/mutate--v1-pod", create(pod));

        assertThat(response.path("patchType").asText()).isEqualTo("JSONPatch");
        JsonNode patch = json(
                new String(Base64.getDecoder().decode(response.path("patch").asText()), StandardCharsets.UTF_8));
        assertThat(patch)
                .containsExactlyInAnyOrder(
                        json("{\"op\":\"add\",\"path\":\"/metadata/labels\",\"value\":{\"a/b\":\"c\"}}"),
                        json("{\"op\":\"remove\",\"path\":\"/spec/priority\"}"),
                        json("{\"op\":\"replace\",\"path\":\"/spec/containers/1/image\",\"value\":\"new\"}"));
    }

    @Test
    void givenAMutatorThatChangesNothing_whenAsked_thenThereIsNoPatch() {
        Webhooks webhooks = Webhooks.named("t")
                .mutating(ConfigMap.class, (admission, map) -> Verdict.allow())
                .build();

        assertThat(ask(webhooks, "/mutate--v1-configmap", create(MAP)).has("patch"))
                .isFalse();
    }

    @Test
    void givenADeletion_whenAsked_thenTheObjectIsTheOneThatGoes() {
        Webhooks webhooks = Webhooks.named("t")
                .validating(
                        MAPS,
                        HookOptions.on(Operation.DELETE),
                        admission -> Verdict.deny(admission.object().getData().get("x")))
                .build();

        JsonNode response = ask(
                webhooks,
                "/validate--v1-configmap",
                "{\"uid\":\"u\",\"operation\":\"DELETE\",\"object\":null,\"oldObject\":" + MAP + "}");

        assertThat(response.path("status").path("message").asText()).isEqualTo("1");
    }

    @Test
    void givenAHandlerThatThrows_whenAsked_thenThereIsNoAnswerSoThatTheFailurePolicyDecides() {
        Webhooks webhooks = Webhooks.named("t")
                .validating(ConfigMap.class, admission -> {
                    throw new IllegalStateException("broken");
                })
                .build();

        byte[] body = ("{\"request\":" + create(MAP) + "}").getBytes(StandardCharsets.UTF_8);
        assertThat(webhooks.handle("/validate--v1-configmap", body).code()).isEqualTo(500);
        assertThat(webhooks.handle("/elsewhere", body).code()).isEqualTo(404);
        assertThat(webhooks.handle("/validate--v1-configmap", new byte[] {'{'}).code())
                .isEqualTo(400);
        assertThat(webhooks.handle("/validate--v1-configmap", "{}".getBytes(StandardCharsets.UTF_8))
                        .code())
                .isEqualTo(400);
    }

    @Test
    void givenTwoWebhooksOfOneResource_whenUnnamed_thenTheyAreToldApartByName() {
        Webhooks.Builder builder = Webhooks.named("t").validating(ConfigMap.class, a -> Verdict.allow());

        assertThatThrownBy(() -> builder.validating(ConfigMap.class, a -> Verdict.allow()))
                .hasMessageContaining("/validate--v1-configmap");
        assertThat(builder.validating(MAPS, HookOptions.DEFAULT.named("second"), a -> Verdict.allow())
                        .build()
                        .paths())
                .containsExactly("/validate--v1-configmap", "/validate--v1-configmap-second");
    }

    @Test
    void givenDocumentsOfThreeVersions_whenConverted_thenTheyGoByWayOfTheHub() {
        Conversion conversion = Conversion.hub("example.com", "hosts", "Host", "v2")
                .spoke(
                        "v1",
                        old -> {
                            String[] parts = old.path("hostPort").asText().split(":");
                            old.remove("hostPort");
                            return old.put("host", parts[0]).put("port", parts[1]);
                        },
                        now -> {
                            ObjectNode old = now.deepCopy();
                            old.remove(List.of("host", "port"));
                            return old.put(
                                    "hostPort",
                                    now.path("host").asText() + ":"
                                            + now.path("port").asText());
                        })
                .spoke(
                        "v3",
                        now -> now.put("host", now.path("address").asText()),
                        now -> now.put("address", now.path("host").asText()));
        ObjectNode one = (ObjectNode) json("{\"apiVersion\":\"example.com/v1\",\"kind\":\"Host\",\"metadata\":"
                + "{\"name\":\"a\",\"uid\":\"u\"},\"hostPort\":\"h:80\"}");

        ObjectNode three = conversion.convert(one, "example.com/v3");

        assertThat(three.path("address").asText()).isEqualTo("h");
        assertThat(three.path("apiVersion").asText()).isEqualTo("example.com/v3");
        assertThat(three.path("metadata")).isEqualTo(one.path("metadata"));
        assertThat(conversion.convert(conversion.convert(one, "example.com/v2"), "example.com/v1"))
                .isEqualTo(one);
        assertThatThrownBy(() -> conversion.convert(one, "example.com/v9")).hasMessageContaining("v9");
    }
}
