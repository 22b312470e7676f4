package io.trimtab.apiserver.encryption;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.apiserver.store.Store;
import io.trimtab.apiserver.store.StoreException;
import io.trimtab.runtime.VirtualDriver;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EncryptionTest {
    private static final String HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n";
    private static final String K1 = java.util.Base64.getEncoder()
            .encodeToString("0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII));
    private static final String K2 = java.util.Base64.getEncoder()
            .encodeToString("fedcba9876543210fedcba9876543210".getBytes(StandardCharsets.US_ASCII));
    private static final String KEY = "/registry/secrets/shop/s";

    private final VirtualDriver driver = VirtualDriver.create();
    private final MemoryStore disk = MemoryStore.create();

    @AfterEach
    void close() {
        disk.close();
        driver.close();
    }

    private static Encryption encryption(String... providers) {
        return Encryption.parse(
                HEAD + "resources: [{resources: [secrets], providers: [" + String.join(", ", providers) + "]}]");
    }

    private static String provider(String kind, String name, String secret) {
        return "{" + kind + ": {keys: [{name: " + name + ", secret: " + secret + "}]}}";
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(strings = {"aesgcm", "aescbc", "secretbox"})
    void givenAProvider_whenAValueIsSealed_thenItHasKubernetesPrefixAndOpensAgain(String kind) {
        Encryption encryption = encryption(provider(kind, "key1", K1));

        byte[] sealed = encryption.seal(KEY, bytes("the value"));
        byte[] again = encryption.seal(KEY, bytes("the value"));

        assertThat(text(sealed)).startsWith("k8s:enc:" + kind + ":v1:key1:").doesNotContain("the value");
        assertThat(sealed).isNotEqualTo(again);
        assertThat(text(encryption.open(KEY, sealed))).isEqualTo("the value");
        assertThat(encryption.isStale(KEY)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "/registry/masterleases/10.0.0.1, false",
        "/registry/ranges/serviceips, false",
        "/registry/ranges/servicenodeports, false",
        "/registry/peerserverleases/apiserver-1, false",
        "/registry/leases/kube-system/apiserver-1, true",
        "/registry/services/specs/shop/web, true",
        "/registry/services/endpoints/default/kubernetes, true",
        "/registry/minions/node-1, true",
        "/registry/apiregistration.k8s.io/apiservices/v1., true",
        "/registry/example.com/widgets/shop/w, true",
        "/registry/example.com/clusterwidgets/w, true",
    })
    void givenARuleForEverything_whenServersTellEachOtherSomething_thenOnlyResourcesAreSealed(
            String key, boolean sealed) {
        Encryption encryption = Encryption.parse(
                HEAD + "resources: [{resources: ['*.*'], providers: [" + provider("aesgcm", "key1", K1) + "]}]");

        byte[] stored = encryption.seal(key, bytes("the value"));

        assertThat(text(stored).startsWith("k8s:enc:")).isEqualTo(sealed);
        assertThat(text(encryption.open(key, stored))).isEqualTo("the value");
        assertThat(encryption.isStale(key)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"aesgcm", "secretbox"})
    void givenASealedValue_whenOneBitOfItIsChanged_thenItIsNotRead(String kind) {
        Encryption encryption = encryption(provider(kind, "key1", K1));
        byte[] sealed = encryption.seal(KEY, bytes("the value"));

        for (int i = ("k8s:enc:" + kind + ":v1:key1:").length(); i < sealed.length; i++) {
            byte[] forged = sealed.clone();
            forged[i] ^= 1;
            assertThatThrownBy(() -> encryption.open(KEY, forged)).isInstanceOf(StoreException.class);
        }
    }

    @Test
    void givenAValueBoundToItsKey_whenItIsMovedToAnother_thenItIsNotRead() {
        Encryption encryption = encryption(provider("aesgcm", "key1", K1));
        byte[] sealed = encryption.seal(KEY, bytes("the value"));

        assertThatThrownBy(() -> encryption.open("/registry/secrets/shop/other", sealed))
                .isInstanceOf(StoreException.class);
    }

    @Test
    void givenTheVectorOfNaCl_whenSealed_thenTheBytesAreTheSame() throws Exception {
        HexFormat hex = HexFormat.of();
        byte[] key = hex.parseHex("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389");
        byte[] nonce = hex.parseHex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
        byte[] message =
                hex.parseHex("be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d4"
                        + "5e6c61296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde"
                        + "048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705");

        byte[] sealed = SecretBox.seal(message, nonce, key);

        assertThat(hex.formatHex(sealed))
                .startsWith("f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce");
        assertThat(SecretBox.open(sealed, nonce, key)).isEqualTo(message);
    }

    @Test
    void givenAnotherKeyComesFirst_whenOldValuesAreRead_thenTheyOpenAndCountAsStale() {
        byte[] old = encryption(provider("aescbc", "key1", K1)).seal(KEY, bytes("the value"));
        Encryption rotated =
                encryption(provider("aesgcm", "key2", K2), provider("aescbc", "key1", K1), "{identity: {}}");

        assertThat(text(rotated.open(KEY, old))).isEqualTo("the value");
        assertThat(rotated.isStale(KEY)).isTrue();
        assertThat(text(rotated.seal(KEY, bytes("the value")))).startsWith("k8s:enc:aesgcm:v1:key2:");
        assertThat(rotated.isStale(KEY)).isFalse();
        assertThat(text(rotated.open("/registry/secrets/shop/plain", bytes("{}"))))
                .isEqualTo("{}");
        assertThat(rotated.isStale("/registry/secrets/shop/plain")).isTrue();
    }

    @Test
    void givenTheKeyIsGone_whenAValueIsRead_thenTheErrorSaysWhichAndNotWhat() {
        byte[] old = encryption(provider("aescbc", "key1", K1)).seal(KEY, bytes("the value"));

        assertThatThrownBy(() -> encryption(provider("aesgcm", "key2", K2)).open(KEY, old))
                .isInstanceOf(StoreException.class)
                .hasMessage(KEY + " cannot be decrypted: no matching prefix found");
        assertThatThrownBy(() -> encryption(provider("aescbc", "key1", K2)).open(KEY, old))
                .isInstanceOf(StoreException.class);
        assertThatThrownBy(() -> encryption("{identity: {}}").open(KEY, old)).isInstanceOf(StoreException.class);
    }

    @Test
    void givenNoProviderForAResource_whenStored_thenItIsPlain() {
        Encryption encryption = encryption(provider("aesgcm", "key1", K1));

        assertThat(text(encryption.seal("/registry/configmaps/shop/c", bytes("{}"))))
                .isEqualTo("{}");
    }

    @ParameterizedTest
    @CsvSource({
        "secrets, /registry/secrets/a/b, true",
        "secrets, /registry/configmaps/a/b, false",
        "'*.', /registry/configmaps/a/b, true",
        "'*.', /registry/services/specs/a/b, true",
        "'*.', /registry/minions/n, true",
        "'*.', /registry/deployments/a/b, false",
        "nodes, /registry/minions/n, true",
        "services, /registry/services/specs/a/b, true",
        "services, /registry/services/endpoints/a/b, false",
        "deployments.apps, /registry/deployments/a/b, true",
        "'*.apps', /registry/statefulsets/a/b, true",
        "'*.apps', /registry/jobs/a/b, false",
        "'*.*', /registry/leases/a/b, true",
        "widgets.example.com, /registry/example.com/widgets/a/b, true",
        "widgets.example.com, /registry/example.com/gadgets/a/b, false",
        "'*.example.com', /registry/example.com/widgets/a, true",
    })
    void givenResources_whenAKeyIsWritten_thenTheRuleHoldsOrNot(String resource, String key, boolean encrypted) {
        Encryption encryption = Encryption.parse(HEAD + "resources: [{resources: ['" + resource + "'], providers: ["
                + provider("aesgcm", "key1", K1) + "]}]");

        assertThat(encryption.writer(key) != null).isEqualTo(encrypted);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "resources: [] | resources: Required value: at least one resources is required",
                "resources: [{resources: [secrets], providers: []}] | resources[0].providers: Required value",
                "resources: [{resources: [], providers: [{identity: {}}]}] | resources[0].resources: Required value",
                "resources: [{resources: [secrets], providers: [{}]}] | provider does not contain any of the expected providers",
                "resources: [{resources: [secrets], providers: [{identity: {}, aescbc: {}}]}] | more than one provider specified",
                "resources: [{resources: [secrets], providers: [{aescbc: {keys: []}}]}] | at least one keys is required",
                "resources: [{resources: [secrets], providers: [{aescbc: {keys: [{name: a, secret: '!'}]}}]}] | secrets must be base64 encoded",
                "resources: [{resources: [secrets], providers: [{aescbc: {keys: [{name: a, secret: YWJj}]}}]}] | secret is not of the expected length, got 3, expected one of [16 24 32]",
                "resources: [{resources: ['*'], providers: [{identity: {}}]}] | use '*.' to encrypt all the resources",
                "resources: [{resources: [secrets, '*.'], providers: [{identity: {}}]}] | using overlapping resources",
                "resources: [{resources: [secrets, secrets], providers: [{identity: {}}]}] | the same resource cannot be specified multiple times",
                "resources: [{resources: [Secrets], providers: [{identity: {}}]}] | resource name should not contain capital letters",
            })
    void givenABrokenConfiguration_whenRead_thenTheMistakeIsNamedAndNoKeyShown(String text, String message) {
        assertThatThrownBy(() -> Encryption.parse(HEAD + text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message)
                .hasMessageNotContaining("YWJj\"");
    }

    @Test
    void givenAStorageOnAnEncryptedStore_whenObjectsComeAndGo_thenItKnowsThemAndTheDiskDoesNot() {
        Store store = encryption(provider("aesgcm", "key1", K1)).over(disk);
        DefaultStorage storage = new DefaultStorage(store, driver, resource -> Map.of());
        storage.create(CoreResources.SECRETS, secret("aGlkZGVu"));
        storage.update(CoreResources.SECRETS, "shop", "s", tree -> {
            tree.withObjectProperty("data").put("more", "aGlkZGVu");
            return tree;
        });

        assertThat(text(disk.get(KEY).orElseThrow().value()))
                .startsWith("k8s:enc:aesgcm:v1:key1:")
                .doesNotContain("aGlkZGVu");
        storage.close();

        DefaultStorage again = new DefaultStorage(
                encryption(provider("secretbox", "key2", K2), provider("aesgcm", "key1", K1))
                        .over(disk),
                driver,
                resource -> Map.of());
        var read = again.get(CoreResources.SECRETS, "shop", "s").orElseThrow();
        assertThat(read.tree().path("data").path("more").asText()).isEqualTo("aGlkZGVu");
        again.replace(CoreResources.SECRETS, read, read.copy());
        assertThat(text(disk.get(KEY).orElseThrow().value())).startsWith("k8s:enc:secretbox:v1:key2:");

        var rewritten = again.get(CoreResources.SECRETS, "shop", "s").orElseThrow();
        long revision = disk.revision();
        again.replace(CoreResources.SECRETS, rewritten, rewritten.copy());
        assertThat(disk.revision()).isEqualTo(revision); // fresh now, so nothing is written
        again.close();
    }

    private static ObjectNode secret(String value) {
        ObjectNode secret = JsonNodeFactory.instance.objectNode();
        secret.put("apiVersion", "v1").put("kind", "Secret");
        secret.putObject("metadata").put("name", "s").put("namespace", "shop").put("uid", "u");
        secret.putObject("data").put("key", value);
        return secret;
    }

    @Test
    void givenSeveralRules_whenAResourceIsInMoreThanOne_thenTheFirstCounts() {
        Encryption encryption =
                Encryption.parse(HEAD + "resources: [{resources: [secrets], providers: [{identity: {}}]},"
                        + " {resources: ['*.*'], providers: [" + provider("aesgcm", "key1", K1) + "]}]");

        assertThat(List.of(encryption.writer(KEY), encryption.writer("/registry/configmaps/a/b")))
                .containsExactly("", "k8s:enc:aesgcm:v1:key1:");
    }
}
