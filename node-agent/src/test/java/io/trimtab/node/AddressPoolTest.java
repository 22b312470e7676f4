package io.trimtab.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AddressPoolTest {

    @Test
    void givenARange_whenAllIsTaken_thenEachAddressComesOnce_andNeitherNetworkNorGatewayNorBroadcast() {
        AddressPool pool = new AddressPool("172.16.3.0/28");
        Set<String> taken = new HashSet<>();
        for (String address = pool.take(); address != null; address = pool.take()) {
            assertThat(taken.add(address)).as(address).isTrue();
        }
        assertThat(taken).hasSize(13).doesNotContain("172.16.3.0", "172.16.3.1", "172.16.3.15");
    }

    @Test
    void givenAnAddressThatWasGivenBack_whenOthersAreFree_thenItIsNotTakenAgainAtOnce() {
        AddressPool pool = new AddressPool("172.16.3.0/24");
        String first = pool.take();
        assertThat(first).isEqualTo("172.16.3.2");
        pool.release(first);
        assertThat(pool.take()).isEqualTo("172.16.3.3");
    }

    @Test
    void givenAnAddressThatAPodHasAlready_whenItIsReserved_thenNobodyElseGetsIt() {
        AddressPool pool = new AddressPool("172.16.3.0/24");
        pool.reserve("172.16.3.2");
        pool.reserve("10.0.0.1");
        pool.reserve("fd00::1");
        assertThat(pool.take()).isEqualTo("172.16.3.3");
    }
}
