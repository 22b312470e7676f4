package io.trimtab.apiserver.schema;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** What is written is read by us as a general reader reads it. */
class StoredJsonProperties {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @Property(tries = 500)
    void givenAnyTree_whenWrittenAndRead_thenItIsTheSame(@ForAll("objects") ObjectNode tree) throws IOException {
        byte[] json = CompactJson.of(tree);

        assertThat(MAPPER.readTree(json)).isEqualTo(tree);
        assertThat(StoredJson.object(json)).isEqualTo(tree);
        assertThat(new String(json, StandardCharsets.UTF_8)).doesNotContain("<", ">", "&", "\u2028", "\u2029");
    }

    @Property(tries = 500)
    void givenAnyText_whenRead_thenItIsReadAsByAGeneralReaderOrNotAtAll(@ForAll("texts") String text) {
        ObjectNode read = StoredJson.object(text.getBytes(StandardCharsets.UTF_8));

        if (read != null) {
            assertThat(read).isEqualTo(general(text));
        }
    }

    private static JsonNode general(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (IOException e) {
            throw new AssertionError("only ours reads " + text, e);
        }
    }

    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.of(
                        "{",
                        "}",
                        "[",
                        "]",
                        ",",
                        ":",
                        "\"",
                        "\"a\"",
                        "\"\\u00e9\\n\"",
                        "\"\u00e9\ud83d\ude00\"",
                        "1",
                        "-",
                        "0",
                        "-0",
                        "01",
                        "12345678901",
                        "1.5",
                        "1e3",
                        "true",
                        "fals",
                        "null",
                        " ",
                        "\n",
                        "\\",
                        "{\"a\":",
                        "}")
                .list()
                .ofMaxSize(8)
                .map(parts -> "{\"a\":" + String.join("", parts) + "}");
    }

    @Provide
    Arbitrary<ObjectNode> objects() {
        Arbitrary<JsonNode> leaf = Arbitraries.oneOf(
                Arbitraries.strings()
                        .withChars("<>&\"\\/\b\f\n\r\t\u0001\u007f\u00e9\u2028\u2029\ufffd abz09:.{}")
                        .ofMaxLength(60)
                        .map(NODES::textNode),
                Arbitraries.of("\ud83d\ude00", "TCP", "k:{\"name\":\"a\"}").map(NODES::textNode),
                Arbitraries.integers().map(NODES::numberNode),
                Arbitraries.longs()
                        .filter(n -> n != (int) (long) n && Math.abs(n) < 1_000_000_000_000_000_000L)
                        .map(NODES::numberNode),
                Arbitraries.of(true, false).map(NODES::booleanNode),
                Arbitraries.just(NODES.nullNode()));
        Arbitrary<JsonNode> value = Arbitraries.lazyOf(
                () -> leaf,
                () -> leaf,
                () -> leaf.list().ofMaxSize(4).map(items -> NODES.arrayNode().addAll(items)),
                () -> object(leaf).map(o -> o));
        return object(value);
    }

    private static Arbitrary<ObjectNode> object(Arbitrary<JsonNode> value) {
        return Arbitraries.maps(Arbitraries.strings().ascii().ofMaxLength(8), value)
                .ofMaxSize(6)
                .map((Map<String, JsonNode> fields) -> {
                    ObjectNode object = NODES.objectNode();
                    object.setAll(fields);
                    return object;
                });
    }
}
