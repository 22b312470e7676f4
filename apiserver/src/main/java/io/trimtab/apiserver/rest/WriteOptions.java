package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.Statuses;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The options of a create, update or patch.
 *
 * @param fieldManager empty if the client named none
 * @param force null if the client did not say
 * @param tree the CreateOptions, UpdateOptions or PatchOptions, as admission sees them
 */
record WriteOptions(
        boolean dryRun,
        String fieldManager,
        Validation validation,
        @Nullable Boolean force,
        ObjectNode tree) {

    /** What unknown and duplicate fields lead to. */
    enum Validation {
        IGNORE,
        WARN,
        STRICT
    }

    static WriteOptions create(ApiRequest request) {
        return parse(request, "CreateOptions", false);
    }

    static WriteOptions update(ApiRequest request) {
        return parse(request, "UpdateOptions", false);
    }

    /** @param apply whether the patch is an applied configuration */
    static WriteOptions patch(ApiRequest request, boolean apply) {
        return parse(request, "PatchOptions", apply);
    }

    private static WriteOptions parse(ApiRequest request, String kind, boolean apply) {
        List<String> dryRun = request.query().getOrDefault("dryRun", List.of());
        String manager = orEmpty(request.queryParameter("fieldManager"));
        String validation = orEmpty(request.queryParameter("fieldValidation"));
        boolean patch = kind.equals("PatchOptions");
        Boolean force = patch ? Query.optional(request.queryParameter("force")) : null;

        FieldErrors errors = new FieldErrors();
        if (patch) {
            if (apply && manager.isEmpty()) {
                errors.required("fieldManager", "is required for apply patch");
            } else if (!apply && force != null) {
                errors.forbidden("force", "may not be specified for non-apply patch");
            }
        }
        checkManager(manager, errors);
        boolean dry = checkDryRun(dryRun, errors);
        Validation level =
                switch (validation) {
                    case "Ignore" -> Validation.IGNORE;
                    case "", "Warn" -> Validation.WARN;
                    case "Strict" -> Validation.STRICT;
                    default -> {
                        errors.notSupportedInOrder(
                                "fieldValidation",
                                FieldErrors.text(validation),
                                List.of("", "Ignore", "Strict", "Warn"));
                        yield Validation.WARN;
                    }
                };
        if (!errors.isEmpty()) {
            throw Statuses.invalid("meta.k8s.io", kind, "", errors);
        }
        ObjectNode tree = Json.object().put("kind", kind).put("apiVersion", "meta.k8s.io/v1");
        if (dry) {
            tree.putArray("dryRun").add("All");
        }
        if (force != null) {
            tree.put("force", force);
        }
        if (!manager.isEmpty()) {
            tree.put("fieldManager", manager);
        }
        if (!validation.isEmpty()) {
            tree.put("fieldValidation", validation);
        }
        return new WriteOptions(dry, manager, level, force, tree);
    }

    /** Says what is wrong with {@code dryRun}; true if it asks for a dry run. */
    static boolean checkDryRun(List<String> values, FieldErrors errors) {
        boolean dry = false;
        for (String value : values) {
            if (value.equals("All")) {
                dry = true;
            } else {
                ArrayNode all = Json.object().arrayNode();
                values.forEach(all::add);
                errors.notSupported("dryRun", all, List.of("All"));
                return false;
            }
        }
        return dry;
    }

    private static void checkManager(String manager, FieldErrors errors) {
        if (manager.getBytes(StandardCharsets.UTF_8).length > 128) {
            errors.tooLong("fieldManager", 128);
        }
        // The position in the message is that of the character, not of the byte.
        int position = 0;
        for (int i = 0; i < manager.length(); i += Character.charCount(manager.codePointAt(i)), position++) {
            int c = manager.codePointAt(i);
            int type = Character.getType(c);
            boolean printable = c == ' '
                    || !Character.isISOControl(c)
                            && type != Character.FORMAT
                            && type != Character.SURROGATE
                            && type != Character.UNASSIGNED
                            && type != Character.PRIVATE_USE
                            && !Character.isSpaceChar(c);
            if (!printable) {
                errors.invalid(
                        "fieldManager",
                        manager,
                        "invalid character U+" + String.format("%04X", c) + " (at position " + position + ")");
            }
        }
    }

    /** The name under which changes are booked: what the client said, else the first word of its User-Agent. */
    String managerOr(ApiRequest request) {
        if (!fieldManager.isEmpty()) {
            return fieldManager;
        }
        String agent = orEmpty(request.header("user-agent"));
        int slash = agent.indexOf('/');
        String first = slash < 0 ? agent : agent.substring(0, slash);
        StringBuilder printable = new StringBuilder(first.length());
        first.codePoints().filter(c -> !Character.isISOControl(c)).forEach(printable::appendCodePoint);
        while (printable.toString().getBytes(StandardCharsets.UTF_8).length > 128) {
            printable.setLength(printable.offsetByCodePoints(printable.length(), -1));
        }
        return printable.toString();
    }

    static String orEmpty(@Nullable String text) {
        return text == null ? "" : text;
    }

    static List<String> texts(JsonNode array) {
        List<String> texts = new java.util.ArrayList<>();
        array.forEach(t -> texts.add(t.asText()));
        return texts;
    }
}
