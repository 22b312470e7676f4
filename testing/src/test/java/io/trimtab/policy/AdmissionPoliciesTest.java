package io.trimtab.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingAdmissionPolicy;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingAdmissionPolicyBindingBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingAdmissionPolicyBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import org.junit.jupiter.api.Test;

/** Validating admission policies in a whole cluster. */
@TrimtabCluster
class AdmissionPoliciesTest {
    private static ValidatingAdmissionPolicy policy(String resource, String group, String expression) {
        return new ValidatingAdmissionPolicyBuilder()
                .withNewMetadata()
                .withName("rules")
                .endMetadata()
                .withNewSpec()
                .withNewMatchConstraints()
                .addNewResourceRule()
                .withApiGroups(group)
                .withApiVersions("v1")
                .withOperations("CREATE", "UPDATE")
                .withResources(resource)
                .endResourceRule()
                .endMatchConstraints()
                .addNewValidation()
                .withExpression(expression)
                .withMessageExpression("'refused ' + object.metadata.name")
                .endValidation()
                .endSpec()
                .build();
    }

    private static ConfigMap configMap(String color) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withName("paint")
                .endMetadata()
                .addToData("color", color)
                .build();
    }

    @Test
    void givenABoundPolicy_whenAnObjectBreaksIt_thenItIsRefusedInItsWords(Cluster cluster) {
        cluster.create(policy("configmaps", "", "object.data.color != 'red'"));
        cluster.create(new ValidatingAdmissionPolicyBindingBuilder()
                .withNewMetadata()
                .withName("everywhere")
                .endMetadata()
                .withNewSpec()
                .withPolicyName("rules")
                .withValidationActions("Deny")
                .endSpec()
                .build());

        assertThatThrownBy(() -> cluster.create(configMap("red")))
                .isInstanceOfSatisfying(
                        KubernetesClientException.class,
                        e -> assertThat(e.getCode()).isEqualTo(422))
                .hasMessageContaining(
                        "configmaps \"paint\" is forbidden: ValidatingAdmissionPolicy 'rules' with binding"
                                + " 'everywhere' denied request: refused paint");
        assertThat(cluster.create(configMap("blue")).getData()).containsEntry("color", "blue");
    }

    @Test
    void givenAPolicyThatMisspellsAField_whenItIsChecked_thenItsStatusWarns(Cluster cluster) {
        ValidatingAdmissionPolicy policy = cluster.create(policy("deployments", "apps", "object.spec.replica > 1"));

        cluster.settle();

        ValidatingAdmissionPolicy now = cluster.refresh(policy);
        assertThat(now.getStatus().getObservedGeneration()).isEqualTo(1);
        assertThat(now.getStatus().getTypeChecking().getExpressionWarnings())
                .singleElement()
                .satisfies(warning -> {
                    assertThat(warning.getFieldRef()).isEqualTo("spec.validations[0].expression");
                    assertThat(warning.getWarning())
                            .startsWith(
                                    "apps/v1, Kind=Deployment: compilation failed: ERROR: <input>:1:12: undefined field"
                                            + " 'replica'\n | object.spec.replica > 1\n | ...........^");
                });
    }

    @Test
    void givenAPolicyWithoutMistakes_whenItIsChecked_thenItsStatusIsEmptyOfWarnings(Cluster cluster) {
        ValidatingAdmissionPolicy policy = cluster.create(policy(
                "deployments",
                "apps",
                "object.spec.replicas > 1 && object.metadata.labels['a'] == 'b' && object.spec.template.spec.containers.all(c,"
                        + " c.image != '')"));

        cluster.settle();

        ValidatingAdmissionPolicy now = cluster.refresh(policy);
        assertThat(now.getStatus().getObservedGeneration()).isEqualTo(1);
        assertThat(now.getStatus().getTypeChecking().getExpressionWarnings()).isEmpty();
    }
}
