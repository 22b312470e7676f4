package io.trimtab.apiserver.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.trimtab.apiserver.admission.AdmissionPlugin.Attributes;
import io.trimtab.apiserver.admission.AdmissionPlugin.Operation;
import io.trimtab.apiserver.auth.SecurityFixture;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.RequestTrail;
import io.trimtab.apiserver.resource.WriteContext;
import java.time.Duration;
import java.util.ArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EventRateLimitTest {
    private final SecurityFixture cluster = new SecurityFixture();

    @AfterEach
    void close() {
        cluster.close();
    }

    private void send(EventRateLimit plugin, String user, String namespace, String name, boolean dryRun) {
        ApiResource events = AdmissionFixture.RESOURCES.find("", "v1", "events").resource();
        plugin.validate(new Attributes(
                Operation.CREATE,
                SecurityFixture.yaml(
                        "metadata: {name: e}\nsource: {component: c}\ninvolvedObject: {kind: Pod, name: " + name + "}"),
                null,
                JsonNodeFactory.instance.objectNode(),
                new WriteContext(
                        events,
                        "",
                        namespace,
                        "e",
                        dryRun,
                        UserInfo.of(user),
                        cluster.storage,
                        cluster.driver,
                        new ArrayList<>(),
                        RequestTrail.none())));
    }

    @ParameterizedTest
    @CsvSource({
        "Server, bob, a, p, eve, b, q, false, ''",
        "Namespace, bob, a, p, eve, a, q, false, a",
        "Namespace, bob, a, p, eve, b, q, true, ''",
        "User, bob, a, p, bob, b, q, false, bob",
        "User, bob, a, p, eve, a, p, true, ''",
        "SourceAndObject, bob, a, p, eve, b, p, false, cPodp",
        "SourceAndObject, bob, a, p, bob, a, q, true, ''",
    })
    void givenALimit_whenItIsReached_thenTheNextOfThatKeyIsTurnedAway(
            String type,
            String user,
            String namespace,
            String name,
            String nextUser,
            String nextNamespace,
            String nextName,
            boolean passes,
            String key) {
        EventRateLimit plugin = EventRateLimit.parse("limits: [{type: " + type + ", qps: 1, burst: 2}]");
        send(plugin, user, namespace, name, false);
        send(plugin, user, namespace, name, false);
        send(plugin, user, namespace, name, true); // costs nothing

        if (passes) {
            send(plugin, nextUser, nextNamespace, nextName, false);
            return;
        }
        assertThatThrownBy(() -> send(plugin, nextUser, nextNamespace, nextName, false))
                .isInstanceOfSatisfying(StatusException.class, e -> {
                    assertThat(e.code()).isEqualTo(429);
                    assertThat(e).hasMessage("limit reached on type " + type + " for key " + key);
                });
        cluster.driver.advance(Duration.ofSeconds(1));
        send(plugin, nextUser, nextNamespace, nextName, false);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | limits: Invalid value: null: must not be empty",
                "limits: [{type: Server, qps: 0, burst: 1}] | limits[0].qps: Invalid value: 0: must be positive",
                "limits: [{type: Server, qps: 1}] | limits[0].burst: Invalid value: 0: must be positive",
                "limits: [{type: X, qps: 1, burst: 1}] | limits[0].type: Unsupported value: \"X\"",
                "limits: [{type: User, qps: 1, burst: 1, cacheSize: -1}] | limits[0].cacheSize: Invalid value: -1: must not be negative",
            })
    void givenABrokenConfiguration_whenRead_thenTheMistakeIsNamed(String text, String message) {
        assertThatThrownBy(() -> EventRateLimit.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }
}
