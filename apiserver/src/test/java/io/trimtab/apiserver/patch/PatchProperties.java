package io.trimtab.apiserver.patch;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.schema.Schema;
import io.trimtab.apiserver.schema.SchemaRegistry;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class PatchProperties {
    private static final Schema POD =
            SchemaRegistry.builtin().forKind("", "v1", "Pod").orElseThrow();

    @Provide
    Arbitrary<List<String>> names() {
        return Arbitraries.of("a", "b", "c", "d", "e").list().uniqueElements();
    }

    @Provide
    Arbitrary<Map<String, String>> maps() {
        return Arbitraries.maps(Arbitraries.of("a", "b", "c"), Arbitraries.of("1", "2"));
    }

    private static ObjectNode pod(List<String> containers, Map<String, String> labels) {
        ObjectNode pod = JsonPatchTest.json("{'metadata':{},'spec':{'containers':[]}}");
        labels.forEach(pod.withObject("/metadata/labels")::put);
        containers.forEach(name ->
                pod.withArray("/spec/containers").addObject().put("name", name).put("image", "i"));
        return pod;
    }

    @Property(tries = 300)
    void givenStrategicPatch_whenMergedTwice_thenTheSecondChangesNothing(
            @ForAll("names") List<String> live,
            @ForAll("names") List<String> patched,
            @ForAll("maps") Map<String, String> labels,
            @ForAll("maps") Map<String, String> patchLabels) {
        ObjectNode patch = pod(patched, patchLabels);
        ObjectNode once = StrategicMergePatch.merge(pod(live, labels), patch, POD);
        assertThat(StrategicMergePatch.merge(once, patch, POD)).isEqualTo(once);
        assertThat(once.at("/spec/containers"))
                .hasSize((int) java.util.stream.Stream.concat(live.stream(), patched.stream())
                        .distinct()
                        .count());
    }

    @Property(tries = 300)
    void givenMergePatch_whenMergedTwice_thenTheSecondChangesNothing(
            @ForAll("names") List<String> live,
            @ForAll("maps") Map<String, String> labels,
            @ForAll("maps") Map<String, String> patchLabels) {
        ObjectNode patch = JsonPatchTest.json("{'metadata':{'labels':{}}}");
        patchLabels.forEach((k, v) -> {
            if (v.equals("1")) {
                patch.withObject("/metadata/labels").putNull(k);
            } else {
                patch.withObject("/metadata/labels").put(k, v);
            }
        });
        ObjectNode once = MergePatch.merge(pod(live, labels), patch);
        assertThat(MergePatch.merge(once, patch)).isEqualTo(once);
    }

    @Property(tries = 200)
    void givenAddThenRemove_whenPatched_thenTheDocumentIsAsBefore(
            @ForAll("maps") Map<String, String> labels, @ForAll("names") List<String> containers) {
        ObjectNode document = pod(containers, labels);
        String patch =
                "[{'op':'add','path':'/metadata/new','value':{'x':[1]}},{'op':'add','path':'/spec/containers/0','value':1},"
                        + "{'op':'remove','path':'/spec/containers/0'},{'op':'remove','path':'/metadata/new'}]";
        assertThat(JsonPatch.apply(document, patch.replace('\'', '"').getBytes(StandardCharsets.UTF_8))
                        .object())
                .isEqualTo(document);
    }
}
