package io.trimtab.apiserver.kinds.dynamicresources;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import java.util.Map;
import java.util.function.Function;

/** ResourceSlices: drivers and nodes find their own by field selectors (pkg/registry/resource/resourceslice). Stateless. */
public final class ResourceSliceKind implements Kind {
    @Override
    public Map<String, Function<JsonNode, String>> selectableFields() {
        return Map.of(
                "spec.driver", slice -> Trees.text(Trees.child(slice, "spec"), "driver"),
                "spec.nodeName", slice -> Trees.text(Trees.child(slice, "spec"), "nodeName"));
    }
}
