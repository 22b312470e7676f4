package io.trimtab.apiserver.schema;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * What a body said.
 *
 * @param object a fresh tree that belongs to the caller, free of undeclared fields; kind and apiVersion are filled in for
 *     built-in kinds
 * @param strictErrors {@code unknown field "spec.foo"} and {@code duplicate field "data"}, in Kubernetes' words and order; it is
 *     for the caller to ignore them, warn or refuse
 */
public record Decoded(ObjectNode object, List<String> strictErrors) {
    public Decoded {
        strictErrors = List.copyOf(strictErrors);
    }
}
