package io.trimtab.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.trimtab.apiserver.resource.ServedVersions;
import io.trimtab.junit.Cluster;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.ClusterOptions;
import io.trimtab.standalone.ExtensionOptions;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** MutatingAdmissionPolicies in a whole cluster; the messages are those of Kubernetes 1.34. */
class MutatingPoliciesTest {
    private static final String GROUP = "/apis/admissionregistration.k8s.io/v1beta1/";

    private static Cluster start() {
        ClusterOptions options = ClusterOptions.IN_MEMORY.withApiServer(ClusterOptions.IN_MEMORY
                .apiServer()
                .withFeatures(
                        Map.of(ExtensionOptions.MUTATING_POLICIES, true),
                        new ServedVersions(Map.of("admissionregistration.k8s.io/v1beta1", true))));
        return Cluster.start(options, VirtualDriver.Options.DEFAULT).settle();
    }

    private static void policy(Cluster cluster, String name, String reinvocation, String... mutations) {
        post(cluster, "mutatingadmissionpolicies", """
                {"metadata":{"name":"%s"},"spec":{"reinvocationPolicy":"%s","matchConstraints":{"resourceRules":[
                {"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE","UPDATE"],"resources":["configmaps"]}],
                "objectSelector":{"matchLabels":{"paint":"yes"}}},"mutations":[%s]}}
                """.formatted(name, reinvocation, String.join(",", mutations)));
        post(
                cluster,
                "mutatingadmissionpolicybindings",
                "{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"policyName\":\"%s\"}}".formatted(name, name));
    }

    private static void post(Cluster cluster, String plural, String body) {
        cluster.api().raw("POST", GROUP + plural, body.getBytes(StandardCharsets.UTF_8));
    }

    private static String apply(String expression) {
        return "{\"patchType\":\"ApplyConfiguration\",\"applyConfiguration\":{\"expression\":\""
                + expression.replace("\"", "\\\"") + "\"}}";
    }

    private static String patch(String expression) {
        return "{\"patchType\":\"JSONPatch\",\"jsonPatch\":{\"expression\":\"" + expression.replace("\"", "\\\"")
                + "\"}}";
    }

    private static ConfigMap configMap(String name) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withName(name)
                .addToLabels("paint", "yes")
                .endMetadata()
                .build();
    }

    @Test
    void givenTwoMutations_whenAnObjectIsMade_thenTheSecondSeesTheFirst() {
        try (Cluster cluster = start()) {
            policy(
                    cluster,
                    "paint",
                    "Never",
                    apply(
                            "Object{data: {\"color\": \"red\"}, metadata: Object.metadata{labels: {\"by\": \"policy\"}}}"),
                    patch(
                            "[JSONPatch{op: \"add\", path: \"/metadata/annotations\", value: {\"a/b\": object.data.color}},"
                                    + " JSONPatch{op: \"replace\", path: \"/metadata/annotations/\" + jsonpatch.escapeKey(\"a/b\"),"
                                    + " value: \"dark \" + object.data.color}]"));

            ConfigMap made = cluster.create(configMap("one"));

            assertThat(made.getData()).containsExactly(Map.entry("color", "red"));
            assertThat(made.getMetadata().getLabels())
                    .containsEntry("by", "policy")
                    .containsEntry("paint", "yes");
            assertThat(made.getMetadata().getAnnotations()).containsEntry("a/b", "dark red");
        }
    }

    @Test
    void givenAPolicyThatIsReinvoked_whenALaterOneChangesTheObject_thenItLooksAgain() {
        try (Cluster cluster = start()) {
            policy(
                    cluster,
                    "a-copies",
                    "IfNeeded",
                    apply(
                            "Object{data: {\"copy\": has(object.data) && \"late\" in object.data ? \"seen\" : \"none\"}}"));
            policy(cluster, "b-late", "Never", apply("Object{data: {\"late\": \"yes\"}}"));

            assertThat(cluster.create(configMap("one")).getData())
                    .containsEntry("copy", "seen")
                    .containsEntry("late", "yes");
        }
    }

    @Test
    void givenAMutationThatDoesNotFit_whenAnObjectIsMade_thenItIsRefusedInItsWords() {
        try (Cluster cluster = start()) {
            policy(cluster, "paint", "Never", apply("Object{colour: 1}"));

            assertThatThrownBy(() -> cluster.create(configMap("one")))
                    .isInstanceOf(KubernetesClientException.class)
                    .hasMessageContaining(
                            "policy 'paint' with binding 'paint' denied request: error applying patch: failed to"
                                    + " convert patch object to typed object: .colour: field not declared in schema");
        }
    }

    @Test
    void givenAMutationOfTheWrongType_whenThePolicyIsMade_thenItIsInvalid() {
        try (Cluster cluster = start()) {
            assertThatThrownBy(() -> policy(cluster, "paint", "Never", apply("1")))
                    .hasMessageContaining(
                            "spec.mutations[0].applyConfiguration.expression: Invalid value: \"1\": must evaluate"
                                    + " to Object but got int");
        }
    }

    @Test
    void givenNoFlags_whenAPolicyIsMade_thenThereIsNoSuchResource() {
        try (Cluster cluster = Cluster.start()) {
            assertThatThrownBy(() -> post(cluster, "mutatingadmissionpolicies", "{}"))
                    .hasMessageContaining("could not find the requested resource");
        }
    }
}
