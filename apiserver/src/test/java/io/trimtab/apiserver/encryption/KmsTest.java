package io.trimtab.apiserver.encryption;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.apiserver.store.StoreException;
import io.trimtab.runtime.VirtualDriver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Envelopes, with a plugin behind a real Unix socket, in virtual time. */
class KmsTest {
    private static final String HEAD = "kind: EncryptionConfiguration\napiVersion: apiserver.config.k8s.io/v1\n";
    private static final String KEY = "/registry/secrets/shop/db";
    private static final byte[] PLAIN = "top secret".getBytes(StandardCharsets.UTF_8);

    @TempDir
    Path directory;

    private final VirtualDriver driver = VirtualDriver.create();
    private KmsPlugin plugin;

    @BeforeEach
    void start() throws IOException {
        plugin = new KmsPlugin(directory.resolve("kms.sock"));
    }

    @AfterEach
    void stop() throws IOException {
        plugin.close();
        driver.close();
    }

    private String config(String more) {
        return HEAD
                + "resources: [{resources: [secrets], providers: [{kms: {name: vault, apiVersion: v2, endpoint: 'unix://"
                + directory.resolve("kms.sock") + "'}}" + more + "]}]";
    }

    private Encryption encryption() {
        return Encryption.parse(config(""), Encryption.unixSockets(), driver);
    }

    @Test
    void givenAValue_whenSealedAndOpenedByAnotherServer_thenItIsAsKubernetesWritesIt() {
        Encryption one = encryption();
        byte[] sealed = one.seal(KEY, PLAIN);

        String text = new String(sealed, StandardCharsets.ISO_8859_1);
        assertThat(text).startsWith("k8s:enc:kms:v2:vault:").doesNotContain("top secret");
        int prefix = "k8s:enc:kms:v2:vault:".length();
        Wire.Message object = Wire.read(java.util.Arrays.copyOfRange(sealed, prefix, sealed.length), 4);
        assertThat(object.text(2)).isEqualTo("key-1");
        assertThat(object.number(5)).isEqualTo(1);
        assertThat(object.map(4)).containsOnlyKeys("version.example.com");
        assertThat(object.bytes(1)).hasSize(32 + 12 + PLAIN.length + 16);

        Encryption other = encryption();
        assertThat(other.open(KEY, sealed)).isEqualTo(PLAIN);
        assertThat(other.open(KEY, sealed)).isEqualTo(PLAIN);
        assertThat(plugin.opened).hasValue(1);
        assertThatThrownBy(() -> other.open("/registry/secrets/bank/db", sealed))
                .isInstanceOf(StoreException.class);
    }

    @Test
    void givenAValueOfBefore_whenItHasTheOlderSortOfKey_thenItIsReadAndStale() {
        byte[] key = new byte[32];
        byte[] data = Transformers.aesGcm("x", key).seal(PLAIN, KEY.getBytes(StandardCharsets.UTF_8));
        byte[] body = new Wire.Writer()
                .bytes(1, data)
                .text(2, "key-1")
                .bytes(3, KmsPlugin.turned(key))
                .map(4, Map.of("version.example.com", new byte[] {1}))
                .done();
        byte[] prefix = "k8s:enc:kms:v2:vault:".getBytes(StandardCharsets.US_ASCII);
        byte[] stored = java.util.Arrays.copyOf(prefix, prefix.length + body.length);
        System.arraycopy(body, 0, stored, prefix.length, body.length);
        Encryption encryption = encryption();

        assertThat(encryption.open(KEY, stored)).isEqualTo(PLAIN);
        assertThat(encryption.isStale(KEY)).isTrue();
        encryption.seal(KEY, PLAIN);
        assertThat(encryption.isStale(KEY)).isFalse();
    }

