package io.trimtab.apiserver.rest;

import io.trimtab.apiserver.Accept;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
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

    private static final List<String> OBJECTS =
            List.of(Format.JSON.mediaType(), Format.YAML.mediaType(), Format.PROTOBUF.mediaType());
    private static final List<String> STREAMS =
            List.of("application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch");
    private static final List<String> LISTS =
            Stream.concat(OBJECTS.stream(), STREAMS.stream()).toList();

    /**
     * Finds the form of the answer.
     *
     * @throws StatusException 406
     */
    static Representation negotiate(Call call, Endpoint endpoint) {
        ApiRequest request = call.request;
        boolean gzip = acceptsGzip(request);
        Accept accept = Accept.of(request);
        boolean watch = endpoint == Endpoint.WATCH;
        if (accept.header().isEmpty()) {
            return new Representation(Format.JSON, As.OBJECT, "", wantsPretty(request) && !watch, gzip && !watch);
        }
        if (!call.resource().custom()) { // no route leads to those
            route(accept, endpoint == Endpoint.LIST || watch ? LISTS : OBJECTS);
        }
        for (Accept.Clause clause : accept.clauses()) {
            for (Format format : Format.values()) {
                if (!clause.takes(format.mediaType()) || !allows(clause, format)) {
                    continue;
                }
                As as = as(clause.parameters(), endpoint, format);
                if (as == null
                        || as == As.OBJECT
                                && format == Format.PROTOBUF
                                && call.resource().custom()) {
                    continue;
                }
                if (watch && format == Format.YAML) {
                    throw notAcceptable(STREAMS); // a stream has no form in YAML, and nobody looks further
                }
                String version = as == As.OBJECT ? "" : clause.parameters().getOrDefault("v", "v1");
                boolean pretty = !watch && (wantsPretty(request) || isPretty(clause));
                return new Representation(format, as, version, pretty, gzip && !watch);
            }
        }
        throw notAcceptable(OBJECTS);
    }

    /**
     * The form of a document that is what it is: discovery, say.
     *
     * @param routed whether a route stands before it, which names what it can produce
     * @throws StatusException 406
     */
    public static Representation ofDocument(ApiRequest request, boolean routed) {
        Accept accept = Accept.of(request);
        if (routed) {
            route(accept, OBJECTS);
        }
        Representation form = plain(request, accept);
        if (form == null) {
            throw notAcceptable(OBJECTS);
        }
        return form;
    }

    /** The form for an error: never refuses. A client that would take nothing plain gets JSON that people can read. */
    public static Representation forErrors(ApiRequest request) {
        Representation form = plain(request, Accept.of(request));
        return form == null ? new Representation(Format.JSON, As.OBJECT, "", true, false) : form;
    }

    private static @Nullable Representation plain(ApiRequest request, Accept accept) {
        boolean pretty = wantsPretty(request);
        if (accept.header().isEmpty()) {
            return new Representation(Format.JSON, As.OBJECT, "", pretty, false);
        }
        for (Accept.Clause clause : accept.clauses()) {
            for (Format format : Format.values()) {
                if (clause.takes(format.mediaType()) && allows(clause, format) && !converts(clause.parameters())) {
                    return new Representation(format, As.OBJECT, "", pretty || isPretty(clause), false);
                }
            }
        }
        return null;
    }

    /**
     * Refuses what a route that produces these types would not take.
     *
     * @throws StatusException 406
     */
    public static void route(Accept accept, List<String> types) {
        if (!accept.routes(types)) {
            throw Statuses.of(
                    406,
                    "NotAcceptable",
                    "406: Not Acceptable\n\nAvailable representations: " + String.join(", ", types),
                    Json.object());
        }
    }

    private static StatusException notAcceptable(List<String> types) {
        return Statuses.notAcceptable("only the following media types are accepted: " + String.join(", ", types));
    }

    private static boolean isPretty(Accept.Clause clause) {
        return "1".equals(clause.parameters().get("pretty"));
    }

    private static boolean converts(Map<String, String> parameters) {
        return parameters.containsKey("as") || parameters.containsKey("g") || parameters.containsKey("v");
    }

    /** The only stream there is holds events, and has no form in YAML. */
    private static boolean allows(Accept.Clause clause, Format format) {
        String stream = clause.parameters().getOrDefault("stream", "");
        return (stream.isEmpty() || stream.equals("watch") && format != Format.YAML)
                && clause.parameters().getOrDefault("sv", "").isEmpty();
    }

    /** Null for what cannot be had: tables have no form in protobuf, and of what is not stored there is no other form at all. */
    private static @Nullable As as(Map<String, String> parameters, Endpoint endpoint, Format format) {
        if (!converts(parameters)) {
            return As.OBJECT;
        }
        String version = parameters.getOrDefault("v", "");
        if (!parameters.getOrDefault("g", "").equals("meta.k8s.io")
                || !version.equals("v1") && !version.equals("v1beta1")
                || endpoint == Endpoint.VIRTUAL) {
            return null;
        }
        return switch (parameters.getOrDefault("as", "")) {
            case "Table" -> format == Format.PROTOBUF ? null : As.TABLE;
            case "PartialObjectMetadata" -> As.PARTIAL;
            case "PartialObjectMetadataList" -> As.PARTIAL_LIST;
            default -> null;
        };
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
