package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.List;

/** Merges and compares tolerations. Stateless. */
final class Tolerations {
    private Tolerations() {}

    /** Those of the first, and those of the second that none of the first covers; of two where one covers the other, the wider. */
    static ArrayNode merge(JsonNode first, JsonNode second) {
        List<JsonNode> all = new ArrayList<>();
        first.forEach(all::add);
        second.forEach(all::add);
        ArrayNode merged = JsonNodeFactory.instance.arrayNode();
        for (int i = 0; i < all.size(); i++) {
            boolean covered = false;
            for (JsonNode kept : merged) {
                covered |= covers(kept, all.get(i));
            }
            for (int j = i + 1; j < all.size(); j++) {
                covered |= !all.get(j).equals(all.get(i)) && covers(all.get(j), all.get(i));
            }
            if (!covered) {
                merged.add(all.get(i).deepCopy());
            }
        }
        return merged;
    }

    /** Whether everything that the narrow one tolerates is tolerated by the wide one. */
    static boolean covers(JsonNode wide, JsonNode narrow) {
        String wideEffect = PodTrees.text(wide, "effect");
        boolean effect = wideEffect.isEmpty() || wideEffect.equals(PodTrees.text(narrow, "effect"));
        boolean time = wideEffect.equals("NoExecute")
                        || PodTrees.text(narrow, "effect").equals("NoExecute")
                ? coversTime(wide, narrow)
                : true;
        String key = PodTrees.text(wide, "key");
        boolean exists = PodTrees.text(wide, "operator").equals("Exists");
        if (!effect || !time) {
            return false;
        }
        if (key.isEmpty() && exists) {
            return true;
        }
        return key.equals(PodTrees.text(narrow, "key"))
                && (exists
                        || !PodTrees.text(narrow, "operator").equals("Exists")
                                && PodTrees.text(wide, "value").equals(PodTrees.text(narrow, "value")));
    }

    private static boolean coversTime(JsonNode wide, JsonNode narrow) {
        if (!wide.hasNonNull("tolerationSeconds")) {
            return true;
        }
        return narrow.hasNonNull("tolerationSeconds")
                && wide.path("tolerationSeconds").asLong()
                        >= narrow.path("tolerationSeconds").asLong();
    }
}
