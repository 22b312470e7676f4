package io.trimtab.leader;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.client.KubernetesJson;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Who owns which slot, as all members agree on it by compare-and-swap. Immutable.
 *
 * @param owners one for each slot; empty for none
 * @param written for each resource, the newest revision that members wrote before they handed slots over: whoever takes a slot
 *     looks at the world no earlier
 */
record ShardMap(List<String> owners, Map<String, Long> written) {

    ShardMap {
        owners = List.copyOf(owners);
        written = Map.copyOf(written);
    }

    static ShardMap unowned(int slots) {
        return new ShardMap(java.util.Collections.nCopies(slots, ""), Map.of());
    }

    ShardMap with(Map<Integer, String> changes, Map<String, Long> wrote) {
        List<String> next = new ArrayList<>(owners);
        changes.forEach(next::set);
        Map<String, Long> newest = new LinkedHashMap<>(written);
        wrote.forEach((resource, revision) -> newest.merge(resource, revision, Math::max));
        return new ShardMap(next, newest);
    }

    int slotOf(Object key) {
        return (int) Long.remainderUnsigned(hash(key.toString()), owners.size());
    }

    /**
     * Whose the slot should be: by rendezvous, so that a member who comes or goes moves its own slots and no other.
     *
     * @return empty if there is nobody
     */
    static String wanted(int slot, Collection<String> members) {
        String best = "";
        long highest = 0;
        for (String member : members) {
            long weight = hash(slot + "@" + member);
            if (best.isEmpty() || Long.compareUnsigned(weight, highest) > 0) {
                best = member;
                highest = weight;
            }
        }
        return best;
    }

    /** FNV-1a, mixed as SplitMix64 does: the same on every JVM, which String.hashCode spread over few slots is not good enough for. */
    private static long hash(String text) {
        long h = 0xcbf29ce484222325L;
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            h = (h ^ (b & 0xff)) * 0x100000001b3L;
        }
        h = (h ^ (h >>> 30)) * 0xBF58476D1CE4E5B9L;
        h = (h ^ (h >>> 27)) * 0x94D049BB133111EBL;
        return h ^ (h >>> 31);
    }

    // ---- as text ---------------------------------------------------------------------------------------------------

    String write() {
        ObjectNode json = KubernetesJson.mapper().createObjectNode();
        List<String> members = owners.stream().distinct().sorted().toList();
        ArrayNode names = json.putArray("members");
        members.forEach(names::add);
        ArrayNode slots = json.putArray("slots");
        owners.forEach(owner -> slots.add(members.indexOf(owner)));
        ObjectNode revisions = json.putObject("written");
        new TreeMap<>(written).forEach(revisions::put);
        return json.toString();
    }

    /** Null if the text is not a map. */
    static @Nullable ShardMap read(@Nullable String text) {
        if (text == null) {
            return null;
        }
        try {
            JsonNode json = KubernetesJson.mapper().readTree(text);
            List<String> owners = new ArrayList<>();
            for (JsonNode slot : json.path("slots")) {
                owners.add(json.path("members").path(slot.asInt(-1)).asText(""));
            }
            Map<String, Long> written = new LinkedHashMap<>();
            json.path("written")
                    .fields()
                    .forEachRemaining(e -> written.put(e.getKey(), e.getValue().asLong()));
            return owners.isEmpty() ? null : new ShardMap(owners, written);
        } catch (JsonProcessingException e) {
            return null;
        }
    }
}
