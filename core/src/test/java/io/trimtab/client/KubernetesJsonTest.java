package io.trimtab.client;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KubernetesJsonTest {

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void givenNullForAListOrAMap_whenRead_thenItIsEmpty(boolean cached) throws IOException {
        ObjectMapper mapper = cached ? KubernetesJson.cacheMapper() : KubernetesJson.mapper();

        EndpointSlice slice = mapper.readValue(
                "{\"metadata\":{\"name\":\"web\",\"labels\":null},\"endpoints\":null,\"ports\":null}",
                EndpointSlice.class);

        assertThat(slice.getEndpoints()).isEmpty();
        assertThat(slice.getPorts()).isEmpty();
        assertThat(slice.getMetadata().getLabels()).isEmpty();
    }
}
