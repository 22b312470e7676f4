package io.trimtab.apiserver.errors;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Collects what is wrong with an object, field by field, in the words of Kubernetes' field errors. Not safe for use by several
 * threads.
 *
 * <p>Paths are text as Kubernetes prints it: {@code spec.containers[0].name}, {@code data[a b]}.
 */
public final class FieldErrors {
    private static final Pattern CONTROL = Pattern.compile("(?<!\\\\)\\\\u00([01][0-9A-Fa-f])");

    /** The kinds of field errors; each has the reason that the Status cause carries. */
    public enum Type {
        REQUIRED("FieldValueRequired", "Required value"),
        INVALID("FieldValueInvalid", "Invalid value"),
        TYPE_INVALID("FieldValueTypeInvalid", "Invalid value"),
        NOT_SUPPORTED("FieldValueNotSupported", "Unsupported value"),
        DUPLICATE("FieldValueDuplicate", "Duplicate value"),
        FORBIDDEN("FieldValueForbidden", "Forbidden"),
        TOO_LONG("FieldValueTooLong", "Too long"),
        TOO_MANY("FieldValueTooMany", "Too many"),
        NOT_FOUND("FieldValueNotFound", "Not found"),
        INTERNAL("InternalError", "Internal error");

        private final String reason;
        private final String text;

        Type(String reason, String text) {
            this.reason = reason;
            this.text = text;
        }

        public String reason() {
            return reason;
        }

        String text() {
            return text;
        }
    }

    /**
     * One error.
     *
     * @param field the path
     * @param body the message without the path, as it stands in the cause
     */
    public record FieldError(Type type, String field, String body) {
        /** The whole sentence. */
        public String message() {
            return field + ": " + body;
        }
    }

    private final List<FieldError> errors = new ArrayList<>();

    public void required(String path, String detail) {
        add(Type.REQUIRED, path, null, detail);
    }

    public void invalid(String path, @Nullable JsonNode value, String detail) {
        add(Type.INVALID, path, show(value), detail);
    }

    public void invalid(String path, String value, String detail) {
        add(Type.INVALID, path, quote(value), detail);
    }

    public void invalid(String path, long value, String detail) {
        add(Type.INVALID, path, Long.toString(value), detail);
    }

    /** The value as Go would print it is not its JSON form (an internal struct, say): the caller gives the text. */
    public void invalidShown(String path, String shown, String detail) {
        add(Type.INVALID, path, shown, detail);
    }

    public void typeInvalid(String path, @Nullable JsonNode value, String detail) {
        add(Type.TYPE_INVALID, path, show(value), detail);
    }

    /** The supported values are shown sorted, as Kubernetes does for most kinds. */
    public void notSupported(String path, @Nullable JsonNode value, Collection<String> supported) {
        notSupportedInOrder(path, value, new TreeSet<>(supported));
    }

    /** The supported values are shown in the order given. */
    public void notSupportedInOrder(String path, @Nullable JsonNode value, Collection<String> supported) {
        StringBuilder detail = new StringBuilder("supported values: ");
        String separator = "";
        for (String s : supported) {
            detail.append(separator).append(quote(s));
            separator = ", ";
        }
        add(Type.NOT_SUPPORTED, path, show(value), detail.toString());
    }

    public void duplicate(String path, @Nullable JsonNode value) {
        add(Type.DUPLICATE, path, show(value), "");
    }

    public void duplicateShown(String path, String shown) {
        add(Type.DUPLICATE, path, shown, "");
    }

    public void forbidden(String path, String detail) {
        add(Type.FORBIDDEN, path, null, detail);
    }

    public void tooLong(String path, int maxBytes) {
        add(Type.TOO_LONG, path, null, "may not be more than " + maxBytes + " bytes");
    }

    public void tooMany(String path, int actual, int max) {
        add(
                Type.TOO_MANY,
                path,
                Integer.toString(actual),
                "must have at most " + max + (max == 1 ? " item" : " items"));
    }

    public void notFound(String path, @Nullable JsonNode value) {
        add(Type.NOT_FOUND, path, show(value), "");
    }

    public void internal(String path, String detail) {
        add(Type.INTERNAL, path, null, detail);
    }

    public void addAll(FieldErrors others) {
        errors.addAll(others.errors);
    }

    public void add(FieldError error) {
        errors.add(error);
    }

    public boolean isEmpty() {
        return errors.isEmpty();
    }

    public List<FieldError> list() {
        return List.copyOf(errors);
    }

    private void add(Type type, String path, @Nullable String value, String detail) {
        StringBuilder body = new StringBuilder(type.text());
        if (value != null) {
            body.append(": ").append(value);
        }
        if (!detail.isEmpty()) {
            body.append(": ").append(detail);
        }
        errors.add(new FieldError(type, path, body.toString()));
    }

    /** Strings quoted, numbers and booleans bare, everything else compact JSON, nothing as null. */
    public static String show(@Nullable JsonNode value) {
        if (value == null || value.isMissingNode() || value.isNull()) {
            return "null";
        }
        // Go escapes what HTML would take for markup.
        return value.isTextual()
                ? quote(value.textValue())
                : value.toString()
                        .replace("<", "\\u003c")
                        .replace(">", "\\u003e")
                        .replace("&", "\\u0026");
    }

    /** The text in double quotes, escaped. */
    public static String quote(String text) {
        String quoted = new String(JsonStringEncoder.getInstance().quoteAsString(text));
        // JSON has no short form for what cannot be seen; Go has.
        return '"'
                + CONTROL.matcher(quoted).replaceAll(m -> "\\\\x" + m.group(1).toLowerCase(Locale.ROOT))
                + '"';
    }

    /** The value as a node, for the methods that take one. */
    public static JsonNode text(String value) {
        return JsonNodeFactory.instance.textNode(value);
    }
}
