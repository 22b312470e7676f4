package io.trimtab.webhook;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a webhook says to an {@link Admission}. Immutable.
 *
 * @param allowed whether the request may go on
 * @param code the HTTP code of a refusal; 200 if allowed
 * @param reason the machine-readable reason of a refusal, such as {@code Invalid}; empty for none
 * @param message why not, for the person who asked; empty if allowed
 * @param warnings shown to the person who asked, whatever the verdict; the server cuts them at 256 characters
 * @param audit what the audit log notes; keys without a prefix, the server puts the webhook's name before them
 * @since 0.1
 */
public record Verdict(
        boolean allowed, int code, String reason, String message, List<String> warnings, Map<String, String> audit) {

    public Verdict {
        warnings = List.copyOf(warnings);
        audit = Map.copyOf(audit);
    }

    /** The request may go on. */
    public static Verdict allow() {
        return new Verdict(true, 200, "", "", List.of(), Map.of());
    }

    /** The caller may not do this: 403. */
    public static Verdict deny(String message) {
        return new Verdict(false, 403, "Forbidden", message, List.of(), Map.of());
    }

    /** The object is not as it must be: 422. */
    public static Verdict invalid(String message) {
        return new Verdict(false, 422, "Invalid", message, List.of(), Map.of());
    }

    /** All of these must hold: allowed without problems, else invalid with them in one message. */
    public static Verdict of(List<String> problems) {
        return problems.isEmpty() ? allow() : invalid(String.join(", ", problems));
    }

    /** The same, with a warning more. */
    public Verdict warn(String warning) {
        List<String> all = new ArrayList<>(warnings);
        all.add(warning);
        return new Verdict(allowed, code, reason, message, all, audit);
    }

    /** The same, with a note for the audit log. */
    public Verdict note(String key, String value) {
        Map<String, String> all = new LinkedHashMap<>(audit);
        all.put(key, value);
        return new Verdict(allowed, code, reason, message, warnings, all);
    }
}
