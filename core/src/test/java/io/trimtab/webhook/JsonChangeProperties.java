package io.trimtab.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.zjsonpatch.JsonPatch;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Patches against another implementation of RFC 6902, and changes of a view against the document it is a view of. */
class JsonChangeProperties {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final List<String> NAMES = List.of("a", "b/c", "d~e", "name", "f");

    @Provide
    Arbitrary<ObjectNode> documents() {
        return objects(3);
    }

    private static Arbitrary<ObjectNode> objects(int depth) {
        return Combinators.combine(Arbitraries.of(NAMES), values(depth))
                .as(java.util.Map::entry)
                .list()
                .ofMaxSize(4)
                .map(entries -> {
                    ObjectNode object = NODES.objectNode();
                    entries.forEach(entry -> object.set(entry.getKey(), entry.getValue()));
                    return object;
                });
    }

    private static Arbitrary<JsonNode> values(int depth) {
        Arbitrary<JsonNode> plain = Arbitraries.oneOf(
                Arbitraries.integers().between(0, 2).map(NODES::numberNode),
                Arbitraries.of("x", "y").map(NODES::textNode),
                Arbitraries.of(true, false).map(NODES::booleanNode));
        if (depth == 0) {
            return plain;
        }
        Arbitrary<JsonNode> arrays = Arbitraries.lazy(() -> values(depth - 1))
                .list()
                .ofMaxSize(4)
                .map(list -> {
                    var array = NODES.arrayNode();
                    list.forEach(array::add);
                    return array;
                });
        return Arbitraries.oneOf(plain, arrays, Arbitraries.lazy(() -> objects(depth - 1)));
    }

    @Property(tries = 500)
    void givenTwoDocuments_whenThePatchIsApplied_thenTheOneIsTheOther(
            @ForAll("documents") ObjectNode from, @ForAll("documents") ObjectNode to) {
        JsonNode patch = JsonChange.patch(from, to);

        assertThat(JsonPatch.apply(patch, from.deepCopy())).isEqualTo(to);
        assertThat(JsonChange.patch(to, to)).isEmpty();
    }

    @Property(tries = 500)
    void givenAViewThatShowsAll_whenItChanges_thenTheDocumentBecomesTheView(
            @ForAll("documents") ObjectNode document, @ForAll("documents") ObjectNode after) {
        assertThat(JsonChange.carry(document, document, after)).isEqualTo(after);
    }

    @Property(tries = 500)
    void givenFieldsThatTheViewDoesNotShow_whenTheRestChanges_thenTheyStay(
            @ForAll("documents") ObjectNode before, @ForAll("documents") ObjectNode after) {
        ObjectNode document = before.deepCopy();
        document.put("unknown", 7);

        JsonNode carried = JsonChange.carry(document, before, after);

        ObjectNode wanted = after.deepCopy();
        wanted.put("unknown", 7);
        assertThat(carried).isEqualTo(wanted);
    }
}
