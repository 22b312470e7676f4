package io.trimtab.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.webhook.ServingKeys.Lives;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ServingKeysTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final List<String> NAMES = List.of("hooks.default.svc", "127.0.0.1");
    private static final Lives LIVES = new Lives(Duration.ofDays(90), Duration.ofDays(9), Duration.ofHours(1));

    private static ServingKeys due(ServingKeys keys, Instant now) {
        return keys.due("hooks", NAMES, now, LIVES);
    }

    @Test
    void givenNewKeys_whenLookedAt_thenTheyAreForTheirNamesAndNothingIsDue() {
        ServingKeys keys = ServingKeys.create("hooks", NAMES, START, LIVES);

        assertThat(due(keys, START)).isSameAs(keys);
        assertThat(Certificates.namesOf(keys.server().certificate())).containsExactlyElementsOf(NAMES);
        assertThat(Certificates.isSignedBy(
                        keys.server().certificate(), keys.authority().certificate()))
                .isTrue();
        assertThat(keys.authority().certificate().getBasicConstraints()).isGreaterThanOrEqualTo(0);
        assertThat(keys.server().certificate().getBasicConstraints()).isEqualTo(-1);
    }

    @Test
    void givenKeys_whenWrittenToASecretAndRead_thenTheyAreTheSame() {
        ServingKeys keys = due(ServingKeys.create("hooks", NAMES, START, LIVES), START.plus(Duration.ofDays(61)));
        assertThat(keys.next()).isNotNull();

        ServingKeys read = ServingKeys.of(keys.toData());

        assertThat(read.toData()).isEqualTo(keys.toData());
        assertThat(read.trusted()).isEqualTo(keys.trusted()).hasSize(2);
    }

    @Test
    void givenASecretWithSomethingMissing_whenRead_thenItSaysWhat() {
        Map<String, String> data =
                new HashMap<>(ServingKeys.create("hooks", NAMES, START, LIVES).toData());
        data.remove("tls.key");

        assertThatThrownBy(() -> ServingKeys.of(data)).hasMessageContaining("tls.key");
    }

    @Test
    void givenAnotherName_whenLookedAt_thenTheCertificateIsIssuedAnewByTheSameAuthority() {
        ServingKeys keys = ServingKeys.create("hooks", NAMES, START, LIVES);

        ServingKeys more = keys.due("hooks", List.of("other.default.svc"), START, LIVES);

        assertThat(Certificates.namesOf(more.server().certificate())).containsExactly("other.default.svc");
        assertThat(more.trusted()).isEqualTo(keys.trusted());
    }

    /** A year, every half hour; replicas that show what was served up to a day ago are still trusted. */
    @Test
    void givenAYear_whenLookedAtNowAndThen_thenWhatIsServedIsAlwaysValidAndTrustedBeforeItIsServed() {
        ServingKeys keys = ServingKeys.create("hooks", NAMES, START, LIVES);
        Deque<X509Certificate> served = new ArrayDeque<>();
        int servers = 0;
        int authorities = 0;
        List<X509Certificate> trustedBefore = keys.trusted();
        for (Instant now = START;
                now.isBefore(START.plus(Duration.ofDays(365)));
                now = now.plus(Duration.ofMinutes(30))) {
            ServingKeys next = due(keys, now);
            if (!next.server().equals(keys.server())) {
                servers++;
                X509Certificate fresh = next.server().certificate();
                assertThat(trustedBefore)
                        .as("trusted before it is served")
                        .anyMatch(authority -> Certificates.isSignedBy(fresh, authority));
            }
            if (!next.authority().equals(keys.authority())) {
                authorities++;
            }
            trustedBefore = next.trusted();
            keys = next;
            assertThat(keys.server().certificate().getNotAfter().toInstant()).isAfter(now.plus(Duration.ofDays(2)));
            served.addLast(keys.server().certificate());
            if (served.size() > 48) {
                served.removeFirst();
            }
            if (now.getEpochSecond() % 86400 == 0) {
                List<X509Certificate> trusted = keys.trusted();
                assertThat(served)
                        .allMatch(
                                certificate -> trusted.stream().anyMatch(a -> Certificates.isSignedBy(certificate, a)));
                assertThat(trusted).hasSizeLessThanOrEqualTo(3);
            }
        }
        assertThat(servers).isBetween(50, 80);
        assertThat(authorities).isBetween(5, 6);
    }

    @Test
    void givenAProgramThatWasAwayForYears_whenItComesBack_thenAllIsMadeAnew() {
        ServingKeys keys = ServingKeys.create("hooks", NAMES, START, LIVES);

        ServingKeys later = due(keys, START.plus(Duration.ofDays(1000)));

        assertThat(later.authority()).isNotEqualTo(keys.authority());
        assertThat(later.trusted()).containsExactly(later.authority().certificate());
    }
}
