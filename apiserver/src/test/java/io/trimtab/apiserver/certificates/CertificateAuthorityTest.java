package io.trimtab.apiserver.certificates;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.internal.CertUtils;
import io.trimtab.runtime.VirtualDriver;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.interfaces.ECPrivateKey;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CertificateAuthorityTest {
    private final VirtualDriver driver = VirtualDriver.create();

    @Test
    void givenNoFiles_whenOpenedTwice_thenTheSecondFindsTheFirst(@TempDir Path directory) {
        CertificateAuthority first = CertificateAuthority.open(directory, driver);
        CertificateAuthority second = CertificateAuthority.open(directory, driver);

        assertThat(second.certificate()).isEqualTo(first.certificate());
        assertThat(second.certificate().getBasicConstraints()).isGreaterThanOrEqualTo(0);
    }

    @Test
    void givenKeys_whenWritten_thenOnlyTheOwnerMayReadThem(@TempDir Path directory) throws Exception {
        CertificateAuthority authority = CertificateAuthority.open(directory, driver);
        authority.openServer(directory, "apiserver", "kube-apiserver", List.of("localhost"));

        for (String file : List.of("ca.key", "apiserver.key")) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve(file))))
                    .isEqualTo("rw-------");
        }
    }

    @Test
    void givenAServerCertificate_whenRead_thenItNamesWhatClientsDial() throws Exception {
        Credential server = CertificateAuthority.create(driver)
                .issueServer("kube-apiserver", CertificateAuthority.serverNames("10.254.0.1", List.of("host.example")));

        assertThat(server.certificate().getSubjectAlternativeNames())
                .extracting(entry -> String.valueOf(entry.get(1)))
                .contains(
                        "localhost",
                        "kubernetes.default.svc.cluster.local",
                        "host.example",
                        "127.0.0.1",
                        "0:0:0:0:0:0:0:1",
                        "10.254.0.1");
        assertThat(server.certificate().getExtendedKeyUsage()).containsExactly("1.3.6.1.5.5.7.3.1");
    }

    @Test
    void givenAStoredCertificate_whenANameIsMissingOrItEndsSoon_thenItIsMadeAnew(@TempDir Path directory) {
        CertificateAuthority authority = CertificateAuthority.open(directory, driver);
        Credential first = authority.openServer(directory, "apiserver", "s", List.of("localhost", "::1"));

        Credential same = authority.openServer(directory, "apiserver", "s", List.of("localhost", "0:0:0:0:0:0:0:1"));
        Credential wider = authority.openServer(directory, "apiserver", "s", List.of("localhost", "other"));
        driver.advance(Duration.ofDays(340));
        Credential later = authority.openServer(directory, "apiserver", "s", List.of("localhost", "other"));

        assertThat(same.certificate()).isEqualTo(first.certificate());
        assertThat(wider.certificate()).isNotEqualTo(first.certificate());
        assertThat(later.certificate()).isNotEqualTo(wider.certificate());
    }

    @Test
    void givenAnotherAuthority_whenItsCertificateLiesThere_thenItIsReplaced(@TempDir Path directory) {
        Credential foreign =
                CertificateAuthority.create(driver).openServer(directory, "apiserver", "s", List.of("localhost"));

        Credential own =
                CertificateAuthority.create(driver).openServer(directory, "apiserver", "s", List.of("localhost"));

        assertThat(own.certificate()).isNotEqualTo(foreign.certificate());
    }

    @Test
    void givenPem_whenReadBack_thenKeysAndCertificatesAreTheSame() {
        Credential client = CertificateAuthority.create(driver).issueClient("jane", List.of("devs"));

        assertThat(Pem.certificates(client.chainPem())).isEqualTo(client.chain());
        assertThat(((ECPrivateKey) Pem.privateKey(client.privateKeyPem())).getS())
                .isEqualTo(((ECPrivateKey) client.privateKey()).getS());
        assertThat(Pem.privateKey(Pem.privateKey(client.privateKey()))).isEqualTo(client.privateKey());
        assertThat(Pem.publicKeys(Pem.publicKey(client.certificate().getPublicKey())))
                .containsExactly(client.certificate().getPublicKey());
        assertThatThrownBy(() -> Pem.certificates("nothing")).hasMessageContaining("no certificate found");
        assertThatThrownBy(() -> Pem.privateKey("nothing")).hasMessageContaining("no private key found");
    }

    @Test
    void givenAClient_whenItsKeyIsWritten_thenFabricsClientReadsItWithoutHelp() throws Exception {
        Credential client = CertificateAuthority.create(driver).issueClient("jane", List.of());
        String text = client.privateKeyPem();

        String algorithm = Config.getKeyAlgorithm(new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII)));
        KeyStore store = CertUtils.createKeyStore(
                new ByteArrayInputStream(client.certificatePem().getBytes(StandardCharsets.US_ASCII)),
                new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII)),
                algorithm,
                "changeit".toCharArray(),
                null,
                "changeit".toCharArray());

        assertThat(algorithm).isEqualTo("EC");
        String alias = store.aliases().nextElement();
        assertThat(((ECPrivateKey) store.getKey(alias, "changeit".toCharArray())).getS())
                .isEqualTo(((ECPrivateKey) client.privateKey()).getS());
    }

    @Test
    void givenAnRsaAuthorityOfSomebodyElse_whenItSigns_thenTheChainHolds() throws Exception {
        CertificateAuthority own = CertificateAuthority.create(driver);
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(1024);
        KeyPair rsa = generator.generateKeyPair();
        CertificateAuthority foreign = CertificateAuthority.of(own.certificate(), rsa.getPrivate(), driver);

        foreign.issueServer("s", List.of("localhost")).certificate().verify(rsa.getPublic());
        own.issueServer("s", List.of("a-name.that-is.long.enough.to-need.two.length-bytes.example.com"))
                .certificate()
                .verify(own.certificate().getPublicKey());
    }

    @Test
    void givenAnAuthority_whenItsLeavesAreRead_thenTheyNameItsKeyAndEndAfterAYear() {
        CertificateAuthority authority = CertificateAuthority.create(driver);
        var leaf = authority.issueClient("j\u00e4ne", List.of("a", "b")).certificate();

        byte[] subjectKey = authority.certificate().getExtensionValue("2.5.29.14");
        byte[] authorityKey = leaf.getExtensionValue("2.5.29.35");
        assertThat(java.util.Arrays.copyOfRange(authorityKey, 6, 26))
                .isEqualTo(java.util.Arrays.copyOfRange(subjectKey, 4, 24));
        assertThat(leaf.getSubjectX500Principal().getName()).isEqualTo("CN=j\u00e4ne,O=b,O=a");
        assertThat(leaf.getNotAfter().toInstant()).isEqualTo(driver.now().plus(Duration.ofDays(365)));
        assertThat(authority.certificate().getKeyUsage())
                .containsExactly(true, false, true, false, false, true, false, false, false);
    }
}
