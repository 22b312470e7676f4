package io.trimtab.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class GoYamlTest {
    private static byte[] resource(String name) throws IOException {
        try (InputStream in = Objects.requireNonNull(GoYamlTest.class.getResourceAsStream("/golden/yaml/" + name))) {
            return in.readAllBytes();
        }
    }

    @Test
    void givenTextsThatNeedCare_whenWritten_thenTheyAreAsGoWritesThem() throws IOException {
        JsonNode texts = new ObjectMapper().readTree(resource("texts.json"));
        assertThat(new String(GoYaml.write(texts), StandardCharsets.UTF_8))
                .isEqualTo(new String(resource("texts.yaml"), StandardCharsets.UTF_8));
    }
}
