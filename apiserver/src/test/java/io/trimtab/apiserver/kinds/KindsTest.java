package io.trimtab.apiserver.kinds;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.kinds.KindHarness.Outcome;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.Kind.Propagation;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the recorded answers do not show: status writes, subresources, pools given back, the traits of kinds. */
class KindsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private final KindHarness harness = new KindHarness();

    private static ObjectNode tree(String json) {
        try {
            return (ObjectNode) JSON.readTree(json.replace('\'', '"'));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private ObjectNode created(String json) {
        Outcome outcome = harness.create(tree(json));
        assertThat(outcome.code()).as(outcome.body().toString()).isEqualTo(201);
        return outcome.body();
    }

    private String refusal(ObjectNode old, String subresource, Consumer<ObjectNode> change) {
        ObjectNode changed = old.deepCopy();
        change.accept(changed);
        Outcome outcome = harness.update(changed, old, subresource);
        return outcome.code() == 422 ? outcome.body().path("message").asText() : "";
    }

    private static final String POD = "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p','namespace':'t'},"
            + "'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i','resources':{'limits':{'cpu':'1',"
            + "'memory':'1Gi'}}}]}}";
    private static final String JOB = "{'apiVersion':'batch/v1','kind':'Job','metadata':{'name':'j','namespace':'t'},"
            + "'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}";
    private static final String SERVICE = "{'apiVersion':'v1','kind':'Service','metadata':{'name':'s','namespace':'t'},"
            + "'spec':{'type':'NodePort','clusterIP':'10.254.7.7','ports':[{'port':80,'nodePort':30500}]}}";

    @Test
    void givenAPodThatHasEnded_whenItsContainerRunsAgain_thenTheStatusIsRefused() {
        ObjectNode pod = created(POD);
        pod.with("status")
                .putArray("containerStatuses")
                .addObject()
                .put("name", "c")
                .putObject("state")
                .putObject("terminated")
                .put("exitCode", 0);

        String refusal = refusal(
                pod, "status", p -> ((ObjectNode) p.at("/status/containerStatuses/0/state")).remove("terminated"));

        assertThat(refusal)
                .isEqualTo(
                        "Pod \"p\" is invalid: status.containerStatuses[0].state: Forbidden: may not be transitioned to"
                                + " non-terminated state");
    }

    @Test
    void givenAPod_whenItsClassOfServiceIsChanged_thenTheStatusIsRefused() {
        assertThat(refusal(created(POD), "status", p -> p.with("status").put("qosClass", "BestEffort")))
                .isEqualTo("Pod \"p\" is invalid: status.qosClass: Invalid value: \"BestEffort\": field is immutable");
    }

    @Test
    void givenAPod_whenItIsResized_thenMoreIsAllowedAndAnotherClassIsNot() {
        ObjectNode pod = created(POD);

        assertThat(refusal(pod, "resize", p -> {
                    ObjectNode resources = (ObjectNode) p.at("/spec/containers/0/resources");
                    resources.with("limits").put("cpu", "2");
                    resources.with("requests").put("cpu", "2");
                }))
                .isEmpty();
        assertThat(refusal(
                        pod,
                        "resize",
                        p -> ((ObjectNode) p.at("/spec/containers/0/resources"))
                                .with("requests")
                                .put("cpu", "500m")))
                .isEqualTo(
                        "Pod \"p\" is invalid: spec: Invalid value: \"Guaranteed\": Pod QOS Class may not change as a"
                                + " result of resizing");
    }

    @Test
    void givenAPod_whenAnEphemeralContainerIsAddedAndChanged_thenOnlyTheFirstIsAllowed() {
        ObjectNode pod = created(POD);
        ObjectNode debugged = pod.deepCopy();
        debugged.with("spec")
                .putArray("ephemeralContainers")
                .addObject()
                .put("name", "dbg")
                .put("image", "x");

        Outcome added = harness.update(debugged, pod, "ephemeralcontainers");

        assertThat(added.code()).isEqualTo(200);
        assertThat(added.body().at("/metadata/generation").asInt()).isEqualTo(2);
        assertThat(refusal(
                        added.body(),
                        "ephemeralcontainers",
                        p -> ((ObjectNode) p.at("/spec/ephemeralContainers/0")).put("image", "y")))
                .startsWith("Pod \"p\" is invalid: spec.ephemeralContainers: Forbidden: existing ephemeral containers"
                        + " \"dbg\" may not be changed\n@@ ");
    }

    @ParameterizedTest
    @CsvSource({"'',Pending,,0", "n,Running,,30", "n,Running,5,5", "n,Running,-3,1", "n,Succeeded,5,0", "n,Failed,,0"})
    void givenAPod_whenItIsDeleted_thenTheGraceIsKubernetes(String node, String phase, Long asked, long expected) {
        ObjectNode pod = created(POD);
        pod.with("spec").put("nodeName", node);
        pod.with("status").put("phase", phase);

        OptionalLong grace =
                harness.kindOf(pod).gracePeriod(pod, asked == null ? OptionalLong.empty() : OptionalLong.of(asked));

        assertThat(grace).hasValue(expected);
    }

    @Test
    void givenAService_whenItIsDeleted_thenItsAddressAndPortComeFree() {
        ObjectNode service = created(SERVICE);
        assertThat(harness.storage.get(CoreResources.IP_ADDRESSES, null, "10.254.7.7"))
                .isPresent();

        harness.delete(service);

        assertThat(harness.storage.get(CoreResources.IP_ADDRESSES, null, "10.254.7.7"))
                .isEmpty();
        created(SERVICE);
    }

    @Test
    void givenARefusedPort_whenAServiceIsCreated_thenItsAddressComesFreeAgain() {
        created(SERVICE);

        Outcome refused = harness.create(tree(SERVICE.replace("10.254.7.7", "10.254.7.8")));

        assertThat(refused.body().path("message").asText())
                .isEqualTo(
                        "Service \"s\" is invalid: spec.ports[0].nodePort: Invalid value: 30500: provided port is already"
                                + " allocated");
        assertThat(harness.storage.get(CoreResources.IP_ADDRESSES, null, "10.254.7.8"))
                .isEmpty();
    }

    @Test
    void givenANodePortService_whenItBecomesAClusterIp_thenThePortComesFree() {
        ObjectNode service = created(SERVICE);
        ObjectNode changed = service.deepCopy();
        changed.with("spec").put("type", "ClusterIP");

        Outcome outcome = harness.update(changed, service);

        assertThat(outcome.body().at("/spec/ports/0/nodePort").isMissingNode()).isTrue();
        created(SERVICE.replace("10.254.7.7", "10.254.7.9"));
    }

    @Test
    void givenOnePortNumberOverTwoProtocols_whenNodePortsAreGiven_thenTheyShareOne() {
        ObjectNode service = created(
                "{'apiVersion':'v1','kind':'Service','metadata':{'name':'dns','namespace':'t'},'spec':"
                        + "{'type':'NodePort','ports':[{'name':'a','port':53,'protocol':'UDP'},{'name':'b','port':53}]}}");

        assertThat(service.at("/spec/ports/0/nodePort")).isEqualTo(service.at("/spec/ports/1/nodePort"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Complete", "Failed", "FailureTarget"})
    void givenAJobsLastCondition_whenItIsTakenAway_thenTheStatusIsRefused(String type) {
        ObjectNode job = created(JOB);
        job.with("status").putArray("conditions").addObject().put("type", type).put("status", "True");

        assertThat(refusal(job, "status", j -> j.with("status").remove("conditions")))
                .contains("status.conditions: Invalid value: cannot disable the terminal " + type + "=True condition");
    }

    @Test
    void givenAJob_whenItCompletesWithoutItsCriteria_thenTheStatusIsRefused() {
        assertThat(refusal(created(JOB), "status", j -> {
                    ObjectNode status = j.with("status");
                    status.put("startTime", "2026-01-01T00:00:00Z").put("completionTime", "2026-01-01T00:00:01Z");
                    status.putArray("conditions")
                            .addObject()
                            .put("type", "Complete")
                            .put("status", "True");
                }))
                .isEqualTo(
                        "Job.batch \"j\" is invalid: status.conditions: Invalid value: cannot set Complete=True condition"
                                + " without the SuccessCriteriaMet=true condition");
    }

    @Test
    void givenADaemonSet_whenItsTemplateChanges_thenItsTemplateGenerationGrows() {
        ObjectNode set =
                created("{'apiVersion':'apps/v1','kind':'DaemonSet','metadata':{'name':'d','namespace':'t'},'spec':"
                        + "{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':"
                        + "[{'name':'c','image':'i'}]}}}}");
        ObjectNode changed = set.deepCopy();
        ((ObjectNode) changed.at("/spec/template/spec/containers/0")).put("image", "j");

        ObjectNode updated = harness.update(changed, set).body();

        String pointer = "/metadata/annotations/deprecated.daemonset.template.generation";
        assertThat(set.at(pointer).asText()).isEqualTo("1");
        assertThat(updated.at(pointer).asText()).isEqualTo("2");
    }

    @Test
    void givenADeployment_whenOnlyAnAnnotationChanges_thenItsGenerationGrows() {
        ObjectNode deployment =
                created("{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'d','namespace':'t'},"
                        + "'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':"
                        + "{'containers':[{'name':'c','image':'i'}]}}}}");
        ObjectNode changed = deployment.deepCopy();
        changed.with("metadata").with("annotations").put("x", "y");

        assertThat(harness.update(changed, deployment)
                        .body()
                        .at("/metadata/generation")
                        .asInt())
                .isEqualTo(2);
        assertThat(harness.kindOf(deployment).scale().selectorText().apply(deployment))
                .isEqualTo("a=b");
    }

    @Test
    void givenANamespace_whenItsFinalizersAreChanged_thenOnlyTheSubresourceDoesIt() {
        ObjectNode namespace = created("{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'n'}}");
        ObjectNode emptied = namespace.deepCopy();
        emptied.with("spec").remove("finalizers");

        assertThat(harness.update(emptied, namespace)
                        .body()
                        .at("/spec/finalizers/0")
                        .asText())
                .isEqualTo("kubernetes");
        assertThat(harness.update(emptied, namespace, "finalize")
                        .body()
                        .at("/spec/finalizers")
                        .isMissingNode())
                .isTrue();
    }

    @Test
    void givenTheTable_whenAKindIsUnknown_thenItIsPlain() {
        assertThat(harness.kinds.forGroupKind("ex.io", "Widget")).isSameAs(Kind.PLAIN);
        assertThat(harness.kinds.registry().find("", "Pod")).isSameAs(harness.kinds.forGroupKind("", "Pod"));
    }

    @Test
    void givenTheKinds_whenTheirTraitsAreAsked_thenTheyAreKubernetes() {
        Kinds kinds = harness.kinds;

        assertThat(kinds.forGroupKind("", "ReplicationController").defaultPropagation())
                .isEqualTo(Propagation.ORPHAN);
        assertThat(kinds.forGroupKind("batch", "Job").defaultPropagation()).isEqualTo(Propagation.ORPHAN);
        assertThat(kinds.forGroupKind("apps", "ReplicaSet").defaultPropagation())
                .isEqualTo(Propagation.BACKGROUND);
        assertThat(kinds.forGroupKind("coordination.k8s.io", "Lease").allowsCreateOnUpdate())
                .isTrue();
        assertThat(kinds.forGroupKind("coordination.k8s.io", "Lease").allowsUnconditionalUpdate())
                .isFalse();
        assertThat(kinds.forGroupKind("policy", "PodDisruptionBudget").allowsUnconditionalUpdate())
                .isFalse();
        assertThat(kinds.forGroupKind("", "Pod").returnsDeletedObject()).isTrue();
        assertThat(kinds.forGroupKind("", "ConfigMap").returnsDeletedObject()).isFalse();
        assertThat(kinds.forGroupKind("", "Service").nameRule()).isEqualTo(Kind.NameRule.LABEL_1035);
        assertThat(kinds.forGroupKind("", "Namespace").nameRule()).isEqualTo(Kind.NameRule.LABEL);
        assertThat(kinds.forGroupKind("rbac.authorization.k8s.io", "Role").nameRule())
                .isEqualTo(Kind.NameRule.PATH_SEGMENT);
        assertThat(kinds.forGroupKind("", "Secret").selectableFields()).containsOnlyKeys("type");
        assertThat(kinds.forGroupKind("", "Event").selectableFields())
                .containsKeys("involvedObject.name", "reason", "source", "type", "reportingComponent");
    }
}
