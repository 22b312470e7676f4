package io.trimtab.standalone.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.apiserver.certificates.CertificateAuthority;
import io.trimtab.apiserver.certificates.Credential;
import io.trimtab.runtime.RealDriver;
import io.trimtab.standalone.AccessOptions;
import io.trimtab.standalone.AccessOptions.NamedCertificate;
import io.trimtab.standalone.ApiServerInstance;
import io.trimtab.standalone.ApiServerOptions;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which certificate a server shows to whom, whom it believes, and that both follow their files; over real sockets. */
class ServingCertificatesTest {
    @TempDir
    Path directory;

    private Path write(String name, String text) throws Exception {
        return Files.writeString(directory.resolve(name), text);
    }

    private void certificate(CertificateAuthority authority, String file, String commonName, List<String> names)
            throws Exception {
        Credential credential = authority.issueServer(commonName, names);
        write(file + ".key", credential.privateKeyPem());
        write(file + ".crt", credential.chainPem());
    }

    private NamedCertificate named(String file, String... names) {
        return new NamedCertificate(directory.resolve(file + ".crt"), directory.resolve(file + ".key"), List.of(names));
    }

    @Test
    void givenCertificatesForNames_whenClientsAskForThem_thenEachSeesItsOwn_andFilesAreFollowed() throws Exception {
        try (RealDriver driver = RealDriver.create()) {
            CertificateAuthority authority = CertificateAuthority.create(driver);
            certificate(authority, "first", "first", List.of("localhost"));
            certificate(authority, "shop", "shop.example", List.of("shop.example", "*.shop.example"));
            certificate(authority, "said", "said", List.of("other"));
            CertificateAuthority clients = CertificateAuthority.create(driver);
            CertificateAuthority later = CertificateAuthority.create(driver);
            write("clients.crt", clients.certificatePem());
            ApiServerOptions plain = ApiServerOptions.IN_MEMORY;
            ApiServerOptions options = new ApiServerOptions(
                    plain.store(),
                    null,
                    "127.0.0.1",
                    0,
                    -1,
                    "127.0.0.1",
                    plain.serviceCidr(),
                    plain.nodePortRange(),
                    null,
                    directory.resolve("clients.crt"),
                    directory.resolve("first.crt"),
                    directory.resolve("first.key"),
                    plain.authorizationModes(),
                    plain.enabledAdmission(),
                    plain.disabledAdmission(),
                    plain.serviceAccountIssuer(),
                    true,
                    plain.storage(),
                    plain.extensions(),
                    plain.protection(),
                    new AccessOptions(
                            null,
                            null,
                            false,
                            null,
                            List.of(named("shop"), named("said", "said.example", "b.shop.example"))));
            try (ApiServerInstance server = ApiServerInstance.start(options, driver)) {
                int port = server.securePort();
                assertThat(shown(port, null)).isEqualTo("CN=first");
                assertThat(shown(port, "unknown.example")).isEqualTo("CN=first");
                assertThat(shown(port, "shop.example")).isEqualTo("CN=shop.example");
                assertThat(shown(port, "a.shop.example")).isEqualTo("CN=shop.example");
                assertThat(shown(port, "a.b.shop.example")).isEqualTo("CN=first");
                assertThat(shown(port, "b.shop.example"))
                        .as("what is said goes before what is found")
                        .isEqualTo("CN=said");
                assertThat(shown(port, "other")).isEqualTo("CN=first");

                Credential early = clients.issueClient("jane", List.of());
                Credential late = later.issueClient("joe", List.of());
                assertThat(status(port, early)).isEqualTo(403);
                assertThat(status(port, late)).isEqualTo(401);

                write("clients.crt", later.certificatePem());
                certificate(authority, "first", "renewed", List.of("localhost"));
                await(() -> shown(port, null).equals("CN=renewed") && status(port, late) == 403);

                assertThat(status(port, early))
                        .as("whose authority is gone is nobody")
                        .isEqualTo(401);
                write("first.crt", "rubbish");
                write("clients.crt", "rubbish");
                driver.await(
                        new java.util.concurrent.CompletableFuture<Void>()
                                .completeOnTimeout(null, 2, java.util.concurrent.TimeUnit.SECONDS),
                        Duration.ofSeconds(5));
                assertThat(shown(port, null)).isEqualTo("CN=renewed");
                assertThat(status(port, late)).isEqualTo(403);
            }
        }
    }

    private static void await(BooleanSupplier condition) throws Exception {
        for (int i = 0; i < 150 && !condition.getAsBoolean(); i++) {
            Thread.sleep(100);
        }
        assertThat(condition.getAsBoolean()).isTrue();
    }

    private static String shown(int port, @Nullable String name) {
        try (SSLSocket socket = open(port, name, null)) {
            return ((X509Certificate) socket.getSession().getPeerCertificates()[0])
                    .getSubjectX500Principal()
                    .getName();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static int status(int port, Credential client) {
        try (SSLSocket socket = open(port, null, client)) {
            socket.getOutputStream()
                    .write("GET /api/v1/namespaces/default/secrets HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            InputStream in = socket.getInputStream();
            String line = new String(in.readNBytes(12), StandardCharsets.US_ASCII);
            return Integer.parseInt(line.substring(9));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static SSLSocket open(int port, @Nullable String name, @Nullable Credential client) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        KeyStore own = KeyStore.getInstance(KeyStore.getDefaultType());
        own.load(null, null);
        if (client != null) {
            own.setKeyEntry("me", client.privateKey(), new char[0], new Certificate[] {client.certificate()});
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, new char[0]);
        context.init(keys.getKeyManagers(), new TrustManager[] {new Anybody()}, null);
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port);
        if (name != null) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName(name)));
            socket.setSSLParameters(parameters);
        }
        socket.startHandshake();
        return socket;
    }

    private static final class Anybody implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
