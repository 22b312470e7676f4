package io.trimtab.apiserver.allocation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.runtime.VirtualDriver;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AllocatorTest {
    private final VirtualDriver driver = VirtualDriver.create();
    private final Storage storage = new DefaultStorage(MemoryStore.create(), driver, resource -> Map.of());

    @Test
    void givenALargeRange_whenAddressesArePicked_thenTheBottomIsLeftAlone() throws AllocationException {
        ClusterIpAllocator allocator = new ClusterIpAllocator("10.254.0.0/16");

        for (int i = 0; i < 200; i++) {
            String address = allocator.allocateNext("ns", "svc-" + i, storage, driver);

            String[] parts = address.split("\\.");
            int offset = Integer.parseInt(parts[2]) * 256 + Integer.parseInt(parts[3]);
            assertThat(offset).isBetween(257, 65534);
        }
    }

    @Test
    void givenATinyRange_whenItIsUsedUp_thenEveryAddressWasGivenOnceAndTheNextFails() throws AllocationException {
        ClusterIpAllocator allocator = new ClusterIpAllocator("10.0.0.0/27");
        Set<String> given = new HashSet<>();

        for (int i = 0; i < 30; i++) {
            given.add(allocator.allocateNext("ns", "svc-" + i, storage, driver));
        }

        assertThat(given).hasSize(30).doesNotContain("10.0.0.0", "10.0.0.31");
        assertThatThrownBy(() -> allocator.allocateNext("ns", "more", storage, driver))
                .isInstanceOf(AllocationException.class)
                .hasMessage("range is full");
    }

    @Test
    void givenTwoServersOnOneStore_whenBothTakeAnAddress_thenOnlyOneGetsIt() throws AllocationException {
        ClusterIpAllocator one = new ClusterIpAllocator("10.254.0.0/16");
        ClusterIpAllocator other = new ClusterIpAllocator("10.254.0.0/16");

        one.allocate("10.254.0.9", "ns", "a", storage, driver);

        assertThatThrownBy(() -> other.allocate("10.254.0.9", "ns", "b", storage, driver))
                .hasMessage("provided IP is already allocated");
        other.release("10.254.0.9", "ns", "b", storage);
        assertThatThrownBy(() -> other.allocate("10.254.0.9", "ns", "b", storage, driver))
                .hasMessage("provided IP is already allocated");
        one.release("10.254.0.9", "ns", "a", storage);
        other.allocate("10.254.0.9", "ns", "b", storage, driver);
    }

    @Test
    void givenAnAddressOutside_whenItIsAskedFor_thenItIsRefused() {
        ClusterIpAllocator allocator = new ClusterIpAllocator("10.254.0.0/16");

        for (String address : Set.of("10.97.0.1", "10.254.0.0", "10.254.255.255", "::1")) {
            assertThatThrownBy(() -> allocator.allocate(address, "ns", "a", storage, driver))
                    .hasMessage("the provided network does not match the current range");
        }
    }

    @Test
    void givenAnAddress_whenItIsTaken_thenAnIpAddressStandsForIt() throws Exception {
        ClusterIpAllocator allocator = new ClusterIpAllocator("10.254.0.0/16");

        allocator.allocate("10.254.0.9", "ns", "web", storage, driver);

        ObjectNode object = storage.get(CoreResources.IP_ADDRESSES, null, "10.254.0.9")
                .orElseThrow()
                .tree();
        assertThat(object.get("spec"))
                .isEqualTo(new ObjectMapper()
                        .readTree("{\"parentRef\":{\"resource\":\"services\",\"namespace\":\"ns\",\"name\":\"web\"}}"));
        assertThat(object.at("/metadata/labels/ipaddress.kubernetes.io~1ip-family")
                        .asText())
                .isEqualTo("IPv4");
    }

    @Test
    void givenServicesInTheStore_whenAServerStarts_thenMissingAddressesAreMade() throws Exception {
        storage.create(CoreResources.SERVICES, (ObjectNode) new ObjectMapper()
                .readTree(
                        "{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\","
                                + "\"uid\":\"u\"},\"spec\":{\"clusterIP\":\"10.254.3.4\",\"clusterIPs\":[\"10.254.3.4\"],"
                                + "\"ports\":[{\"nodePort\":30100}]}}"));
        ClusterIpAllocator allocator = new ClusterIpAllocator("10.254.0.0/16");

        allocator.repair(storage, driver);

        assertThat(storage.get(CoreResources.IP_ADDRESSES, null, "10.254.3.4")).isPresent();
        assertThat(storage.get(CoreResources.SERVICE_CIDRS, null, "kubernetes")).isPresent();
        assertThatThrownBy(() -> new NodePortAllocator("30000-32767").allocate(30100, storage, driver))
                .hasMessage("provided port is already allocated");
    }

    @Test
    void givenNodePorts_whenTheyArePicked_thenTheBottomIsLeftAloneUntilTheRestIsGone() throws AllocationException {
        NodePortAllocator allocator = new NodePortAllocator("30000-30099");
        Set<Integer> given = new HashSet<>();

        for (int i = 0; i < 84; i++) {
            int port = allocator.allocateNext(storage, driver);
            assertThat(port).isBetween(30016, 30099);
            given.add(port);
        }
        for (int i = 0; i < 16; i++) {
            given.add(allocator.allocateNext(storage, driver));
        }

        assertThat(given).hasSize(100);
        assertThatThrownBy(() -> allocator.allocateNext(storage, driver)).hasMessage("range is full");
        allocator.release(30050, storage);
        assertThat(allocator.allocateNext(storage, driver)).isEqualTo(30050);
    }

    @Test
    void givenAPortOutside_whenItIsAskedFor_thenTheRangeIsTold() {
        assertThatThrownBy(() -> new NodePortAllocator("30000-32767").allocate(80, storage, driver))
                .hasMessage("provided port is not in the valid range. The range of valid ports is 30000-32767");
    }
}
