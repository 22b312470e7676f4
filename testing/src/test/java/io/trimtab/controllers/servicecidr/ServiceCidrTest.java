package io.trimtab.controllers.servicecidr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.networking.v1.IPAddress;
import io.fabric8.kubernetes.api.model.networking.v1.ServiceCIDR;
import io.fabric8.kubernetes.api.model.networking.v1.ServiceCIDRBuilder;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.ClusterOptions;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Further ranges of Service addresses: used once they are ready, kept while Services need them. */
@TrimtabCluster(nodes = 0)
class ServiceCidrTest {
    private static ServiceCIDR range(Cluster cluster, String name, String cidr) {
        ServiceCIDR made = cluster.create(new ServiceCIDRBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata()
                .withNewSpec()
                .withCidrs(cidr)
                .endSpec()
                .build());
        cluster.settle();
        return made;
    }

    private static Service service(Cluster cluster, String name, String address) {
        return cluster.create(new ServiceBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata()
                .withNewSpec()
                .withClusterIP(address)
                .addNewPort()
                .withPort(80)
                .endPort()
                .endSpec()
                .build());
    }

    private static Condition ready(ServiceCIDR range) {
        assertThat(range.getStatus().getConditions()).hasSize(1);
        return range.getStatus().getConditions().get(0);
    }

    @Test
    void givenACluster_whenItIsUp_thenItsOwnRangeIsReadyAndHeld(Cluster cluster) {
        ServiceCIDR own = cluster.settle().get(ServiceCIDR.class, "kubernetes").orElseThrow();

        assertThat(own.getSpec().getCidrs()).containsExactly("10.254.0.0/16");
        assertThat(own.getMetadata().getFinalizers()).containsExactly("networking.k8s.io/service-cidr-finalizer");
        assertThat(ready(own).getStatus()).isEqualTo("True");
        assertThat(ready(own).getReason()).isEmpty();
        assertThat(ready(own).getMessage()).isEqualTo("Kubernetes Service CIDR is ready");
    }

    @Test
    void givenANewRange_whenItIsReady_thenServicesGetItsAddresses(Cluster cluster) {
        cluster.settle();
        assertThatThrownBy(() -> service(cluster, "early", "10.196.196.7"))
                .hasMessageContaining(
                        "failed to allocate IP 10.196.196.7: the provided network does not match the current"
                                + " range");

        range(cluster, "more", "10.196.196.0/24");
        Service web = service(cluster, "web", "10.196.196.7");

        assertThat(web.getSpec().getClusterIP()).isEqualTo("10.196.196.7");
        IPAddress address = cluster.get(IPAddress.class, "10.196.196.7").orElseThrow();
        assertThat(address.getSpec().getParentRef().getName()).isEqualTo("web");
        assertThatThrownBy(() -> service(cluster, "ends", "10.196.196.255"))
                .hasMessageContaining("the provided network does not match the current range");
    }

    @Test
    void givenARangeInUse_whenItIsDeleted_thenItStaysUntilTheLastServiceIsGone(Cluster cluster) {
        ServiceCIDR more = range(cluster.settle(), "more", "10.196.196.0/24");
        Service web = service(cluster, "web", "10.196.196.7");

        cluster.delete(more).advance(Duration.ofMinutes(1));

        Condition blocked = ready(cluster.refresh(more));
        assertThat(blocked.getStatus()).isEqualTo("False");
        assertThat(blocked.getReason()).isEqualTo("Terminating");
        assertThat(blocked.getMessage())
                .isEqualTo("There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new"
                        + " ServiceCIDR");
        assertThatThrownBy(() -> service(cluster, "late", "10.196.196.8"))
                .hasMessageContaining("the provided network does not match the current range");

        cluster.delete(web).advance(Duration.ofSeconds(1));
        assertThat(cluster.exists(more)).isFalse();
    }

    @Test
    void givenARangeInsideAnother_whenItIsDeleted_thenItGoesAfterTenSeconds(Cluster cluster) {
        range(cluster.settle(), "wide", "10.196.0.0/16");
        ServiceCIDR narrow = range(cluster, "narrow", "10.196.196.0/24");
        service(cluster, "web", "10.196.196.7");

        cluster.delete(narrow).advance(Duration.ofSeconds(8));
        assertThat(cluster.exists(narrow)).isTrue();

        cluster.advance(Duration.ofSeconds(3));
        assertThat(cluster.exists(narrow)).isFalse();
    }

    @Test
    void givenAFullRange_whenAnotherIsAdded_thenServicesGetAddressesOfThat() {
        ClusterOptions options = ClusterOptions.IN_MEMORY.withApiServer(
                ClusterOptions.IN_MEMORY.apiServer().withServiceCidr("10.254.0.0/30"));
        try (Cluster cluster =
                Cluster.start(options, VirtualDriver.Options.DEFAULT).settle()) {
            Service first = service(cluster, "first", null); // the other address is that of the API server
            assertThat(first.getSpec().getClusterIP()).isEqualTo("10.254.0.2");
            assertThatThrownBy(() -> service(cluster, "second", null)).hasMessageContaining("range is full");

            range(cluster, "more", "10.196.196.0/24");

            assertThat(service(cluster, "second", null).getSpec().getClusterIP())
                    .startsWith("10.196.196.");
        }
    }
}
