package io.trimtab.apiserver.kinds;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Checks of single fields that many kinds share, with Kubernetes' sentences. Stateless. */
public final class FieldRules {
    /** Of a number that must not be below zero. */
    public static final String NOT_NEGATIVE = "must be greater than or equal to 0";

    /** Of a field that may not change. */
    public static final String IMMUTABLE = "field is immutable";

    private FieldRules() {}

    /** One error for each sentence. */
    public static void invalid(FieldErrors errors, String path, String value, List<String> sentences) {
        for (String sentence : sentences) {
            errors.invalid(path, value, sentence);
        }
    }

    /** One error for each sentence. */
    public static void invalid(FieldErrors errors, String path, long value, List<String> sentences) {
        for (String sentence : sentences) {
            errors.invalid(path, value, sentence);
        }
    }

    /** A number in a field must not be negative. */
    public static void notNegative(FieldErrors errors, String path, @Nullable JsonNode parent, String field) {
        notNegative(errors, path + "." + field, Trees.number(parent, field));
    }

    /** A number must not be negative. */
    public static void notNegative(FieldErrors errors, String path, long value) {
        if (value < 0) {
            errors.invalid(path, value, NOT_NEGATIVE);
        }
    }

    /** A number must be positive. */
    public static void positive(FieldErrors errors, String path, long value) {
        if (value <= 0) {
            errors.invalid(path, value, "must be greater than zero");
        }
    }

    /** The field must mean the same as before. */
    public static void immutable(
            FieldErrors errors, String path, @Nullable JsonNode object, @Nullable JsonNode old, String field) {
        if (!Trees.same(object, old, field)) {
            errors.invalid(path + "." + field, Trees.shown(object, field), IMMUTABLE);
        }
    }

    /** The same of a field that Kubernetes shows as the struct it is inside; see {@link InternalForm}. */
    public static void immutable(
            FieldErrors errors,
            String path,
            @Nullable JsonNode object,
            @Nullable JsonNode old,
            String field,
            String type) {
        if (!Trees.same(object, old, field)) {
            JsonNode value = Trees.child(object, field);
            errors.invalidShown(
                    path + "." + field, value.isMissingNode() ? "null" : InternalForm.of(value, type), IMMUTABLE);
        }
    }

    /** A field whose text must be one of these, shown in the order given; absent is an error of its own. */
    public static void requiredChoice(
            FieldErrors errors, String path, @Nullable JsonNode parent, String field, Collection<String> choices) {
        String value = Trees.text(parent, field);
        if (value.isEmpty()) {
            errors.required(path + "." + field, "");
        } else if (!choices.contains(value)) {
            errors.notSupportedInOrder(path + "." + field, Trees.child(parent, field), choices);
        }
    }

    /** A field whose text, if there is one, must be one of these, shown in the order given. */
    public static void choice(
            FieldErrors errors, String path, @Nullable JsonNode parent, String field, Collection<String> choices) {
        if (Trees.has(parent, field) && !choices.contains(Trees.text(parent, field))) {
            errors.notSupportedInOrder(path + "." + field, Trees.child(parent, field), choices);
        }
    }

    /** Keys and values of labels, by key. */
    public static void labels(FieldErrors errors, String path, Map<String, String> labels) {
        new TreeMap<>(labels).forEach((key, value) -> {
            invalid(errors, path, key, Names.qualified(key));
            invalid(errors, path, value, Names.labelValue(value));
        });
    }

    /** Keys of annotations, and the size of them all. */
    public static void annotations(FieldErrors errors, String path, Map<String, String> annotations) {
        long size = 0;
        for (Map.Entry<String, String> entry : new TreeMap<>(annotations).entrySet()) {
            invalid(errors, path, entry.getKey(), Names.qualified(entry.getKey().toLowerCase(java.util.Locale.ROOT)));
            size += utf8Length(entry.getKey()) + utf8Length(entry.getValue());
        }
        if (size > 262144) {
            errors.tooLong(path, 262144);
        }
    }

    /** A DNS label, which must be there. */
    public static void requiredLabel(FieldErrors errors, String path, String value) {
        if (value.isEmpty()) {
            errors.required(path, "");
        } else {
            invalid(errors, path, value, Names.label(value));
        }
    }

    /** How many bytes the text takes on the wire, which is how Kubernetes counts. */
    public static long utf8Length(String text) {
        return text.getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
    }

    /** A port: a number in range, or a name. */
    public static void portNumberOrName(FieldErrors errors, String path, @Nullable JsonNode port) {
        if (port != null && port.isTextual()) {
            invalid(errors, path, port.textValue(), Names.portName(port.textValue()));
        } else {
            long number = port == null ? 0 : port.asLong(0);
            invalid(errors, path, number, Names.portNumber(number));
        }
    }
}
