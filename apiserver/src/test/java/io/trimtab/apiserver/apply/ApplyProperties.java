package io.trimtab.apiserver.apply;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class ApplyProperties {
    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
    private final FieldManager configMaps = FieldManagerTest.manager("", "v1", "ConfigMap", "");

    /** Label and data maps, and finalizers, from few enough names that appliers meet. */
    record Body(Map<String, String> data, Map<String, String> labels, List<String> finalizers) {
        ObjectNode json() {
            ObjectNode object = FieldManagerTest.json("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'c'}}");
            if (!data.isEmpty()) {
                data.forEach(object.putObject("data")::put);
            }
            ObjectNode meta = (ObjectNode) object.get("metadata");
            if (!labels.isEmpty()) {
                labels.forEach(meta.putObject("labels")::put);
            }
            if (!finalizers.isEmpty()) {
                finalizers.forEach(meta.putArray("finalizers")::add);
            }
            return object;
        }
    }

    @Provide
    Arbitrary<Body> bodies() {
        Arbitrary<Map<String, String>> maps = Arbitraries.maps(
                        Arbitraries.of("a", "b", "c", "d"), Arbitraries.of("1", "2"))
                .ofMaxSize(4);
        return Combinators.combine(
                        maps, maps, Arbitraries.of("x/1", "x/2", "x/3").list().uniqueElements())
                .as(Body::new);
    }

    @Property(tries = 300)
    void givenAnyBody_whenAppliedTwice_thenTheSecondChangesNothing(
            @ForAll("bodies") Body others, @ForAll("bodies") Body body) {
        ObjectNode live = configMaps.apply(null, others.json(), "other", false, NOW);
        ObjectNode once = configMaps.apply(live, body.json(), "me", true, NOW);
        ObjectNode twice = configMaps.apply(once, body.json(), "me", false, NOW.plusSeconds(5));
        assertThat(twice).isEqualTo(once);
    }

    @Property(tries = 300)
    void givenAnyBodies_whenApplied_thenWhatIsAppliedIsThereAndOwned(
            @ForAll("bodies") Body others, @ForAll("bodies") Body body) {
        ObjectNode live = configMaps.apply(null, others.json(), "other", false, NOW);
        ObjectNode result = configMaps.apply(live, body.json(), "me", true, NOW);
        body.data()
                .forEach((k, v) -> assertThat(result.at("/data/" + k).asText()).isEqualTo(v));
        others.data().forEach((k, v) -> {
            if (!body.data().containsKey(k)) {
                assertThat(result.at("/data/" + k).asText()).isEqualTo(v);
            }
        });
        result.at("/metadata/managedFields").forEach(entry -> {
            if (entry.get("manager").asText().equals("me")) {
                assertThat(entry.path("fieldsV1").path("f:data").size())
                        .isEqualTo(body.data().size());
            }
        });
    }

    @Property(tries = 300)
    void givenAnyBodies_whenTheSecondReplacesTheFirst_thenNothingOfTheFirstRemains(
            @ForAll("bodies") Body first, @ForAll("bodies") Body second) {
        ObjectNode live = configMaps.apply(null, first.json(), "me", false, NOW);
        ObjectNode result = configMaps.apply(live, second.json(), "me", false, NOW);
        ObjectNode alone = configMaps.apply(null, second.json(), "me", false, NOW);
        assertThat(result.path("data")).isEqualTo(alone.path("data"));
        assertThat(result.path("metadata").path("labels"))
                .isEqualTo(alone.path("metadata").path("labels"));
    }

    @Property(tries = 300)
    void givenAnySets_whenCombined_thenTheAlgebraHolds(@ForAll("bodies") Body a, @ForAll("bodies") Body b) {
        FieldSet x = fields(a);
        FieldSet y = fields(b);
        assertThat(x.union(y)).isEqualTo(y.union(x));
        assertThat(x.intersection(y)).isEqualTo(y.intersection(x));
        assertThat(x.difference(y).union(x.intersection(y))).isEqualTo(x);
        assertThat(x.difference(y).intersection(y).isEmpty()).isTrue();
        assertThat(FieldSet.fromFieldsV1(x.toFieldsV1())).isEqualTo(x);
    }

    private static FieldSet fields(Body body) {
        return Typed.fields(
                body.json(),
                io.trimtab.apiserver.schema.SchemaRegistry.builtin()
                        .forKind("", "v1", "ConfigMap")
                        .orElseThrow());
    }
}
