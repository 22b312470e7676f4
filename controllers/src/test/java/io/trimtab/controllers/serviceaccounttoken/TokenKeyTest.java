package io.trimtab.controllers.serviceaccounttoken;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.util.Arrays;
import java.util.Base64;
import org.junit.jupiter.api.Test;

class TokenKeyTest {
    @Test
    void givenAKeyOfEachSort_whenATokenIsSigned_thenItsPublicHalfSaysSo() throws Exception {
        verifies("RSA", 1024, "RS256", "SHA256withRSA");
        verifies("EC", 256, "ES256", "SHA256withECDSAinP1363Format");
        verifies("EC", 384, "ES384", "SHA384withECDSAinP1363Format");
        verifies("EC", 521, "ES512", "SHA512withECDSAinP1363Format");
    }

    @Test
    void givenAnEllipticKeyInTheFormOfOpenSsl_whenATokenIsSigned_thenItIsReadToo() {
        String pem = """
                -----BEGIN EC PARAMETERS-----
                BggqhkjOPQMBBw==
                -----END EC PARAMETERS-----
                -----BEGIN EC PRIVATE KEY-----
                MHcCAQEEIHbd5qNrlTJwthoQJcQepxdtbe59svLWgrm73RC60dvcoAoGCCqGSM49
                AwEHoUQDQgAEh9AQy/ErwYDyPGxyIl4nijrAbjglQyf1AsZmpd1++SAD42cjvljm
                s/qbNwZBimgiEq5OaDSasZj+JbaomFRqfw==
                -----END EC PRIVATE KEY-----
                """;
        assertThat(header(token(TokenKey.fromPem(pem)))).contains("ES256");
    }

    @Test
    void givenWhatIsNoKey_whenRead_thenRefused() {
        assertThatThrownBy(() -> TokenKey.fromPem("nothing"))
                .hasMessageStartingWith("not a private RSA or EC key in PEM form");
    }

    private static void verifies(String kind, int bits, String algorithm, String signature) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(kind);
        generator.initialize(bits);
        KeyPair pair = generator.generateKeyPair();
        String pem = "-----BEGIN PRIVATE KEY-----\n"
                + Base64.getMimeEncoder().encodeToString(pair.getPrivate().getEncoded())
                + "\n-----END PRIVATE KEY-----\n";

        String token = token(TokenKey.fromPem(pem));

        assertThat(header(token)).isEqualTo("{\"alg\":\"" + algorithm + "\",\"typ\":\"JWT\"}");
        Signature verifier = Signature.getInstance(signature);
        verifier.initVerify(pair.getPublic());
        verifier.update(token.substring(0, token.lastIndexOf('.')).getBytes(StandardCharsets.US_ASCII));
        assertThat(verifier.verify(Base64.getUrlDecoder().decode(token.substring(token.lastIndexOf('.') + 1))))
                .isTrue();
    }

    private static String header(String token) {
        return new String(
                Base64.getUrlDecoder().decode(Arrays.asList(token.split("\\.")).get(0)), StandardCharsets.UTF_8);
    }

    private static String token(TokenKey key) {
        return key.sign(
                new ServiceAccountBuilder()
                        .withNewMetadata()
                        .withNamespace("a")
                        .withName("b")
                        .withUid("c")
                        .endMetadata()
                        .build(),
                new SecretBuilder()
                        .withNewMetadata()
                        .withName("d")
                        .endMetadata()
                        .build());
    }
}
