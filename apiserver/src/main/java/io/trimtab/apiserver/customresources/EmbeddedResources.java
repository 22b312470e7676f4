package io.trimtab.apiserver.customresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Names;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What is wrong with type and metadata of resources within a resource, which a schema cannot say. Stateless. */
final class EmbeddedResources {
    private EmbeddedResources() {}

    static void check(String path, JsonNode value, @Nullable JsonNode schema, FieldErrors errors) {
        if (schema == null) {
            return;
        }
        if (value instanceof ObjectNode object) {
            if (schema.path("x-kubernetes-embedded-resource").asBoolean()) {
                one(path, object, errors);
            }
            object.properties().forEach(field -> {
                String name = field.getKey();
                JsonNode declared = schema.path("properties").get(name);
                if (declared != null) {
                    check(path.isEmpty() ? name : path + "." + name, field.getValue(), declared, errors);
                } else {
                    check(path + "[" + name + "]", field.getValue(), schema.get("additionalProperties"), errors);
                }
            });
        } else if (value.isArray()) {
            for (int i = 0; i < value.size(); i++) {
                check(path + "[" + i + "]", value.get(i), schema.get("items"), errors);
            }
        }
    }

    private static void one(String path, ObjectNode object, FieldErrors errors) {
        for (String field : List.of("apiVersion", "kind")) {
            JsonNode value = object.get(field);
            String at = path + "." + field;
            if (value == null) {
                errors.required(at, "");
            } else if (!value.isTextual()) {
                errors.invalid(at, value, "must be a string");
            } else if (value.textValue().isEmpty()) {
                errors.invalid(at, "", "must not be empty");
            } else if (field.equals("kind")) {
                kind(at, value.textValue(), errors);
            } else if (value.textValue().indexOf('/') != value.textValue().lastIndexOf('/')) {
                errors.invalid(at, value, "unexpected GroupVersion string: " + value.textValue());
            }
        }
        String name = object.path("metadata").path("name").asText("");
        if (!name.isEmpty()) {
            Names.pathSegment(name).forEach(wrong -> errors.invalid(path + ".metadata.name", name, wrong));
        }
        String labels = path + ".metadata.labels";
        object.path("metadata").path("labels").properties().forEach(label -> {
            Names.qualified(label.getKey()).forEach(wrong -> errors.invalid(labels, label.getKey(), wrong));
            String text = label.getValue().asText();
            Names.labelValue(text).forEach(wrong -> errors.invalid(labels, text, wrong));
        });
    }

    private static void kind(String path, String kind, FieldErrors errors) {
        List<String> wrong = Names.label1035(kind.toLowerCase(Locale.ROOT));
        if (!wrong.isEmpty()) {
            errors.invalid(path, kind, "may have mixed case, but should otherwise match: " + String.join(",", wrong));
        }
    }
}
