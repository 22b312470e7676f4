package io.trimtab.apiserver.bootstrap;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.Authorizer.Attributes;
import io.trimtab.apiserver.auth.Authorizer.Verdict;
import io.trimtab.apiserver.auth.RbacAuthorizer;
import io.trimtab.apiserver.auth.SecurityFixture;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.resource.CoreResources;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BootstrapTest {
    private final SecurityFixture cluster = new SecurityFixture();

    @AfterEach
    void close() {
        cluster.close();
    }

    private void start(String address) {
        Bootstrap.run(cluster.storage, cluster.driver, new Bootstrap.Settings("10.254.0.0/16", address, 6443, "PEM\n"));
    }

    private JsonNode get(io.trimtab.apiserver.resource.ApiResource resource, String namespace, String name) {
        return cluster.storage.get(resource, namespace, name).orElseThrow().tree();
    }

    @Test
    void givenAPortThatIsChosenLater_whenItIsKnown_thenTheServerIsPublishedWithIt() {
        var unknown = new Bootstrap.Settings("10.254.0.0/16", "192.0.2.7", 0, null);
        Bootstrap.run(cluster.storage, cluster.driver, unknown);
        assertThat(cluster.storage.get(CoreResources.ENDPOINTS, "default", "kubernetes"))
                .isEmpty();

        Bootstrap.endpoints(
                cluster.storage, cluster.driver, new Bootstrap.Settings("10.254.0.0/16", "192.0.2.7", 4711, null));

        assertThat(get(CoreResources.ENDPOINTS, "default", "kubernetes")
                        .at("/subsets/0/ports/0/port")
                        .asInt())
                .isEqualTo(4711);
        assertThat(get(CoreResources.SERVICES, "default", "kubernetes")
                        .at("/spec/ports/0/targetPort")
                        .asInt())
                .isEqualTo(4711);
    }

    @Test
    void givenAnEmptyStore_whenStarted_thenTheClusterHasWhatItBeginsWith() {
        start("127.0.0.1");

        assertThat(get(CoreResources.NAMESPACES, null, "kube-node-lease")
                        .path("status")
                        .path("phase")
                        .asText())
                .isEqualTo("Active");
        assertThat(get(CoreResources.SERVICES, "default", "kubernetes")
                        .path("spec")
                        .path("clusterIP")
                        .asText())
                .isEqualTo("10.254.0.1");
        assertThat(get(CoreResources.IP_ADDRESSES, null, "10.254.0.1")
                        .path("spec")
                        .path("parentRef")
                        .path("name")
                        .asText())
                .isEqualTo("kubernetes");
        assertThat(get(CoreResources.PRIORITY_CLASSES, null, "system-node-critical")
                        .path("value")
                        .asInt())
                .isEqualTo(2_000_001_000);
        assertThat(get(CoreResources.FLOW_SCHEMAS, null, "exempt")
                        .path("metadata")
                        .path("uid")
                        .asText())
                .hasSize(36);
        assertThat(cluster.storage.get(CoreResources.ENDPOINTS, "default", "kubernetes"))
                .isEmpty();
    }

    @Test
    void givenTheDefaultRoles_whenStarted_thenAnonymousGetsNoFurtherThanVersionAndHealth() {
        start("127.0.0.1");
        RbacAuthorizer rbac = new RbacAuthorizer(cluster.storage);

        assertThat(rbac.authorize(UserInfo.ANONYMOUS, Attributes.path("get", "/version"))
                        .verdict())
                .isEqualTo(Verdict.ALLOW);
        for (String path : new String[] {"/", "/api", "/apis", "/metrics", "/openapi/v2", "/version/x"}) {
            assertThat(rbac.authorize(UserInfo.ANONYMOUS, Attributes.path("get", path))
                            .verdict())
                    .as(path)
                    .isEqualTo(Verdict.NO_OPINION);
        }
        assertThat(rbac.authorize(UserInfo.ANONYMOUS, Attributes.resource("list", "", "v1", "namespaces", "", "", ""))
                        .verdict())
                .isEqualTo(Verdict.NO_OPINION);
        assertThat(rbac.authorize(
                                UserInfo.of("system:kube-scheduler"),
                                Attributes.resource("create", "", "v1", "pods", "binding", "default", "p"))
                        .verdict())
                .isEqualTo(Verdict.ALLOW);
    }

    @Test
    void givenAnAddressOthersCanReach_whenStarted_thenItIsPublished() {
        start("192.0.2.1");

        assertThat(get(CoreResources.ENDPOINTS, "default", "kubernetes")
                        .at("/subsets/0/addresses/0/ip")
                        .asText())
                .isEqualTo("192.0.2.1");
        assertThat(get(CoreResources.ENDPOINT_SLICES, "default", "kubernetes")
                        .at("/endpoints/0/addresses/0")
                        .asText())
                .isEqualTo("192.0.2.1");
    }

    @Test
    void givenAStartedCluster_whenStartedAgain_thenNothingIsWritten() {
        start("192.0.2.1");
        long revision = cluster.store.revision();

        start("192.0.2.1");

        assertThat(cluster.store.revision()).isEqualTo(revision);
    }

    @Test
    void givenChangedRoles_whenStartedAgain_thenWhatIsMissingComesBackAndWhatWasAddedStays() {
        start("127.0.0.1");
        cluster.storage.update(CoreResources.CLUSTER_ROLES, null, "system:public-info-viewer", role -> {
            ObjectNode rule = (ObjectNode) role.path("rules").get(0);
            rule.putArray("nonResourceURLs").add("/mine");
            return role;
        });
        cluster.storage.update(CoreResources.CLUSTER_ROLES, null, "system:discovery", role -> {
            role.withObjectProperty("metadata")
                    .withObjectProperty("annotations")
                    .put("rbac.authorization.kubernetes.io/autoupdate", "false");
            role.putArray("rules");
            return role;
        });
        cluster.remove(CoreResources.CLUSTER_ROLE_BINDINGS, null, "system:basic-user");

        start("127.0.0.1");

        assertThat(get(CoreResources.CLUSTER_ROLES, null, "system:public-info-viewer")
                        .toString())
                .contains("/mine", "/healthz", "/version");
        assertThat(get(CoreResources.CLUSTER_ROLES, null, "system:discovery").path("rules"))
                .isEmpty();
        assertThat(cluster.storage.get(CoreResources.CLUSTER_ROLE_BINDINGS, null, "system:basic-user"))
                .isPresent();
    }

    @Test
    void givenAServer_whenItLives_thenItsLeaseIsRenewedUntilItCloses() {
        start("127.0.0.1");
        ServerLease lease = ServerLease.start(cluster.storage, cluster.driver, "host");
        assertThat(lease.name()).matches("apiserver-[a-z2-7]{26}");

        cluster.driver.advance(Duration.ofMinutes(41));
        assertThat(get(CoreResources.LEASES, "kube-system", lease.name())
                        .at("/spec/renewTime")
                        .asText())
                .isEqualTo("2026-01-01T00:40:00.000000Z");

        lease.close();
        long revision = cluster.store.revision();
        cluster.driver.advance(Duration.ofHours(2));
        assertThat(cluster.store.revision()).isEqualTo(revision);
    }

    @Test
    void givenRanges_whenAskedForTheirFirstAddress_thenTheOneAfterTheNetwork() {
        assertThat(AddressRange.parse("10.96.0.0/12").first()).isEqualTo("10.96.0.1");
        assertThat(AddressRange.parse("10.254.3.7/16").first()).isEqualTo("10.254.0.1");
        assertThat(AddressRange.parse("fd00:10:96::/112").first()).isEqualTo("fd00:10:96::1");
    }
}
