package io.trimtab.apiserver.apply;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.trimtab.apiserver.apply.ManagedFields.Entry;
import io.trimtab.apiserver.apply.ManagedFields.Identity;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Translates the entries of {@code metadata.managedFields} between an object and its Scale: whoever owns the replicas of one owns
 * those of the other. Follows {@code scalehandler.go}. Stateless.
 */
public final class ScaleManagedFields {
    private static final String SCALE = "autoscaling/v1";
    private static final FieldSet REPLICAS = FieldSet.ofFields(List.of(List.of("spec", "replicas")));

    private ScaleManagedFields() {}

    /**
     * The entries as the Scale shows them.
     *
     * @param parent those of the object; null for none
     * @param path where the object keeps the number
     * @param isServed whether the object's resource is served at an apiVersion; entries of others do not show
     */
    public static @Nullable ArrayNode toScale(
            @Nullable JsonNode parent, List<String> path, Predicate<String> isServed) {
        ManagedFields scale = new ManagedFields();
        FieldSet replicas = FieldSet.ofFields(List.of(path));
        ManagedFields.readOrEmpty(parent, false).entries.forEach((identity, entry) -> {
            if (isServed.test(entry.apiVersion()) && owns(entry, replicas)) {
                scale.entries.put(identity, new Entry(REPLICAS, SCALE, entry.time()));
            }
        });
        return scale.write();
    }

    /**
     * The object's entries after its Scale was written. As in Kubernetes, entries that come from the Scale have no time, unless the
     * object had the same entry before.
     *
     * @param parent those of the object before
     * @param scale those of the Scale now
     * @param apiVersion at which the object is served
     */
    public static @Nullable ArrayNode toParent(
            @Nullable JsonNode parent,
            @Nullable JsonNode scale,
            List<String> path,
            String apiVersion,
            Predicate<String> isServed) {
        FieldSet replicas = FieldSet.ofFields(List.of(path));
        ManagedFields before = ManagedFields.readOrEmpty(parent, false);
        ManagedFields now = ManagedFields.readOrEmpty(scale, false);
        ManagedFields result = new ManagedFields();
        before.entries.forEach((identity, entry) -> {
            if (!isServed.test(entry.apiVersion())) {
                return;
            }
            if (!owns(entry, replicas) || now.entries.remove(identity) != null) {
                result.entries.put(identity, entry);
                return;
            }
            Entry rest = entry.without(replicas);
            if (!rest.isEmpty()) {
                result.entries.put(identity, rest);
            }
        });
        now.entries.forEach((identity, entry) -> {
            if (owns(entry, REPLICAS)) {
                Entry earlier = before.entries.get(identity);
                // Two entries of one manager that differ in nothing but their time stay two, as in Kubernetes.
                Identity key = Identity.of(identity.manager(), identity.applies(), SCALE, identity.subresource());
                result.entries.put(key, new Entry(replicas, apiVersion, earlier == null ? null : earlier.time()));
            }
        });
        return result.write();
    }

    private static boolean owns(Entry entry, FieldSet field) {
        return !entry.fields().intersection(field).isEmpty();
    }
}
