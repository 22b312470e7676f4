package io.trimtab.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.KeyStore;
import java.time.Instant;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;

class HttpsPortTest {
    private static final List<String> NAMES = List.of("hooks.default.svc", "localhost", "127.0.0.1");

    private static HttpClient trusting(ServingKeys keys) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        for (int i = 0; i < keys.trusted().size(); i++) {
            store.setCertificateEntry("ca" + i, keys.trusted().get(i));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(null, trust.getTrustManagers(), null);
        return HttpClient.newBuilder().sslContext(tls).build();
    }

    private static HttpResponse<String> post(HttpClient client, int port) throws Exception {
        return client.send(
                HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + port + "/validate--v1-configmap?timeout=5s"))
                        .POST(HttpRequest.BodyPublishers.ofString("{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":"
                                + "\"AdmissionReview\",\"request\":{\"uid\":\"u\",\"operation\":\"CREATE\",\"object\":"
                                + "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}}}"))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void givenAPort_whenTheAuthorityChanges_thenThoseWhoTrustTheNewOneAreAnsweredWithoutARestart() throws Exception {
        Webhooks webhooks = Webhooks.named("hooks")
                .validating(ConfigMap.class, admission -> Verdict.deny("no"))
                .build();
        ServingKeys first = ServingKeys.create("hooks", NAMES, Instant.now(), ServingKeys.Lives.DEFAULT);
        ServingKeys second = ServingKeys.create("hooks", NAMES, Instant.now(), ServingKeys.Lives.DEFAULT);
        try (Driver driver = RealDriver.create();
                HttpsPort port = HttpsPort.open("127.0.0.1", 0, webhooks, first, driver)) {
            HttpResponse<String> answer = post(trusting(first), port.port());
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.body()).contains("\"allowed\":false").contains("\"message\":\"no\"");

            port.show(second);

            assertThat(post(trusting(second), port.port()).statusCode()).isEqualTo(200);
        }
    }
}
