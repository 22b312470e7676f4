package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Objects;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Turns the name of a priority class into a number; there is one default class at the most. */
final class PriorityAdmission implements AdmissionPlugin {
    @Override
    public String name() {
        return "Priority";
    }

    @Override
    public void admit(Attributes attributes) {
        ObjectNode pod = attributes.object();
        if (pod == null || !attributes.isFor("", "pods")) {
            return;
        }
        ObjectNode spec = PodTrees.spec(pod);
        if (attributes.operation() == Operation.UPDATE && attributes.old() != null) {
            for (String field : List.of("priority", "preemptionPolicy")) {
                JsonNode before = attributes.old().path("spec").get(field);
                if (!spec.hasNonNull(field) && before != null) {
                    spec.set(field, before.deepCopy());
                }
            }
        } else if (attributes.operation() == Operation.CREATE) {
            resolve(attributes, spec);
        }
    }

    private static void resolve(Attributes attributes, ObjectNode spec) {
        String name = PodTrees.text(spec, "priorityClassName");
        Storage storage = attributes.context().storage();
        JsonNode found;
        if (name.isEmpty()) {
            StoredObject standard = defaultClass(storage);
            if (standard != null) {
                spec.put("priorityClassName", standard.name());
            }
            found = standard == null ? null : standard.tree();
        } else {
            found = storage.get(CoreResources.PRIORITY_CLASSES, null, name)
                    .orElseThrow(
                            () -> Refusals.forbidden(attributes, "no PriorityClass with name " + name + " was found"))
                    .tree();
        }
        int priority = found == null ? 0 : found.path("value").asInt(0);
        String policy = found == null ? "PreemptLowerPriority" : PodTrees.text(found, "preemptionPolicy");
        if (spec.hasNonNull("priority") && spec.path("priority").asInt() != priority) {
            throw Refusals.forbidden(
                    attributes,
                    "the integer value of priority (" + spec.path("priority").asText()
                            + ") must not be provided in pod spec; priority admission controller computed " + priority
                            + " from the given PriorityClass name");
        }
        spec.put("priority", priority);
        if (!policy.isEmpty()) {
            String asked = PodTrees.text(spec, "preemptionPolicy");
            if (!asked.isEmpty() && !asked.equals(policy)) {
                throw Refusals.forbidden(
                        attributes,
                        "the string value of PreemptionPolicy (" + asked
                                + ") must not be provided in pod spec; priority admission controller computed "
                                + policy + " from the given PriorityClass name");
            }
            spec.put("preemptionPolicy", policy);
        }
    }

    @Override
    public void validate(Attributes attributes) {
        ObjectNode changed = attributes.object();
        boolean creates = attributes.operation() == Operation.CREATE;
        if (changed == null
                || !attributes.isFor("scheduling.k8s.io", "priorityclasses")
                || !changed.path("globalDefault").asBoolean(false)) {
            return;
        }
        StoredObject standard = defaultClass(attributes.context().storage());
        if (standard != null && (creates || !standard.name().equals(attributes.name()))) {
            throw Refusals.forbidden(
                    attributes,
                    "PriorityClass " + standard.name() + " is already marked as default. Only one default can exist");
        }
    }

    /** The lowest, should there be several; null if there is none. */
    private static @Nullable StoredObject defaultClass(Storage storage) {
        StoredObject lowest = null;
        for (StoredObject one : Objects.list(storage, CoreResources.PRIORITY_CLASSES, null)) {
            if (one.tree().path("globalDefault").asBoolean(false)
                    && (lowest == null
                            || one.tree().path("value").asInt()
                                    < lowest.tree().path("value").asInt())) {
                lowest = one;
            }
        }
        return lowest;
    }
}
