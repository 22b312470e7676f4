package io.trimtab.controllers.nodeipam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class CidrSetTest {

    @Test
    void givenARange_whenTaken_thenEachPieceOnceAndFreedOnesLast() {
        CidrSet set = new CidrSet(Cidr.parse("10.0.0.0/22"), 24);

        assertThat(set.take()).hasToString("Optional[10.0.0.0/24]");
        assertThat(set.take()).hasToString("Optional[10.0.1.0/24]");
        set.release(Cidr.parse("10.0.0.0/24"));
        assertThat(set.take()).hasToString("Optional[10.0.2.0/24]");
        assertThat(set.take()).hasToString("Optional[10.0.3.0/24]");
        assertThat(set.take()).hasToString("Optional[10.0.0.0/24]");
        assertThat(set.take()).isEmpty();
    }

    @Test
    void givenWhatIsInUse_whenTaken_thenAllItOverlapsIsLeftOut() {
        CidrSet set = new CidrSet(Cidr.parse("10.0.0.0/22"), 24);
        set.occupy(Cidr.parse("10.0.0.0/23"));
        set.occupy(Cidr.parse("10.0.3.128/25"));
        set.occupy(Cidr.parse("192.168.0.0/16"));

        assertThat(set.take()).hasToString("Optional[10.0.2.0/24]");
        assertThat(set.take()).isEmpty();
    }

    @Test
    void givenIpv6_whenTaken_thenShortForm() {
        CidrSet set = new CidrSet(Cidr.parse("fd00:10:244::/56"), 64);

        assertThat(set.take()).hasToString("Optional[fd00:10:244::/64]");
        assertThat(set.take()).hasToString("Optional[fd00:10:244:1::/64]");
    }

    @Test
    void givenWhatIsNoRange_whenRead_thenRefused() {
        assertThatThrownBy(() -> Cidr.parse("10.0.0.0")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Cidr.parse("host/8")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new CidrSet(Cidr.parse("10.0.0.0/24"), 16))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
