package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.quantity.Quantity;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Objects;
import io.trimtab.apiserver.storage.StoredObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Fills in what containers ask for by default, and refuses what is outside a namespace's limits. */
final class LimitRanger implements AdmissionPlugin {
    private static final String ANNOTATION = "kubernetes.io/limit-ranger";

    @Override
    public String name() {
        return "LimitRanger";
    }

    @Override
    public void admit(Attributes attributes) {
        ObjectNode object = attributes.object();
        if (object == null
                || !isConcerned(attributes)
                || !attributes.resource().plural().equals("pods")) {
            return;
        }
        for (JsonNode range : ranges(attributes)) {
            fill(object, range);
        }
    }

    @Override
    public void validate(Attributes attributes) {
        ObjectNode object = attributes.object();
        if (object == null || !isConcerned(attributes)) {
            return;
        }
        boolean isPod = attributes.resource().plural().equals("pods");
        for (JsonNode range : ranges(attributes)) {
            List<String> errors = new ArrayList<>();
            for (JsonNode limit : range.path("spec").path("limits")) {
                if (isPod) {
                    checkPod(limit, object, errors);
                } else {
                    checkClaim(limit, object, errors);
                }
            }
            if (!errors.isEmpty()) {
                throw Refusals.forbidden(attributes, Refusals.joined(errors));
            }
        }
    }

    private static boolean isConcerned(Attributes attributes) {
        if (!attributes.resource().group().isEmpty()
                || attributes.old() != null && attributes.old().path("metadata").hasNonNull("deletionTimestamp")) {
            return false;
        }
        boolean creates = attributes.operation() == Operation.CREATE;
        boolean updates = attributes.operation() == Operation.UPDATE;
        return switch (attributes.resource().plural()) {
            case "pods" ->
                creates && attributes.subresource().isEmpty()
                        || updates && attributes.subresource().equals("resize");
            case "persistentvolumeclaims" ->
                (creates || updates) && attributes.subresource().isEmpty();
            default -> false;
        };
    }

    private static List<JsonNode> ranges(Attributes attributes) {
        List<JsonNode> ranges = new ArrayList<>();
        for (StoredObject range :
                Objects.list(attributes.context().storage(), CoreResources.LIMIT_RANGES, attributes.namespace())) {
            ranges.add(range.tree());
        }
        return ranges;
    }

    // ---- Defaults ------------------------------------------------------------------------------------------------

    private static void fill(ObjectNode pod, JsonNode range) {
        TreeMap<String, JsonNode> requests = new TreeMap<>();
        TreeMap<String, JsonNode> limits = new TreeMap<>();
        for (JsonNode limit : range.path("spec").path("limits")) {
            if (PodTrees.text(limit, "type").equals("Container")) {
                PodTrees.each(limit.path("defaultRequest"), requests::put);
                PodTrees.each(limit.path("default"), limits::put);
            }
        }
        List<String> notes = new ArrayList<>();
        JsonNode spec = pod.path("spec");
        for (ObjectNode container : PodTrees.containers(spec, "containers")) {
            fill(container, requests, limits, "container", notes);
        }
        for (ObjectNode container : PodTrees.containers(spec, "initContainers")) {
            fill(container, requests, limits, "init container", notes);
        }
        if (!notes.isEmpty()) {
            PodTrees.object(PodTrees.object(pod, "metadata"), "annotations")
                    .put(ANNOTATION, "LimitRanger plugin set: " + String.join("; ", notes));
        }
    }

    private static void fill(
            ObjectNode container,
            TreeMap<String, JsonNode> requests,
            TreeMap<String, JsonNode> limits,
            String what,
            List<String> notes) {
        String name = PodTrees.text(container, "name");
        List<String> setRequests = put(container, "requests", requests);
        List<String> setLimits = put(container, "limits", limits);
        if (!setRequests.isEmpty()) {
            notes.add(String.join(", ", setRequests) + " request for " + what + " " + name);
        }
        if (!setLimits.isEmpty()) {
            notes.add(String.join(", ", setLimits) + " limit for " + what + " " + name);
        }
    }

