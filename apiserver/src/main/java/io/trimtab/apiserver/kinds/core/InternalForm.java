package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Trees;
import java.util.List;
import java.util.Locale;

/**
 * Shows a value as Kubernetes does where its messages print an internal struct: all fields in their order under their Go names,
 * null for what is unset. Stateless.
 */
public final class InternalForm {
    private InternalForm() {}

    /**
     * The text.
     *
     * @param fields in the struct's order; {@code name=GoName} where the Go name is not the capitalised one
     */
    public static String of(JsonNode value, List<String> fields) {
        StringBuilder text = new StringBuilder("{");
        for (String field : fields) {
            int equals = field.indexOf('=');
            String name = equals < 0 ? field : field.substring(0, equals);
            String shown = equals < 0 ? capital(field) : field.substring(equals + 1);
            if (text.length() > 1) {
                text.append(',');
            }
            // Selectors have the API's own form inside, too.
            String content = name.toLowerCase(Locale.ROOT).endsWith("selector")
                    ? FieldErrors.show(Trees.shown(value, name))
                    : any(Trees.child(value, name));
            text.append(FieldErrors.quote(shown)).append(':').append(content);
        }
        return text.append('}').toString();
    }

    private static String any(JsonNode value) {
        if (value.isMissingNode()) {
            return "null";
        }
        if (value.isObject()) {
            StringBuilder text = new StringBuilder("{");
            value.fields().forEachRemaining(e -> {
                if (text.length() > 1) {
                    text.append(',');
                }
                text.append(FieldErrors.quote(capital(e.getKey()))).append(':').append(any(e.getValue()));
            });
            return text.append('}').toString();
        }
        return FieldErrors.show(value);
    }

    private static String capital(String name) {
        return name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1);
    }
}
