package io.trimtab.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.trimtab.runtime.VirtualDriver;
import org.junit.jupiter.api.Test;

class WriteModeTest {
    private static final ResourceType<ConfigMap> MAPS = ResourceType.of(ConfigMap.class);

    private final VirtualDriver driver = VirtualDriver.create();
    private final FakeApi api = new FakeApi();

    private static ConfigMap map() {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withName("a")
                .withNamespace("n")
                .endMetadata()
                .build();
    }

    private FabricClient client(WriteMode mode) {
        return Clients.over(api, "http://fake", driver, ClientOptions.DEFAULT.withWrites(mode));
    }

    @Test
    void givenAClientThatOnlyReads_whenItWrites_thenNothingIsSent() {
        api.put(map());
        FabricClient client = client(WriteMode.READ_ONLY);

        assertThat(client.get(MAPS, "n", "a")).isPresent();
        api.forget();
        assertThatThrownBy(() -> client.update(MAPS, map()))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("only reads, not sent: PUT /api/v1/namespaces/n/configmaps/a");
        assertThatThrownBy(() -> client.clientFor("other").delete(MAPS, "n", "a", new DeleteOptions()))
                .matches(e -> ((ApiException) e).code() == 405);
        assertThat(api.seen()).isEmpty();
        assertThat(client.writes()).isEqualTo(WriteMode.READ_ONLY);
    }

    @Test
    void givenADryRun_whenWritten_thenEachRequestSaysSo() {
        api.put(map());
        FabricClient client = client(WriteMode.DRY_RUN);
        api.forget();

        client.update(MAPS, map());
        client.patch(MAPS, "n", "a", new Patch(Patch.Kind.MERGE, "{}", null, "me", false));
        client.delete(MAPS, "n", "a", new DeleteOptions());

        assertThat(api.seen())
                .extracting(FakeApi.Seen::pathAndQuery)
                .containsExactly(
                        "/api/v1/namespaces/n/configmaps/a?dryRun=All",
                        "/api/v1/namespaces/n/configmaps/a?fieldManager=me&dryRun=All",
                        "/api/v1/namespaces/n/configmaps/a?dryRun=All");
        assertThat(api.seen().get(2).body()).contains("\"dryRun\":[\"All\"]");
    }
}
