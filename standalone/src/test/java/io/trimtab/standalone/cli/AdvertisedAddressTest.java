package io.trimtab.standalone.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.NetworkInterface;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which address a server publishes if nobody says. */
class AdvertisedAddressTest {
    @Test
    void givenAnAddressOfItsOwn_whenBound_thenThatIsPublished() {
        assertThat(ApiServerFlags.advertised("192.0.2.7")).isEqualTo("192.0.2.7");
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "0.0.0.0", "::"})
    void givenTheLoopbackOrAll_whenBound_thenAnAddressOfThisMachineIsPublished(String bound) throws Exception {
        String published = ApiServerFlags.advertised(bound);

        InetAddress address = InetAddress.getByName(published);
        assertThat(address.isAnyLocalAddress()).isFalse();
        assertThat(NetworkInterface.getByInetAddress(address)).isNotNull();
    }
}
