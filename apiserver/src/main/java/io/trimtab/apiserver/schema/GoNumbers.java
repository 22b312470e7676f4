package io.trimtab.apiserver.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;

/** Floats as Kubernetes writes them back: without a fraction where they have none. */
final class GoNumbers {
    private GoNumbers() {}

    static JsonNode node(double d) {
        // 2^53: whole numbers up to here are exact, and both writers print them without an exponent.
        if (d == Math.rint(d) && Math.abs(d) < 9007199254740992.0) {
            long n = (long) d;
            return n == (int) n ? JsonNodeFactory.instance.numberNode((int) n) : JsonNodeFactory.instance.numberNode(n);
        }
        return JsonNodeFactory.instance.numberNode(d);
    }
}
