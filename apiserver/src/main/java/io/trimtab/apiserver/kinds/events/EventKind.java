package io.trimtab.apiserver.kinds.events;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Events, in the form of either group: the names of the fields differ, and the newer group checks more. Whichever names a tree
 * has are read. Stateless.
 */
public final class EventKind implements Kind {
    private final boolean newer;

    /** @param newer whether this is the kind of {@code events.k8s.io} */
    public EventKind(boolean newer) {
        this.newer = newer;
    }

    /** What the field of this name in the core group is called in the tree. */
    private static String name(JsonNode event, String core) {
        String other =
                switch (core) {
                    case "involvedObject" -> "regarding";
                    case "message" -> "note";
                    case "reportingComponent" -> "reportingController";
                    case "source" -> "deprecatedSource";
                    case "firstTimestamp" -> "deprecatedFirstTimestamp";
                    case "lastTimestamp" -> "deprecatedLastTimestamp";
                    case "count" -> "deprecatedCount";
                    default -> core;
                };
        return event.has(other) ? other : core;
    }

    private static JsonNode field(JsonNode event, String core) {
        return Trees.child(event, name(event, core));
    }

    @Override
    public void validateCreate(ObjectNode event, FieldErrors errors, WriteContext context) {
        legacy(event, errors);
        if (!newer) {
            return;
        }
        series(event, errors);
        if (!Trees.has(event, "eventTime")) {
            errors.required("eventTime", "");
        }
        String type = Trees.text(event, "type");
        if (!type.equals("Normal") && !type.equals("Warning")) {
            errors.invalid("type", "", "has invalid value: " + type);
        }
        for (String old : List.of("firstTimestamp", "lastTimestamp")) {
            if (!field(event, old).isMissingNode()) {
                errors.invalid(old, "", "needs to be unset");
            }
        }
        if (field(event, "count").asLong(0) != 0) {
            errors.invalid("count", "", "needs to be unset");
        }
        JsonNode source = field(event, "source");
        if (Trees.hasContent(source, "component") || Trees.hasContent(source, "host")) {
            errors.invalid("source", "", "needs to be unset");
        }
    }

    private static void series(ObjectNode event, FieldErrors errors) {
        if (!Trees.has(event, "series")) {
            return;
        }
        if (Trees.number(event.get("series"), "count") < 2) {
            errors.invalid("series.count", "", "should be at least 2");
        }
        if (!Trees.has(event.get("series"), "lastObservedTime")) {
            errors.required("series.lastObservedTime", "");
        }
    }

    private void legacy(ObjectNode event, FieldErrors errors) {
        String namespace = Trees.text(event.get("metadata"), "namespace");
        String of = Trees.text(field(event, "involvedObject"), "namespace");
        String mismatch = "does not match event.namespace";
        if (!Trees.has(event, "eventTime")) {
            boolean fits = of.isEmpty() ? namespace.isEmpty() || namespace.equals("default") : of.equals(namespace);
            if (!fits) {
                errors.invalid("involvedObject.namespace", of, mismatch);
            }
        } else {
            if (of.isEmpty() && !namespace.equals("default") && !namespace.equals("kube-system")) {
                errors.invalid("involvedObject.namespace", of, mismatch);
            }
            String path = newer ? "reportingController" : "reportingComponent";
            String controller = field(event, "reportingComponent").asText("");
            if (controller.isEmpty()) {
                errors.required(path, "");
            }
            FieldRules.invalid(errors, path, controller, Names.qualified(controller));
            needed(errors, event, "reportingInstance", "reportingInstance", 128);
            needed(errors, event, "action", "action", 128);
            needed(errors, event, "reason", "reason", 128);
            if (field(event, "message").asText("").length() > 1024) {
                errors.invalid("message", "", "can have at most 1024 characters");
            }
        }
        FieldRules.invalid(errors, "namespace", namespace, Names.subdomain(namespace));
    }

    private static void needed(FieldErrors errors, ObjectNode event, String field, String path, int max) {
        String value = Trees.text(event, field);
        if (value.isEmpty()) {
            errors.required(path, "");
        }
        if (value.length() > max) {
            errors.invalid(path, "", "can have at most " + max + " characters");
        }
    }

    @Override
    public void validateUpdate(ObjectNode event, ObjectNode old, FieldErrors errors, WriteContext context) {
        legacy(event, errors);
        if (!newer) {
            return;
        }
        if (!Trees.same(event, old, "series")) {
            series(event, errors);
        }
        for (String core : List.of(
                "involvedObject",
                "reason",
                "message",
                "source",
                "firstTimestamp",
                "lastTimestamp",
                "count",
                "type",
                "eventTime",
                "action",
                "related",
                "reportingComponent",
                "reportingInstance")) {
            String path = core.equals("reportingComponent") ? "reportingController" : core;
            if (Trees.same(field(event, core), field(old, core))) {
                continue;
            }
            switch (core) {
                case "involvedObject", "related" ->
                    errors.invalidShown(path, shown(event, core, "core/v1.ObjectReference"), FieldRules.IMMUTABLE);
                case "source" ->
                    errors.invalidShown(path, shown(event, core, "core/v1.EventSource"), FieldRules.IMMUTABLE);
                default -> errors.invalid(path, shownField(event, core), FieldRules.IMMUTABLE);
            }
        }
    }

    private static String shown(ObjectNode event, String core, String type) {
        JsonNode value = field(event, core);
        return core.equals("related") && value.isMissingNode() ? "null" : InternalForm.of(value, type);
    }

    /** What is not set shows as what it is inside: no text, no number, no time. */
    private static JsonNode shownField(ObjectNode event, String core) {
        JsonNode value = field(event, core);
        if (!value.isMissingNode()) {
            return value;
        }
        return switch (core) {
            case "firstTimestamp", "lastTimestamp", "eventTime" -> value;
            case "count" -> event.numberNode(0);
            default -> Trees.textNode("");
        };
    }

    @Override
    public boolean allowsCreateOnUpdate() {
        return true;
    }

    @Override
    public Propagation defaultPropagation() {
        return Propagation.UNSUPPORTED;
    }

    @Override
    public Map<String, Function<JsonNode, String>> selectableFields() {
        Map<String, Function<JsonNode, String>> fields = new LinkedHashMap<>();
        String object = newer ? "regarding" : "involvedObject";
        for (String part : List.of("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")) {
            fields.put(object + "." + part, event -> Trees.text(field(event, "involvedObject"), part));
        }
        fields.put("reason", event -> Trees.text(event, "reason"));
        fields.put("type", event -> Trees.text(event, "type"));
        if (newer) {
            fields.put(
                    "reportingController",
                    event -> field(event, "reportingComponent").asText(""));
        } else {
            fields.put(
                    "reportingComponent",
                    event -> field(event, "reportingComponent").asText(""));
            fields.put("source", event -> {
                String component = Trees.text(field(event, "source"), "component");
                return component.isEmpty() ? field(event, "reportingComponent").asText("") : component;
            });
        }
        return fields;
    }
}
