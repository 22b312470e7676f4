package io.trimtab.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class HealthTest {
    @Test
    void givenChecks_whenOneFails_thenTheAnswerNamesItAndLivenessIsItsOwn() {
        Health health = new Health()
                .live("loop", Optional::empty)
                .ready("caches", () -> Optional.of("pods is not synced"))
                .ready("broken", () -> {
                    throw new IllegalStateException("boom");
                });

        assertThat(health.answer("/livez", false)).isEqualTo(new Health.Answer(200, "ok"));
        assertThat(health.answer("/healthz", true).text()).isEqualTo("[+]ping ok\n[+]loop ok\nhealthz check passed\n");
        Health.Answer ready = health.answer("/readyz", false);
        assertThat(ready.code()).isEqualTo(500);
        assertThat(ready.text())
                .isEqualTo("[+]ping ok\n[+]loop ok\n[-]broken failed: boom\n[-]caches failed: pods is not synced\n"
                        + "readyz check failed\n");
        assertThat(health.isReady()).isFalse();
        assertThat(health.answer("/readyz/loop", false).code()).isEqualTo(200);
        assertThat(health.answer("/readyz/caches", false).code()).isEqualTo(500);
        assertThat(health.answer("/readyz/unknown", false).code()).isEqualTo(404);
        assertThat(health.answer("/elsewhere", false).code()).isEqualTo(404);
    }

    @Test
    void givenAPort_whenAsked_thenItTellsHealthAndMetrics() throws Exception {
        try (Driver driver = RealDriver.create();
                HealthPort port = HealthPort.open("127.0.0.1", 0, new Health(), () -> "a_total 1\n", driver)) {
            assertThat(get(port, "/readyz?verbose")).isEqualTo("[+]ping ok\nreadyz check passed\n");
            assertThat(get(port, "/metrics")).isEqualTo("a_total 1\n");
        }
    }

    private static String get(HealthPort port, String path) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port.port() + path))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
    }
}