    private static List<String> put(ObjectNode container, String side, TreeMap<String, JsonNode> defaults) {
        List<String> set = new ArrayList<>();
        defaults.forEach((name, amount) -> {
            if (!container.path("resources").path(side).has(name)) {
                PodTrees.object(PodTrees.object(container, "resources"), side).set(name, amount);
                set.add(name);
            }
        });
        return set;
    }

    // ---- Limits --------------------------------------------------------------------------------------------------

    private static void checkPod(JsonNode limit, ObjectNode pod, List<String> errors) {
        String type = PodTrees.text(limit, "type");
        if (type.equals("Container")) {
            for (ObjectNode container : PodTrees.containers(pod.path("spec"), "containers", "initContainers")) {
                check(
                        type,
                        limit,
                        PodAmounts.amounts(container, "requests"),
                        PodAmounts.amounts(container, "limits"),
                        errors);
            }
        } else if (type.equals("Pod")) {
            check(type, limit, PodAmounts.total(pod, "requests"), PodAmounts.total(pod, "limits"), errors);
        }
    }

    private static void check(
            String type,
            JsonNode limit,
            Map<String, Quantity> requests,
            Map<String, Quantity> limits,
            List<String> errors) {
        PodTrees.each(limit.path("min"), (name, min) -> {
            Quantity bound = Quantity.parse(min.asText());
            Quantity request = requests.get(name);
            Quantity most = limits.get(name);
            String start = "minimum " + name + " usage per " + type + " is " + bound;
            if (request == null) {
                errors.add(start + ".  No request is specified");
            } else if (request.compareTo(bound) < 0) {
                errors.add(start + ", but request is " + request);
            } else if (most != null && most.compareTo(bound) < 0) {
                errors.add(start + ", but limit is " + most);
            }
        });
        PodTrees.each(limit.path("max"), (name, max) -> {
            Quantity bound = Quantity.parse(max.asText());
            Quantity request = requests.get(name);
            Quantity most = limits.get(name);
            String start = "maximum " + name + " usage per " + type + " is " + bound;
            if (most == null) {
                errors.add(start + ".  No limit is specified");
            } else if (most.compareTo(bound) > 0) {
                errors.add(start + ", but limit is " + most);
            } else if (request != null && request.compareTo(bound) > 0) {
                errors.add(start + ", but request is " + request);
            }
        });
        PodTrees.each(
                limit.path("maxLimitRequestRatio"),
                (name, ratio) -> checkRatio(type, name, ratio, requests.get(name), limits.get(name), errors));
    }

    private static void checkRatio(
            String type,
            String name,
            JsonNode ratio,
            @Nullable Quantity request,
            @Nullable Quantity limit,
            List<String> errors) {
        Quantity bound = Quantity.parse(ratio.asText());
        String start = name + " max limit to request ratio per " + type + " is " + bound;
        if (request == null || request.isZero()) {
            errors.add(start + ", but no request is specified or request is 0");
        } else if (limit == null || limit.isZero()) {
            errors.add(start + ", but no limit is specified or limit is 0");
        } else {
            double provided = limit.value().doubleValue() / request.value().doubleValue();
            if (provided > bound.value().doubleValue()) {
                errors.add(start + ", but provided ratio is " + String.format(Locale.ROOT, "%f", provided));
            }
        }
    }

    private static void checkClaim(JsonNode limit, ObjectNode claim, List<String> errors) {
        String type = PodTrees.text(limit, "type");
        if (!type.equals("PersistentVolumeClaim")) {
            return;
        }
        Map<String, Quantity> requests = PodAmounts.amounts(claim.path("spec"), "requests");
        PodTrees.each(limit.path("min"), (name, min) -> {
            Quantity bound = Quantity.parse(min.asText());
            Quantity request = requests.get(name);
            String start = "minimum " + name + " usage per " + type + " is " + bound;
            if (request == null) {
                errors.add(start + ".  No request is specified");
            } else if (request.compareTo(bound) < 0) {
                errors.add(start + ", but request is " + request);
            }
        });
        PodTrees.each(limit.path("max"), (name, max) -> {
            Quantity bound = Quantity.parse(max.asText());
            Quantity request = requests.get(name);
            String start = "maximum " + name + " usage per " + type + " is " + bound;
            if (request == null) {
                errors.add(start + ".  No request is specified");
            } else if (request.compareTo(bound) > 0) {
                errors.add(start + ", but request is " + request);
            }
        });
    }
}
