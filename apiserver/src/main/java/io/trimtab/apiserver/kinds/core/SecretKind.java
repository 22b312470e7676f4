package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Secrets. Texts given as {@code stringData} are folded into {@code data} when they are decoded. Stateless. */
public final class SecretKind implements Kind {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String REDACTED = "<secret contents redacted>";

    @Override
    public void defaults(ObjectNode secret) {
        Map<String, String> texts = Trees.map(secret, "stringData");
        if (!texts.isEmpty()) {
            ObjectNode data = Trees.make(secret, "data");
            texts.forEach((key, text) ->
                    data.put(key, Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8))));
        }
        secret.remove("stringData");
        Trees.fill(secret, "type", "Opaque");
    }

    @Override
    public void prepareUpdate(ObjectNode secret, ObjectNode old, WriteContext context) {
        // An empty type in the request means "as it was"; defaults have made Opaque of it.
        if (Trees.text(secret, "type").isEmpty()) {
            Trees.carry(secret, old, "type");
        }
    }

    @Override
    public void validateCreate(ObjectNode secret, FieldErrors errors, WriteContext context) {
        long size = 0;
        Map<String, JsonNode> data = Trees.entries(secret, "data");
        for (Map.Entry<String, JsonNode> entry : data.entrySet()) {
            String key = entry.getKey();
            FieldRules.invalid(errors, "data[" + key + "]", key, Names.configKey(key));
            size += ConfigMapKind.decodedLength(entry.getValue().asText());
        }
        if (size > ConfigMapKind.MAX_BYTES) {
            errors.tooLong("data", ConfigMapKind.MAX_BYTES);
        }
        switch (Trees.text(secret, "type")) {
            case "kubernetes.io/service-account-token" -> {
                String name = "kubernetes.io/service-account.name";
                if (Trees.text(Trees.at(secret, "metadata", "annotations"), name)
                        .isEmpty()) {
                    errors.required("metadata.annotations[" + name + "]", "");
                }
            }
            case "kubernetes.io/dockercfg" -> json(errors, data, ".dockercfg");
            case "kubernetes.io/dockerconfigjson" -> json(errors, data, ".dockerconfigjson");
            case "kubernetes.io/basic-auth" -> {
                if (!data.containsKey("username") && !data.containsKey("password")) {
                    errors.required("data[username]", "");
                    errors.required("data[password]", "");
                }
            }
            case "kubernetes.io/ssh-auth" -> {
                if (text(data.get("ssh-privatekey")).isEmpty()) {
                    errors.required("data[ssh-privatekey]", "");
                }
            }
            case "kubernetes.io/tls" -> {
                for (String key : List.of("tls.crt", "tls.key")) {
                    if (!data.containsKey(key)) {
                        errors.required("data[" + key + "]", "");
                    }
                }
            }
            default -> {}
        }
    }

    private static String text(@Nullable JsonNode value) {
        return value == null ? "" : value.asText("");
    }

    private static void json(FieldErrors errors, Map<String, JsonNode> data, String key) {
        String path = "data[" + key + "]";
        if (!data.containsKey(key)) {
            errors.required(path, "");
            return;
        }
        String content;
        try {
            content = new String(Base64.getDecoder().decode(text(data.get(key))), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            content = "";
        }
        String wrong = jsonError(content);
        if (!wrong.isEmpty()) {
            errors.invalid(path, REDACTED, wrong);
        }
    }

    /** What a JSON reader of Kubernetes' language says of a text that is no object; empty if it is one. */
    private static String jsonError(String content) {
        if (content.isBlank()) {
            return "unexpected end of JSON input";
        }
        try {
            JsonNode node = JSON.readTree(content);
            if (node.isObject() || node.isNull()) {
                return "";
            }
            String type = node.isTextual()
                    ? "string"
                    : node.isNumber() ? "number" : node.isBoolean() ? "bool" : node.isArray() ? "array" : "value";
            return "json: cannot unmarshal " + type + " into Go value of type map[string]interface {}";
        } catch (JsonProcessingException e) {
            char first = content.strip().charAt(0);
            return first == '{' || first == '['
                    ? "unexpected end of JSON input"
                    : "invalid character '" + first + "' looking for beginning of value";
        }
    }

    @Override
    public void validateUpdate(ObjectNode secret, ObjectNode old, FieldErrors errors, WriteContext context) {
        if (!Trees.text(secret, "type").equals(Trees.text(old, "type"))) {
            errors.invalid("type", Trees.text(secret, "type"), FieldRules.IMMUTABLE);
        }
        ConfigMapKind.immutable(secret, old, errors, List.of("data"));
        validateCreate(secret, errors, context);
    }

    @Override
    public Map<String, Function<JsonNode, String>> selectableFields() {
        return Map.of("type", secret -> Trees.text(secret, "type"));
    }

    @Override
    public void warn(ObjectNode secret, @Nullable ObjectNode old, List<String> warnings) {
        if (Trees.text(secret, "type").equals("kubernetes.io/tls")) {
            JsonNode data = Trees.child(secret, "data");
            String wrong = KeyPairs.mismatch(Trees.text(data, "tls.crt"), Trees.text(data, "tls.key"));
            if (!wrong.isEmpty()) {
                warnings.add(wrong);
            }
        }
    }
}
