package io.trimtab.apiserver.kinds.resource;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.resource.Kind;
import java.util.Map;
import java.util.function.Function;

/** What a driver offers on a node: a node asks for its own slices, a driver for those it wrote. Stateless. */
public final class ResourceSliceKind implements Kind {
    @Override
    public Map<String, Function<JsonNode, String>> selectableFields() {
        return Map.of(
                "spec.nodeName", slice -> slice.path("spec").path("nodeName").asText(""),
                "spec.driver", slice -> slice.path("spec").path("driver").asText(""));
    }
}