    @Test
    void givenThePluginChangesItsKey_whenItIsAskedAgain_thenWhatWasWrittenBeforeIsStale() {
        Encryption encryption = encryption();
        byte[] old = encryption.seal(KEY, PLAIN);
        assertThat(encryption.isStale(KEY)).isFalse();

        plugin.keyId = "key-2";
        driver.advance(Duration.ofSeconds(61));

        assertThat(encryption.isStale(KEY)).isTrue();
        assertThat(encryption.open(KEY, old)).isEqualTo(PLAIN);
        byte[] fresh = encryption.seal(KEY, PLAIN);
        assertThat(new String(fresh, StandardCharsets.ISO_8859_1)).contains("key-2");
        assertThat(encryption.isStale(KEY)).isFalse();
    }

    @Test
    void givenThePluginIsGone_whenThreeMinutesHavePassed_thenNothingIsWrittenButTheKnownIsRead() throws IOException {
        Encryption encryption = encryption();
        byte[] sealed = encryption.seal(KEY, PLAIN);
        assertThat(encryption.problem()).isNull();

        plugin.close();
        java.nio.file.Files.deleteIfExists(directory.resolve("kms.sock"));
        driver.advance(Duration.ofMinutes(2));
        assertThat(encryption.problem())
                .contains("failed to perform status section of the healthz check for KMS Provider vault");
        encryption.seal(KEY, PLAIN);
        driver.advance(Duration.ofMinutes(3));

        assertThatThrownBy(() -> encryption.seal(KEY, PLAIN)).hasMessageContaining("expired at");
        assertThat(encryption.open(KEY, sealed)).isEqualTo(PLAIN);

        plugin = new KmsPlugin(directory.resolve("kms.sock"));
        driver.advance(Duration.ofSeconds(11));
        assertThat(encryption.problem()).isNull();
        encryption.seal(KEY, PLAIN);
    }

    @Test
    void givenAPluginThatIsNotWell_whenAsked_thenThatIsSaid() {
        plugin.health = "tired";
        assertThat(encryption().problem())
                .isEqualTo("kmsv2 Provider vault is not healthy, error: got unexpected healthz status: tired");
    }

    @Test
    void givenTheConfigurationChanges_whenItIsExchanged_thenTheNewProviderWritesAndAllElseIsStale() {
        Encryption encryption = encryption();
        byte[] old = encryption.seal(KEY, PLAIN);

        encryption.exchange(
                config("").replace("providers: [", "providers: [{identity: {}}, "), Encryption.unixSockets(), driver);

        assertThat(encryption.isStale(KEY)).isTrue();
        assertThat(encryption.open(KEY, old)).isEqualTo(PLAIN);
        assertThat(encryption.seal(KEY, PLAIN)).isEqualTo(PLAIN);
        assertThat(encryption.isStale(KEY)).isFalse();
        assertThatThrownBy(() -> encryption.exchange("rubbish", null, null))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(encryption.open(KEY, PLAIN)).isEqualTo(PLAIN);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{apiVersion: v2, endpoint: 'unix:///a'} | resources[0].providers[0].kms.name: Required value: name is a mandatory field for a provider",
                "{name: 'a:b', apiVersion: v2, endpoint: 'unix:///a'} | resources[0].providers[0].kms.name: Invalid value: \"a:b\": invalid KMS provider name a:b, must not contain ':'",
                "{name: a, apiVersion: v2, endpoint: 'tcp://a'} | resources[0].providers[0].kms.endpoint: Invalid value: \"tcp://a\": unsupported scheme \"tcp\" for KMS provider, only unix is supported",
                "{name: a, apiVersion: v2} | resources[0].providers[0].kms.endpoint: Invalid value: \"\": endpoint is a mandatory field for a kms",
                "{name: a, apiVersion: v2, cachesize: 5, endpoint: 'unix:///a'} | resources[0].providers[0].kms.cachesize: Invalid value: 5: cachesize is not supported in v2",
                "{name: a, endpoint: 'unix:///a'} | error while building transformers: KMSv1 is deprecated",
            })
    void givenAConfigurationThatIsNone_whenRead_thenItSaysWhy(String kms, String message) {
        assertThatThrownBy(() -> Encryption.parse(
                        HEAD + "resources: [{resources: [secrets], providers: [{kms: " + kms + "}]}]",
                        Encryption.unixSockets(),
                        driver))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }
}
