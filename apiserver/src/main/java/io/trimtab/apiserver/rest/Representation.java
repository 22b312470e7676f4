package io.trimtab.apiserver.rest;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The form in which a client wants the answer, negotiated from its headers.
 *
 * @param as what objects are turned into
 * @param metaVersion of {@code meta.k8s.io}, for all but {@link As#OBJECT}
 * @param gzip whether a large body may be compressed
 */
public record Representation(Format format, As as, String metaVersion, boolean pretty, boolean gzip) {

    /** How trees become bytes. */
    public enum Format {
        JSON("application/json"),
        YAML("application/yaml"),
        PROTOBUF("application/vnd.kubernetes.protobuf");

        private final String mediaType;

        Format(String mediaType) {
            this.mediaType = mediaType;
        }

        public String mediaType() {
            return mediaType;
        }
    }

    /** What objects become. */
    public enum As {
        OBJECT,
        TABLE,
        PARTIAL,
        PARTIAL_LIST
    }

    /** What the endpoint can answer with. */
    enum Endpoint {
        /** One object. */
        OBJECT,
        /** A list. */
        LIST,
        /** A stream of objects. */
        WATCH,
        /** Something that is not stored, such as a review. */
        VIRTUAL
    }

    /** For errors, when nothing better is known. */
    public static final Representation JSON = new Representation(Format.JSON, As.OBJECT, "", false, false);

    private static final String OBJECT_TYPES =
            "application/json, application/yaml, application/vnd.kubernetes.protobuf";
    private static final String STREAM_TYPES =
            "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";

    private record Clause(String type, Map<String, String> parameters, double quality) {}

    /**
     * Finds the form of the answer.
     *
     * @throws StatusException 406
     */
    static Representation negotiate(Call call, Endpoint endpoint) {
        ApiRequest request = call.request;
        boolean pretty = wantsPretty(request);
        boolean gzip = acceptsGzip(request);
        List<Clause> clauses = clauses(request.headers().get("accept"));
        boolean watch = endpoint == Endpoint.WATCH;
        if (clauses.isEmpty()) {
            return new Representation(Format.JSON, As.OBJECT, "", pretty && !watch, gzip && !watch);
        }
        boolean routed = false;
        for (Clause clause : clauses) {
            Format format = format(clause.type());
            routed |= format != null;
            if (format == null || watch && format == Format.YAML) {
                continue;
            }
            As as = as(clause.parameters(), endpoint);
            if (as == null || format == Format.PROTOBUF && !hasMessage(as, call)) {
                continue;
            }
            String version = as == As.OBJECT ? "" : clause.parameters().getOrDefault("v", "v1");
            return new Representation(format, as, version, pretty && !watch, gzip && !watch);
        }
        if (!routed) {
            String types = endpoint == Endpoint.LIST || watch ? OBJECT_TYPES + ", " + STREAM_TYPES : OBJECT_TYPES;
            throw Statuses.of(
                    406, "NotAcceptable", "406: Not Acceptable\n\nAvailable representations: " + types, Json.object());
        }
        throw Statuses.notAcceptable(
                "only the following media types are accepted: " + (watch ? STREAM_TYPES : OBJECT_TYPES));
    }

    /** The form for an error: never refuses. A client that would take nothing plain gets JSON that people can read. */
    public static Representation forErrors(ApiRequest request) {
        boolean pretty = wantsPretty(request);
        List<Clause> clauses = clauses(request.headers().get("accept"));
        for (Clause clause : clauses) {
            Format format = format(clause.type());
            if (format != null && !clause.parameters().containsKey("as")) {
                return new Representation(format, As.OBJECT, "", pretty, false);
            }
        }
        return new Representation(Format.JSON, As.OBJECT, "", pretty || !clauses.isEmpty(), false);
    }

    private static @Nullable Format format(String type) {
        return switch (type) {
            case "application/json", "*/*", "application/*" -> Format.JSON;
            case "application/yaml" -> Format.YAML;
            case "application/vnd.kubernetes.protobuf" -> Format.PROTOBUF;
            default -> null;
        };
    }

    /** Tables have no form in protobuf, and of custom resources only the metadata has. */
    private static boolean hasMessage(As as, Call call) {
        return switch (as) {
            case OBJECT -> !call.resource().custom();
            case PARTIAL, PARTIAL_LIST -> true;
            case TABLE -> false;
        };
    }

    private static @Nullable As as(Map<String, String> parameters, Endpoint endpoint) {
        String as = parameters.get("as");
        if (as == null) {
            return As.OBJECT;
        }
        String version = parameters.getOrDefault("v", "");
        if (!parameters.getOrDefault("g", "").equals("meta.k8s.io")
                || !version.equals("v1") && !version.equals("v1beta1")
                || endpoint == Endpoint.VIRTUAL) {
            return null;
        }
        return switch (as) {
            case "Table" -> As.TABLE;
            case "PartialObjectMetadata" -> endpoint == Endpoint.LIST ? null : As.PARTIAL;
            case "PartialObjectMetadataList" -> endpoint == Endpoint.LIST ? As.PARTIAL_LIST : null;
            default -> null;
        };
    }

    private static List<Clause> clauses(@Nullable List<String> headers) {
        if (headers == null) {
            return List.of();
        }
        List<Clause> clauses = new ArrayList<>(2);
        for (String header : headers) {
            for (String part : header.split(",")) {
                // With what stands behind the last semicolon, or ";" would have no first piece.
                String[] pieces = part.split(";", -1);
                String type = pieces[0].trim().toLowerCase(Locale.ROOT);
                if (type.isEmpty()) {
                    continue;
                }
                Map<String, String> parameters = new HashMap<>(4);
                double quality = 1;
                for (int i = 1; i < pieces.length; i++) {
                    int eq = pieces[i].indexOf('=');
                    if (eq > 0) {
                        String name = pieces[i].substring(0, eq).trim();
                        String value = pieces[i].substring(eq + 1).trim();
                        if (name.equals("q")) {
                            quality = quality(value);
                        } else {
                            parameters.put(name, value);
                        }
                    }
                }
                clauses.add(new Clause(type, parameters, quality));
            }
        }
        clauses.sort(Comparator.comparingDouble(Clause::quality).reversed()); // stable
        return clauses;
    }

    private static double quality(String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            return 1;
        }
    }

    private static boolean wantsPretty(ApiRequest request) {
        String asked = request.queryParameter("pretty");
        if (asked != null && !asked.isEmpty()) {
            return Query.isTrue(asked);
        }
        String agent = request.header("user-agent");
        return agent != null
                && (agent.startsWith("curl") || agent.startsWith("Wget") || agent.startsWith("Mozilla/5.0"));
    }

    private static boolean acceptsGzip(ApiRequest request) {
        List<String> headers = request.headers().get("accept-encoding");
        if (headers == null) {
            return false;
        }
        for (String header : headers) {
            for (String part : header.split(",")) {
                if (part.trim().equals("gzip")) {
                    return true;
                }
            }
        }
        return false;
    }
}
