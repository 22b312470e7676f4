package io.trimtab.apiserver.admission;

import static io.trimtab.apiserver.admission.AdmissionFixture.BOB;
import static io.trimtab.apiserver.resource.CoreResources.LIMIT_RANGES;
import static io.trimtab.apiserver.resource.CoreResources.NAMESPACES;
import static io.trimtab.apiserver.resource.CoreResources.NODES;
import static io.trimtab.apiserver.resource.CoreResources.PERSISTENT_VOLUME_CLAIMS;
import static io.trimtab.apiserver.resource.CoreResources.PODS;
import static io.trimtab.apiserver.resource.CoreResources.PRIORITY_CLASSES;
import static io.trimtab.apiserver.resource.CoreResources.ROLES;
import static io.trimtab.apiserver.resource.CoreResources.RUNTIME_CLASSES;
import static io.trimtab.apiserver.resource.CoreResources.SERVICES;
import static io.trimtab.apiserver.resource.CoreResources.SERVICE_ACCOUNTS;
import static io.trimtab.apiserver.resource.CoreResources.STORAGE_CLASSES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.StatusException;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AdmissionTest {
    private static final String POD = "metadata: {name: p}\nspec: {containers: [{name: c, image: x}]}";

    private final AdmissionFixture cluster = new AdmissionFixture();

    @AfterEach
    void close() {
        cluster.close();
    }

    @Test
    void givenFlags_whenAPluginIsUnknownOrBoth_thenOneClearLine() {
        assertThatThrownBy(() -> cluster.chain(Set.of("Foo"), Set.of()))
                .hasMessage("enable-admission-plugins plugin \"Foo\" is unknown");
        assertThatThrownBy(() -> cluster.chain(Set.of("NodeRestriction"), Set.of("NodeRestriction")))
                .hasMessageContaining("overlapped");
        assertThat(cluster.chain(Set.of("AlwaysDeny", "NodeRestriction"), Set.of("LimitRanger"))
                        .names())
                .containsSubsequence("NamespaceLifecycle", "ServiceAccount", "NodeRestriction", "PodSecurity")
                .containsSubsequence("ResourceQuota", "AlwaysDeny")
                .doesNotContain("LimitRanger", "AlwaysAdmit");
    }

    @Test
    void givenAPod_whenCreated_thenItGetsWhatEveryPodGets() {
        ObjectNode pod = cluster.create(PODS, POD);

        assertThat(pod.at("/spec/serviceAccountName").asText()).isEqualTo("default");
        assertThat(pod.at("/spec/priority").asInt(-1)).isZero();
        assertThat(pod.at("/spec/preemptionPolicy").asText()).isEqualTo("PreemptLowerPriority");
        assertThat(pod.at("/spec/tolerations")).hasSize(2);
        assertThat(pod.at("/spec/tolerations/0/tolerationSeconds").asInt()).isEqualTo(300);
        assertThat(pod.at("/spec/volumes/0/name").asText()).matches("kube-api-access-[a-z0-9]{5}");
        assertThat(pod.at("/spec/volumes/0/projected/sources/0/serviceAccountToken/expirationSeconds")
                        .asInt())
                .isEqualTo(3607);
        assertThat(pod.at("/spec/containers/0/volumeMounts/0/mountPath").asText())
                .isEqualTo("/var/run/secrets/kubernetes.io/serviceaccount");
    }

    @Test
    void givenAPod_whenItWantsNoTokenOrMountsItsOwn_thenNoVolume() {
        ObjectNode without = cluster.create(
                PODS,
                "metadata: {name: p}\nspec: {automountServiceAccountToken: false, containers: [{name: c, image: x}]}");
        ObjectNode own = cluster.create(
                PODS,
                "metadata: {name: p}\nspec: {containers: [{name: c, image: x, volumeMounts: [{name: v, mountPath:"
                        + " /var/run/secrets/kubernetes.io/serviceaccount}]}]}");

        assertThat(without.path("spec").has("volumes")).isFalse();
        assertThat(own.path("spec").has("volumes")).isFalse();
    }

    @Test
    void givenAnAccountThatIsMissing_whenAPodIsCreated_thenForbidden() {
        assertThatThrownBy(() -> cluster.create(
                        PODS, "metadata: {name: p}\nspec: {serviceAccountName: sa, containers: [{name: c, image: x}]}"))
                .hasMessage(
                        "pods \"p\" is forbidden: error looking up service account default/sa: serviceaccount \"sa\""
                                + " not found");
    }

    @Test
    void givenAnAccountThatLimitsSecrets_whenAPodUsesAnother_thenForbidden() {
        cluster.cluster.put(
                SERVICE_ACCOUNTS,
                "metadata: {name: sa, namespace: default, annotations: {kubernetes.io/enforce-mountable-secrets: 'true'}}");

        assertThatThrownBy(() -> cluster.create(
                        PODS,
                        "metadata: {name: p}\nspec: {serviceAccountName: sa, containers: [{name: c}], volumes: [{name: v,"
                                + " secret: {secretName: s}}]}"))
                .hasMessage(
                        "pods \"p\" is forbidden: volume with secret.secretName=\"s\" is not allowed because service"
                                + " account sa does not reference that secret");
    }

    @Test
    void givenNamespaces_whenAbsentOrGoing_thenNothingIsCreatedThere() {
        cluster.cluster.put(NAMESPACES, "metadata: {name: going}\nstatus: {phase: Terminating}");

        assertThatThrownBy(() -> cluster.create(PODS, "metadata: {name: p, namespace: gone}"))
                .hasMessage("namespaces \"gone\" not found");
        assertThatThrownBy(() -> cluster.create(PODS, "metadata: {name: p, namespace: going}"))
                .hasMessage(
                        "pods \"p\" is forbidden: unable to create new content in namespace going because it is being"
                                + " terminated")
                .satisfies(e -> assertThat(((StatusException) e)
                                .status()
                                .at("/details/causes/0/reason")
                                .asText())
                        .isEqualTo("NamespaceTerminating"));
        assertThatThrownBy(() -> cluster.delete(BOB, NAMESPACES, "kube-system"))
                .hasMessage("namespaces \"kube-system\" is forbidden: this namespace may not be deleted");
        cluster.delete(BOB, NAMESPACES, "going");
    }

    @Test
    void givenAutoProvision_whenTheNamespaceIsAbsent_thenItIsMade() {
        cluster.enable("NamespaceAutoProvision");

        cluster.create(SERVICES, "metadata: {name: s, namespace: fresh}");

        assertThat(cluster.cluster.storage.get(NAMESPACES, null, "fresh")).isPresent();
    }

    @Test
    void givenALimitRange_whenAPodIsCreated_thenDefaultsAreFilledAndNoted() {
        cluster.cluster.put(LIMIT_RANGES, """
                metadata: {name: l, namespace: default}
                spec:
                  limits:
                  - {type: Container, default: {cpu: 500m}, defaultRequest: {cpu: 100m, memory: 64Mi}, max: {cpu: '1'}}
                """);

        ObjectNode pod = cluster.create(PODS, POD);

        assertThat(pod.at("/spec/containers/0/resources/requests/memory").asText())
                .isEqualTo("64Mi");
        assertThat(pod.at("/metadata/annotations")
                        .path("kubernetes.io/limit-ranger")
                        .asText())
                .isEqualTo("LimitRanger plugin set: cpu, memory request for container c; cpu limit for container c");
        assertThatThrownBy(() -> cluster.create(
                        PODS, "metadata: {name: p}\nspec: {containers: [{name: c, resources: {limits: {cpu: '2'}}}]}"))
                .hasMessage("pods \"p\" is forbidden: maximum cpu usage per Container is 1, but limit is 2");
    }

    @Test
    void givenLimits_whenAPodOrClaimIsOutside_thenTheReasonSaysWhich() {
        cluster.cluster.put(LIMIT_RANGES, """
                metadata: {name: l, namespace: default}
                spec:
                  limits:
                  - {type: Pod, min: {cpu: 200m}, maxLimitRequestRatio: {memory: '2'}}
                  - {type: PersistentVolumeClaim, max: {storage: 1Gi}}
                """);

        assertThatThrownBy(() -> cluster.create(PODS, POD))
                .hasMessage(
                        "pods \"p\" is forbidden: [minimum cpu usage per Pod is 200m.  No request is specified, memory"
                                + " max limit to request ratio per Pod is 2, but no request is specified or request is 0]");
        assertThatThrownBy(() -> cluster.create(
                        PODS,
                        "metadata: {name: p}\nspec: {containers: [{name: c, resources: {requests: {cpu: '1', memory: 1Gi},"
                                + " limits: {memory: 3Gi}}}]}"))
                .hasMessage(
                        "pods \"p\" is forbidden: memory max limit to request ratio per Pod is 2, but provided ratio"
                                + " is 3.000000");
        assertThatThrownBy(() -> cluster.create(
                        PERSISTENT_VOLUME_CLAIMS, "metadata: {name: v}\nspec: {resources: {requests: {storage: 2Gi}}}"))
                .hasMessage(
                        "persistentvolumeclaims \"v\" is forbidden: maximum storage usage per PersistentVolumeClaim is"
                                + " 1Gi, but request is 2Gi");
    }

    @Test
    void givenPriorityClasses_whenAPodNamesOne_thenItsNumber() {
        cluster.cluster.put(PRIORITY_CLASSES, "metadata: {name: high}\nvalue: 1000\npreemptionPolicy: Never");

        ObjectNode pod = cluster.create(PODS, "metadata: {name: p}\nspec: {priorityClassName: high, containers: []}");

        assertThat(pod.at("/spec/priority").asInt()).isEqualTo(1000);
        assertThat(pod.at("/spec/preemptionPolicy").asText()).isEqualTo("Never");
        assertThatThrownBy(() ->
                        cluster.create(PODS, "metadata: {name: p}\nspec: {priorityClassName: gone, containers: []}"))
                .hasMessage("pods \"p\" is forbidden: no PriorityClass with name gone was found");
        assertThatThrownBy(() -> cluster.create(PODS, "metadata: {name: p}\nspec: {priority: 5, containers: []}"))
                .hasMessage(
                        "pods \"p\" is forbidden: the integer value of priority (5) must not be provided in pod spec;"
                                + " priority admission controller computed 0 from the given PriorityClass name");
    }

    @Test
    void givenADefaultPriorityClass_whenASecondComes_thenForbidden() {
        cluster.cluster.put(PRIORITY_CLASSES, "metadata: {name: one}\nvalue: 7\nglobalDefault: true");

        assertThat(cluster.create(PODS, POD).at("/spec/priority").asInt()).isEqualTo(7);
        assertThatThrownBy(
                        () -> cluster.create(PRIORITY_CLASSES, "metadata: {name: two}\nvalue: 8\nglobalDefault: true"))
                .hasMessage(
                        "priorityclasses.scheduling.k8s.io \"two\" is forbidden: PriorityClass one is already marked as"
                                + " default. Only one default can exist");
    }

    @Test
    void givenANode_whenCreated_thenItIsTainted() {
        assertThat(cluster.create(NODES, "metadata: {name: n}")
                        .at("/spec/taints/0/key")
                        .asText())
                .isEqualTo("node.kubernetes.io/not-ready");
    }

    @Test
    void givenAClaim_whenCreatedWithoutAClass_thenTheNewestDefaultAndAFinalizer() {
        String isDefault = "annotations: {storageclass.kubernetes.io/is-default-class: 'true'}";
        cluster.cluster.put(
                STORAGE_CLASSES, "metadata: {name: old, creationTimestamp: '2025-01-01T00:00:00Z', " + isDefault + "}");
        cluster.cluster.put(STORAGE_CLASSES, "metadata: {name: new, " + isDefault + "}");

        ObjectNode claim = cluster.create(PERSISTENT_VOLUME_CLAIMS, "metadata: {name: v}\nspec: {}");

        assertThat(claim.at("/spec/storageClassName").asText()).isEqualTo("new");
        assertThat(claim.at("/metadata/finalizers/0").asText()).isEqualTo("kubernetes.io/pvc-protection");
        assertThat(cluster.create(PERSISTENT_VOLUME_CLAIMS, "metadata: {name: v}\nspec: {storageClassName: ''}")
                        .at("/spec/storageClassName")
                        .asText("x"))
                .isEmpty();
    }

    @Test
    void givenAClaim_whenItGrows_thenOnlyWhereItsClassAllows() {
        cluster.cluster.put(STORAGE_CLASSES, "metadata: {name: fixed}");
        cluster.cluster.put(STORAGE_CLASSES, "metadata: {name: grows}\nallowVolumeExpansion: true");
        String claim = "metadata: {name: v}\nstatus: {phase: %s}\nspec: {storageClassName: %s, resources: {requests:"
                + " {storage: %s}}}";

        assertThatThrownBy(() -> cluster.update(
                        BOB,
                        PERSISTENT_VOLUME_CLAIMS,
                        "",
                        claim.formatted("Bound", "fixed", "1Gi"),
                        claim.formatted("Bound", "fixed", "2Gi")))
                .hasMessage(
                        "persistentvolumeclaims \"v\" is forbidden: only dynamically provisioned pvc can be resized and"
                                + " the storageclass that provisions the pvc must support resize");
        assertThatThrownBy(() -> cluster.update(
                        BOB,
                        PERSISTENT_VOLUME_CLAIMS,
                        "",
                        claim.formatted("Pending", "grows", "1Gi"),
                        claim.formatted("Pending", "grows", "2Gi")))
                .hasMessageContaining("Only bound persistent volume claims can be expanded");
        cluster.update(
                BOB,
                PERSISTENT_VOLUME_CLAIMS,
                "",
                claim.formatted("Bound", "grows", "1Gi"),
                claim.formatted("Bound", "grows", "2Gi"));
    }

    @Test
    void givenARuntimeClass_whenAPodChoosesIt_thenWhatItCostsAndWhereItRuns() {
        cluster.cluster.put(RUNTIME_CLASSES, """
                metadata: {name: vm}
                overhead: {podFixed: {cpu: 250m}}
                scheduling: {nodeSelector: {vm: 'yes'}, tolerations: [{key: vm, operator: Exists}]}
                """);

        ObjectNode pod = cluster.create(PODS, "metadata: {name: p}\nspec: {runtimeClassName: vm, containers: []}");

        assertThat(pod.at("/spec/overhead/cpu").asText()).isEqualTo("250m");
        assertThat(pod.at("/spec/nodeSelector/vm").asText()).isEqualTo("yes");
        assertThat(pod.at("/spec/tolerations")).hasSize(3);
        assertThatThrownBy(() ->
                        cluster.create(PODS, "metadata: {name: p}\nspec: {runtimeClassName: gone, containers: []}"))
                .hasMessage("pods \"p\" is forbidden: pod rejected: RuntimeClass \"gone\" not found");
        assertThatThrownBy(
                        () -> cluster.create(PODS, "metadata: {name: p}\nspec: {overhead: {cpu: 1}, containers: []}"))
                .hasMessage("pods \"p\" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass"
                        + " defined Overhead");
    }

    @Test
    void givenPluginsThatAreOffByDefault_whenSwitchedOn_thenTheyAct() {
        cluster.enable(
                "AlwaysPullImages",
                "DenyServiceExternalIPs",
                "SecurityContextDeny",
                "LimitPodHardAntiAffinityTopology",
                "ExtendedResourceToleration");

        ObjectNode pod = cluster.create(
                PODS,
                "metadata: {name: p}\nspec: {containers: [{name: c, resources: {requests: {example.com/gpu: 1}}}]}");
        assertThat(pod.at("/spec/containers/0/imagePullPolicy").asText()).isEqualTo("Always");
        assertThat(pod.at("/spec/tolerations").toString()).contains("example.com/gpu");
        assertThatThrownBy(() -> cluster.create(SERVICES, "metadata: {name: s}\nspec: {externalIPs: [192.0.2.1]}"))
                .hasMessage("services \"s\" is forbidden: Use of external IPs is denied by admission control");
        assertThatThrownBy(() -> cluster.create(
                        PODS, "metadata: {name: p}\nspec: {securityContext: {runAsUser: 1}, containers: []}"))
                .hasMessage("pods \"p\" is forbidden: pod.Spec.SecurityContext.RunAsUser is forbidden");
    }

    @Test
    void givenAlwaysDeny_whenAnythingIsWritten_thenForbidden() {
        cluster.enable("AlwaysDeny");

        assertThatThrownBy(() -> cluster.create(SERVICES, "metadata: {generateName: s-}"))
                .hasMessage("services \"s-\" is forbidden: admission control is denying all modifications");
    }

    @Test
    void givenOwners_whenTheUserMayNotDelete_thenItMayNotSetThem() {
        cluster.enable("OwnerReferencesPermissionEnforcement");
        String owned = "metadata: {name: s, ownerReferences: [{apiVersion: v1, kind: Node, name: n, uid: u%s}]}";

        cluster.create(SERVICES, owned.formatted(""));
        assertThatThrownBy(() -> cluster.create(SERVICES, owned.formatted(", blockOwnerDeletion: true")))
                .hasMessageContaining(
                        "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers"
                                + " on");
        assertThatThrownBy(() -> cluster.update(BOB, SERVICES, "", "metadata: {name: s}", owned.formatted("")))
                .hasMessageContaining("cannot set an ownerRef on a resource you can't delete");
    }

    @Test
    void givenARole_whenItGivesMoreThanItsWriterHas_thenForbiddenWhateverIsSwitchedOff() {
        assertThatThrownBy(() -> cluster.create(
                        ROLES, "metadata: {name: r}\nrules: [{apiGroups: [''], resources: [secrets], verbs: [get]}]"))
                .hasMessageContaining("is attempting to grant RBAC permissions not currently held");
    }

    // ---- Pod security
    // ------------------------------------------------------------------------------------------------

    private static final String BAD =
            "metadata: {name: p, namespace: strict}\nspec: {hostNetwork: true, containers: [{name: c, image: x,"
                    + " securityContext: {privileged: true}}]}";

    private void strict(String labels) {
        cluster.namespace("strict", labels);
        cluster.cluster.put(SERVICE_ACCOUNTS, "metadata: {name: default, namespace: strict}");
    }

    @Test
    void givenARestrictedNamespace_whenAPodIsCreated_thenAllThatIsWrongIsSaid() {
        strict("pod-security.kubernetes.io/enforce: restricted");

        assertThatThrownBy(() -> cluster.create(PODS, BAD))
                .hasMessage("pods \"p\" is forbidden: violates PodSecurity \"restricted:latest\": host namespaces"
                        + " (hostNetwork=true), privileged (container \"c\" must not set"
                        + " securityContext.privileged=true), allowPrivilegeEscalation != false (container \"c\" must set"
                        + " securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"c\""
                        + " must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container"
                        + " \"c\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container \"c\" must"
                        + " set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")");
        cluster.create(PODS, """
                metadata: {name: p, namespace: strict}
                spec:
                  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
                  containers:
                  - {name: c, image: x, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}
                """);
    }

    @Test
    void givenABaselineNamespace_whenAPodIsCreated_thenOnlyTheWorstIsRefused() {
        strict("pod-security.kubernetes.io/enforce: baseline");

        assertThatThrownBy(() -> cluster.create(PODS, BAD))
                .hasMessageContaining("violates PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true),"
                        + " privileged (");
        cluster.create(PODS, "metadata: {name: p, namespace: strict}\nspec: {containers: [{name: c, image: x}]}");
        assertThat(cluster.warnings).isEmpty();
    }

    @Test
    void givenAnOldVersion_whenAPodIsCreated_thenItsRules() {
        strict("pod-security.kubernetes.io/enforce: restricted, pod-security.kubernetes.io/enforce-version: v1.18");

        assertThatThrownBy(() -> cluster.create(
                        PODS, "metadata: {name: p, namespace: strict}\nspec: {containers: [{name: c, image: x}]}"))
                .hasMessage(
                        "pods \"p\" is forbidden: violates PodSecurity \"restricted:v1.18\": allowPrivilegeEscalation"
                                + " != false (container \"c\" must set securityContext.allowPrivilegeEscalation=false),"
                                + " runAsNonRoot != true (pod or container \"c\" must set securityContext.runAsNonRoot=true)");
    }

    @Test
    void givenAWarnLevel_whenAPodIsCreated_thenAWarning() {
        strict("pod-security.kubernetes.io/warn: baseline");

        cluster.create(PODS, BAD);

        assertThat(cluster.warnings)
                .singleElement()
                .asString()
                .startsWith("would violate PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true)");
    }

    @Test
    void givenANamespace_whenItsLevelIsUnknown_thenInvalid() {
        assertThatThrownBy(() -> cluster.create(
                        NAMESPACES, "metadata: {name: n, labels: {pod-security.kubernetes.io/enforce: bogus}}"))
                .hasMessage("Namespace \"n\" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid"
                        + " value: \"bogus\": must be one of privileged, baseline, restricted");
    }

    @Test
    void givenPods_whenTheLevelIsTightened_thenAWarningNamesThem() {
        strict("");
        cluster.cluster.put(PODS, BAD.replace("name: p,", "name: p1,"));
        cluster.cluster.put(PODS, BAD.replace("name: p,", "name: p2,"));

        cluster.update(
                BOB,
                NAMESPACES,
                "",
                "metadata: {name: strict}",
                "metadata: {name: strict, labels: {pod-security.kubernetes.io/enforce: baseline}}");

        assertThat(cluster.warnings)
                .containsExactly(
                        "existing pods in namespace \"strict\" violate the new PodSecurity enforce level"
                                + " \"baseline:latest\"",
                        "p1 (and 1 other pod): host namespaces, privileged");
    }
}
