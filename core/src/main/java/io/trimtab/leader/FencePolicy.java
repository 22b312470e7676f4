package io.trimtab.leader;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.NamedRuleWithOperations;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.NamedRuleWithOperationsBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingAdmissionPolicyBindingBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingAdmissionPolicyBuilder;
import io.trimtab.client.ResourceType;
import java.util.ArrayList;
import java.util.List;

/**
 * The server's part of fencing: a ValidatingAdmissionPolicy (Kubernetes 1.30 and later) that compares the token in a write's
 * annotation with the Lease, and refuses the write of a former leader, however long it was on its way. With
 * {@link FencedClient#stamping} on the other side.
 *
 * <p>What it does not see: status and other subresources, JSON patches that leave the annotation alone, deletions. The API server
 * learns of the Lease by watching it, as it does of all parameters, so a write within that moment (milliseconds) may still
 * pass. The count of transitions is the Lease's: who deletes the Lease sets it back. Pure.
 *
 * @since 0.1
 */
public final class FencePolicy {
    private FencePolicy() {}

    /**
     * The policy and its binding, to be applied once by whoever installs the program.
     *
     * @param user whose writes are judged, such as {@code system:serviceaccount:shop:operator}
     * @param types of which objects the writes are judged
     */
    public static List<HasMetadata> of(LeaderElectionConfig election, String user, List<ResourceType<?>> types) {
        String name = "fence." + election.namespace() + "." + election.name();
        String key = FencedClient.ANNOTATION + election.name();
        List<NamedRuleWithOperations> rules = new ArrayList<>();
        for (ResourceType<?> type : types) {
            rules.add(new NamedRuleWithOperationsBuilder()
                    .withApiGroups(type.group())
                    .withApiVersions(type.version())
                    .withResources(type.plural())
                    .withOperations("CREATE", "UPDATE")
                    .build());
        }
        HasMetadata policy = new ValidatingAdmissionPolicyBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata()
                .withNewSpec()
                .withFailurePolicy("Fail")
                .withNewParamKind("coordination.k8s.io/v1", "Lease")
                .withNewMatchConstraints()
                .withResourceRules(rules)
                .endMatchConstraints()
                .addNewMatchCondition("request.userInfo.username == '" + user + "'", "the-program")
                .addNewValidation()
                .withExpression("!has(params.spec.leaseTransitions) || (has(object.metadata.annotations) && '" + key
                        + "' in object.metadata.annotations && int(object.metadata.annotations['" + key
                        + "']) >= params.spec.leaseTransitions)")
                .withMessage("the writer no longer leads: another has taken the lease " + election.namespace() + "/"
                        + election.name())
                .withReason("Forbidden")
                .endValidation()
                .endSpec()
                .build();
        HasMetadata binding = new ValidatingAdmissionPolicyBindingBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata()
                .withNewSpec()
                .withPolicyName(name)
                .withValidationActions("Deny")
                .withNewParamRef()
                .withName(election.name())
                .withNamespace(election.namespace())
                .withParameterNotFoundAction("Allow")
                .endParamRef()
                .endSpec()
                .build();
        return List.of(policy, binding);
    }
}
