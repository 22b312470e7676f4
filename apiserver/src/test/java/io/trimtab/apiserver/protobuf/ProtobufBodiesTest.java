package io.trimtab.apiserver.protobuf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Random;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds what is read against the JSON that Go wrote of the same objects. */
class ProtobufBodiesTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    static Stream<JsonNode> objects() throws IOException {
        try (InputStream in = ProtobufBodiesTest.class.getResourceAsStream("/golden/protobuf/objects.json")) {
            return StreamSupport.stream(JSON.readTree(in).spliterator(), false);
        }
    }

    private static byte[] body(JsonNode golden) {
        return Base64.getDecoder().decode(golden.path("protobuf").asText());
    }

    @ParameterizedTest
    @MethodSource("objects")
    void givenAnObjectThatGoEncoded_whenRead_thenItIsTheJsonThatGoWrites(JsonNode golden) throws IOException {
        JsonNode read = JSON.readTree(ProtobufBodies.toJson(body(golden), "v1", "Pod"));

        assertThat(withoutNulls(read).toPrettyString())
                .isEqualTo(withoutNulls(inOrderOf(read, golden.path("json"))).toPrettyString());
    }

    /** Nil slices and maps without omitempty are null in Go's JSON; on the wire there is nothing. */
    private static JsonNode withoutNulls(JsonNode node) {
        if (node instanceof ObjectNode object) {
            object.properties().removeIf(f -> f.getValue().isNull());
        }
        node.forEach(ProtobufBodiesTest::withoutNulls);
        return node;
    }

    /** The fields in the order of another object: protobuf has its own. */
    private static JsonNode inOrderOf(JsonNode order, JsonNode node) {
        if (order.isObject() && node.isObject()) {
            ObjectNode sorted = JSON.createObjectNode();
            order.fieldNames().forEachRemaining(n -> {
                if (node.has(n)) {
                    sorted.set(n, inOrderOf(order.get(n), node.get(n)));
                }
            });
            node.properties().forEach(f -> {
                if (!sorted.has(f.getKey())) {
                    sorted.set(f.getKey(), f.getValue());
                }
            });
            return sorted;
        }
        if (order.isArray() && node.isArray() && order.size() == node.size()) {
            var sorted = JSON.createArrayNode();
            for (int i = 0; i < node.size(); i++) {
                sorted.add(inOrderOf(order.get(i), node.get(i)));
            }
            return sorted;
        }
        return node;
    }

    @Test
    void givenGarbage_whenRead_thenItIsRefusedAndNothingElse() throws IOException {
        assertThatThrownBy(() -> ProtobufBodies.toJson("{}".getBytes(StandardCharsets.UTF_8), "v1", "Pod"))
                .isInstanceOf(MalformedProtobufException.class)
                .hasMessageContaining("does not appear to be a protobuf message");
        Random random = new Random(7);
        objects().forEach(golden -> {
            byte[] body = body(golden);
            for (int i = 0; i < 50; i++) {
                byte[] broken = Arrays.copyOf(body, 4 + random.nextInt(body.length - 4));
                if (broken.length > 5) {
                    broken[4 + random.nextInt(broken.length - 4)] ^= (byte) (1 << random.nextInt(8));
                }
                try {
                    ProtobufBodies.toJson(broken, "v1", "Pod");
                } catch (MalformedProtobufException expected) {
                    assertThat(expected).hasMessageNotContaining("null");
                }
            }
        });
    }

    @ParameterizedTest
    @CsvSource({
        "0,0s",
        "1,1ns",
        "1500,1.5µs",
        "20000000,20ms",
        "1500000000,1.5s",
        "3600000000000,1h0m0s",
        "-90000000000,-1m30s"
    })
    void givenADuration_whenPrinted_thenAsGoDoes(long nanos, String text) {
        assertThat(GoDurations.text(nanos)).isEqualTo(text);
    }
}
