package io.trimtab.apiserver.injvm;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.PartialObjectMetadata;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.trimtab.apiserver.kinds.Kinds;
import io.trimtab.apiserver.kinds.KindsOptions;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.client.KubernetesJson;
import io.trimtab.runtime.VirtualDriver;
import java.io.IOException;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** What is read by its difference must be what reading all of it gives. */
class RenewedObjectsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String LEASE = "{\"kind\":\"Lease\",\"apiVersion\":\"coordination.k8s.io/v1\",\"metadata\":{"
            + "\"name\":\"a\",\"namespace\":\"kube-node-lease\",\"uid\":\"u\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\","
            + "\"annotations\":{\"time\":\"1\",\"renewTime\":\"2\"},\"managedFields\":[{\"manager\":\"kubelet\",\"time\":"
            + "\"2026-01-01T00:00:00Z\",\"fieldsV1\":{}}]},\"spec\":{\"holderIdentity\":\"a\",\"leaseDurationSeconds\":40,"
            + "\"renewTime\":\"2026-01-01T00:00:00.000000Z\"}}";
    private static final String NODE =
            "{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"uid\":\"u\","
                    + "\"labels\":{\"x\":\"1\"},\"managedFields\":[{\"manager\":\"kubelet\",\"time\":\"2026-01-01T00:00:00Z\"}]},"
                    + "\"spec\":{\"podCIDR\":\"10.0.0.0/24\"},\"status\":{\"capacity\":{\"cpu\":\"4\"},\"conditions\":["
                    + "{\"type\":\"NetworkUnavailable\",\"status\":\"False\"},"
                    + "{\"type\":\"Ready\",\"status\":\"True\",\"lastHeartbeatTime\":\"2026-01-01T00:00:00Z\",\"reason\":\"r\"},"
                    + "{\"type\":\"DiskPressure\",\"status\":\"False\",\"lastHeartbeatTime\":\"2026-01-01T00:00:00Z\"}]}}";

    private final VirtualDriver driver = VirtualDriver.create();
    private final ResourceRegistry registry =
            ResourceRegistry.builtIn(new Kinds(new KindsOptions("10.0.0.0/16", "30000-32767")).registry());
    private final DefaultStorage storage = new DefaultStorage(MemoryStore.create(), driver, registry::selectableFields);

    private ApiResource resource(String group, String plural) {
        return Objects.requireNonNull(registry.find(group, "v1", plural)).storage();
    }

    /** Reads an object, changes its text, and reads it again by both ways. */
    private <T extends HasMetadata> T changed(
            ApiResource resource, String first, Class<T> type, UnaryOperator<String> change, boolean byDifference)
            throws IOException {
        StoredObject before = storage.create(resource, (ObjectNode) JSON.readTree(first));
        RenewedObjects<T> renewed = Objects.requireNonNull(RenewedObjects.of(type));
        renewed.keep(before, KubernetesJson.cacheMapper().readValue(before.json(), type));
        StoredObject after = storage.replace(resource, before, (ObjectNode)
                        JSON.readTree(change.apply(before.tree().toString())))
                .orElseThrow();

        T read = renewed.read(after);

        T whole = KubernetesJson.cacheMapper().readValue(after.json(), type);
        if (byDifference) {
            assertThat(read).isEqualTo(whole);
        } else {
            assertThat(read).isNull();
        }
        return whole;
    }

    @Test
    void givenLease_whenRenewed_thenReadByDifference() throws IOException {
        Lease lease = changed(
                resource("coordination.k8s.io", "leases"),
                LEASE,
                Lease.class,
                text -> text.replace("00:00:00.000000Z", "01:02:03.456789Z")
                        .replace("\"time\":\"2026-01-01T00:00:00Z\"", "\"time\":\"2026-01-01T01:02:03Z\""),
                true);

        assertThat(lease.getSpec().getRenewTime()).hasToString("2026-01-01T01:02:03.456789Z");
    }

    @Test
    void givenLease_whenAnythingElseChanges_thenReadAsAWhole() throws IOException {
        ApiResource leases = resource("coordination.k8s.io", "leases");
        int[] count = {0};
        for (String[] change : new String[][] {
            {"\"holderIdentity\":\"a\"", "\"holderIdentity\":\"b\""},
            {"\"time\":\"1\"", "\"time\":\"2\""},
            {"\"renewTime\":\"2\"", "\"renewTime\":\"3\""},
            {"\"leaseDurationSeconds\":40", "\"leaseDurationSeconds\":41"},
            {"\"creationTimestamp\":\"2026-01-01", "\"creationTimestamp\":\"2026-01-02"}
        }) {
            String other = LEASE.replace("\"name\":\"a\"", "\"name\":\"a" + count[0]++ + "\"");
            changed(leases, other, Lease.class, text -> text.replace(change[0], change[1]), false);
        }
    }

    @Test
    void givenNode_whenItsConditionsAreConfirmed_thenReadByDifference() throws IOException {
        Node node = changed(
                resource("", "nodes"),
                NODE,
                Node.class,
                text -> text.replace("Time\":\"2026-01-01T00:00:00Z", "Time\":\"2026-01-01T00:05:00Z"),
                true);

        assertThat(node.getStatus().getConditions().get(2).getLastHeartbeatTime())
                .isEqualTo("2026-01-01T00:05:00Z");
        String other = NODE.replace("\"name\":\"a\"", "\"name\":\"b\"");
        changed(resource("", "nodes"), other, Node.class, text -> text.replace("\"x\":\"1\"", "\"x\":\"2\""), false);
    }

    @Test
    void givenMetadata_whenOnlyOtherPartsChange_thenReadByDifference() throws IOException {
        ApiResource nodes = resource("", "nodes");
        changed(
                nodes,
                NODE,
                PartialObjectMetadata.class,
                text -> text.replace("\"cpu\":\"4\"", "\"cpu\":\"16\""),
                true);
        String other = NODE.replace("\"name\":\"a\"", "\"name\":\"b\"");
        changed(nodes, other, PartialObjectMetadata.class, text -> text.replace("\"x\":\"1\"", "\"x\":\"2\""), false);
    }

    @Test
    void givenLease_whenItsWatchersHearThatItIsDeleted_thenNothingOfItIsKept() throws IOException {
        StoredObject lease =
                storage.create(resource("coordination.k8s.io", "leases"), (ObjectNode) JSON.readTree(LEASE));
        RenewedObjects<Lease> renewed = Objects.requireNonNull(RenewedObjects.of(Lease.class));
        renewed.keep(lease, KubernetesJson.cacheMapper().readValue(lease.json(), Lease.class));
        assertThat(renewed.newest(lease)).isNotNull();

        renewed.forget(lease);

        assertThat(renewed.newest(lease)).isNull();
        assertThat(renewed.read(lease)).isNull();
    }
}
