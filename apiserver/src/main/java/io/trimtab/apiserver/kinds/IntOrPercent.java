package io.trimtab.apiserver.kinds;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;

/** Values that are a number or a percentage. Stateless. */
public final class IntOrPercent {
    private IntOrPercent() {}

    /** A number that is not negative, or a percentage. */
    public static void validate(FieldErrors errors, String path, JsonNode value) {
        if (value.isTextual()) {
            FieldRules.invalid(errors, path, value.textValue(), Names.percent(value.textValue()));
        } else {
            FieldRules.notNegative(errors, path, value.asLong(0));
        }
    }

    /** The number, or the number of percent. */
    public static long amount(JsonNode value) {
        if (!value.isTextual()) {
            return value.asLong(0);
        }
        String text = value.textValue();
        String digits = text.endsWith("%") ? text.substring(0, text.length() - 1) : text;
        try {
            return Long.parseLong(digits);
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    /** A percentage must not be over 100. */
    public static void notOver100Percent(FieldErrors errors, String path, JsonNode value) {
        if (value.isTextual() && Names.percent(value.textValue()).isEmpty() && amount(value) > 100) {
            errors.invalid(path, value, "must not be greater than 100%");
        }
    }
}
