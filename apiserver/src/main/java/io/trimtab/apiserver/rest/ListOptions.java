package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.schema.DecodeException;
import io.trimtab.apiserver.schema.Decoder;
import io.trimtab.selector.FieldSelector;
import io.trimtab.selector.InvalidSelectorException;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a list or watch asks for, checked.
 *
 * @param version {@code resourceVersion} as sent; empty if unset
 * @param match {@code resourceVersionMatch}; empty if unset
 * @param token {@code continue}; empty if unset
 * @param timeoutSeconds 0 if unset
 * @param initialEvents {@code sendInitialEvents}; null if unset
 */
record ListOptions(
        LabelSelector labels,
        FieldSelector fields,
        String version,
        String match,
        int limit,
        String token,
        int timeoutSeconds,
        boolean bookmarks,
        @Nullable Boolean initialEvents) {

    // Kinds whose conversion refuses unknown fields with a sentence of its own.
    private static final Set<String> PLAIN_REFUSAL = Set.of(
            "pods",
            "nodes",
            "replicationcontrollers",
            "events",
            "namespaces",
            "secrets",
            "services",
            "certificatesigningrequests");

    private static final Pattern INTEGER = Pattern.compile("[+-]?[0-9]+");

    /**
     * Where a list goes on.
     *
     * @param revision the snapshot; -1 for the latest
     */
    record Token(long revision, String startKey) {
        /** As the client keeps it. */
        String encode() {
            ObjectNode json =
                    Json.object().put("v", "meta.k8s.io/v1").put("rv", revision).put("start", startKey);
            return Base64.getUrlEncoder()
                    .withoutPadding()
                    .encodeToString(json.toString().getBytes(StandardCharsets.UTF_8));
        }

        static Token decode(String text) {
            JsonNode json;
            try {
                json = Decoder.parse(fromBase64(text), Decoder.Syntax.JSON, new ArrayList<>());
            } catch (DecodeException e) {
                throw invalid(e.getMessage() == null ? "" : e.getMessage());
            }
            if (json == null || !json.isObject()) {
                throw invalid(
                        "json: cannot unmarshal " + GoKinds.of(json) + " into Go value of type storage.continueToken");
            }
            if (json.has("rv") && !json.path("rv").isIntegralNumber()) {
                throw invalid("json: cannot unmarshal " + GoKinds.of(json.path("rv"))
                        + " into Go struct field continueToken.rv of type int64");
            }
            if (!json.path("v").asText("").equals("meta.k8s.io/v1")) {
                throw invalid("server does not recognize this encoded version "
                        + json.path("v").asText(""));
            }
            long revision = json.path("rv").asLong(0);
            String start = json.path("start").asText("");
            if (revision == 0) {
                throw invalid("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
            }
            if (start.isEmpty()) {
                throw invalid("encoded start key empty (version meta.k8s.io/v1)");
            }
            String clean = java.nio.file.Path.of("/" + start.replace("\u0000", ""))
                    .normalize()
                    .toString();
            if (!clean.equals("/" + start.replace("\u0000", "")) && start.contains("..")) {
                throw invalid(start);
            }
            return new Token(revision, start);
        }

        /** URL-safe and without padding; a mistake is told by its place, as Go does. */
        private static byte[] fromBase64(String text) {
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                boolean legal =
                        c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_';
                if (!legal) {
                    throw invalid("illegal base64 data at input byte " + i);
                }
            }
            if (text.length() % 4 == 1) {
                throw invalid("illegal base64 data at input byte " + (text.length() - 1));
            }
            return Base64.getUrlDecoder().decode(text);
        }

        private static StatusException invalid(String why) {
            return Statuses.badRequest("invalid continue token: continue key is not valid: " + why);
        }
    }

    static ListOptions parse(Call call) {
        return parse(call, call.info.verb().equals("watch"));
    }

    static ListOptions parse(Call call, boolean watch) {
        ApiRequest request = call.request;
        LabelSelector labels;
        FieldSelector fields;
        try {
            String labelText = request.queryParameter("labelSelector");
            labels = labelText == null ? LabelSelectors.everything() : LabelSelectors.parse(labelText);
            String fieldText = request.queryParameter("fieldSelector");
            fields = fieldText == null ? FieldSelector.everything() : FieldSelector.parse(fieldText);
        } catch (InvalidSelectorException e) {
            throw Statuses.badRequest(e.getMessage() == null ? "invalid selector" : e.getMessage());
        }
        fields = supported(call, fields);
        if (watch && call.info.parts().size() > 1) {
            fields = withName(fields, call.info.name());
        }
        String version = WriteOptions.orEmpty(request.queryParameter("resourceVersion"));
        String match = WriteOptions.orEmpty(request.queryParameter("resourceVersionMatch"));
        String token = WriteOptions.orEmpty(request.queryParameter("continue"));
        Boolean initial = Query.optional(request.queryParameter("sendInitialEvents"));
        Boolean bookmarks = Query.optional(request.queryParameter("allowWatchBookmarks"));
        int limit = (int) Math.min(Integer.MAX_VALUE, number(request, "limit"));
        check(version, match, token, initial, watch);
        return new ListOptions(
                labels,
                fields,
                version,
                match,
                Math.max(0, limit),
                token,
                (int) Math.min(Integer.MAX_VALUE, number(request, "timeoutSeconds")),
                Boolean.TRUE.equals(bookmarks),
                initial);
    }

    private static FieldSelector withName(FieldSelector fields, String name) {
        FieldSelector byName = FieldSelector.equal("metadata.name", name);
        if (fields.isEverything()) {
            return byName;
        }
        var terms = new ArrayList<>(fields.requirements());
        terms.addAll(byName.requirements());
        return FieldSelector.of(terms);
    }

    private static void check(String version, String match, String token, @Nullable Boolean initial, boolean watch) {
        FieldErrors errors = new FieldErrors();
        if (watch) {
            if (initial != null && !match.equals("NotOlderThan")) {
                errors.forbidden(
                        "resourceVersionMatch",
                        "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
            }
            if (!match.isEmpty() && initial == null) {
                errors.forbidden(
                        "resourceVersionMatch",
                        "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
            }
            if (!match.isEmpty() && !match.equals("NotOlderThan")) {
                errors.notSupported("resourceVersionMatch", FieldErrors.text(match), Set.of("NotOlderThan"));
            }
            if (!token.isEmpty()) {
                errors.forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
            }
        } else {
            if (!match.isEmpty()) {
                if (version.isEmpty()) {
                    errors.forbidden(
                            "resourceVersionMatch",
                            "resourceVersionMatch is forbidden unless resourceVersion is provided");
                }
                if (!token.isEmpty()) {
                    errors.forbidden(
                            "resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
                }
                if (!match.equals("Exact") && !match.equals("NotOlderThan")) {
                    errors.notSupportedInOrder(
                            "resourceVersionMatch",
                            FieldErrors.text(match),
                            java.util.List.of("Exact", "NotOlderThan", ""));
                }
                if (match.equals("Exact") && version.equals("0")) {
                    errors.forbidden(
                            "resourceVersionMatch",
                            "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
                }
            }
            if (initial != null) {
                errors.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list");
            }
        }
        if (!errors.isEmpty()) {
            throw Statuses.invalid("meta.k8s.io", "ListOptions", "", errors);
        }
    }

    private static FieldSelector supported(Call call, FieldSelector fields) {
        for (String field : fields.fields()) {
            if (field.equals("metadata.name")
                    || field.equals("metadata.namespace")
                            && (call.resource().namespaced()
                                    || !PLAIN_REFUSAL.contains(call.resource().plural()))
                    || call.kind().selectableFields().containsKey(field)) {
                continue;
            }
            String plural = call.resource().plural();
            if (call.resource().custom() || PLAIN_REFUSAL.contains(plural)) {
                throw Statuses.badRequest("field label not supported: " + field);
            }
            if (plural.equals("resourceslices")) {
                throw Statuses.badRequest("field label not supported for "
                        + call.resource().group() + "/" + call.resource().version() + ", Kind=ResourceSlice: " + field);
            }
            if (plural.equals("jobs")) {
                throw Statuses.badRequest("field label \"" + field + "\" not supported for Job");
            }
            throw Statuses.badRequest(
                    "\"" + field + "\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"");
        }
        return fields;
    }

    private static long number(ApiRequest request, String name) {
        String text = request.queryParameter(name);
        if (text == null) {
            return 0;
        }
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            boolean number = INTEGER.matcher(text).matches();
            throw Statuses.badRequest("strconv.ParseInt: parsing " + FieldErrors.quote(text)
                    + (number ? ": value out of range" : ": invalid syntax"));
        }
    }

    /** Reads a version as a number; empty is 0. Get and watch let the error out raw; list wraps it. */
    static long parseVersion(String text, boolean raw) {
        if (text.isEmpty()) {
            return 0;
        }
        boolean digits = text.chars().allMatch(c -> c >= '0' && c <= '9');
        try {
            if (digits) {
                return Long.parseUnsignedLong(text);
            }
        } catch (NumberFormatException e) {
            // too large: refused below
        }
        String why = digits ? "value out of range" : "invalid syntax";
        String message = "resourceVersion: Invalid value: " + FieldErrors.quote(text) + ": strconv.ParseUint: parsing "
                + FieldErrors.quote(text) + ": " + why;
        throw raw ? Statuses.raw(message) : Statuses.badRequest("invalid resource version: " + message);
    }
}
