package io.trimtab.apiserver.discovery;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.protobuf.ProtobufEncoder;
import io.trimtab.apiserver.rest.Representation;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Writes documents the way clients asked for: JSON, indented JSON or YAML. */
public final class Documents {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final ObjectWriter PRETTY = JSON.writer(new DefaultPrettyPrinter()
            .withSeparators(Separators.createDefaultInstance()
                    .withObjectFieldValueSpacing(Separators.Spacing.AFTER)
                    .withObjectEmptySeparator("")
                    .withArrayEmptySeparator(""))
            .withObjectIndenter(new DefaultIndenter("  ", "\n"))
            .withArrayIndenter(new DefaultIndenter("  ", "\n")));
    private static final ObjectMapper YAML = new ObjectMapper(YAMLFactory.builder()
                    .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                    .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
                    .disable(YAMLGenerator.Feature.SPLIT_LINES)
                    .build())
            .configure(com.fasterxml.jackson.databind.SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS, true);

    private Documents() {}

    /**
     * A document as the Accept header wants it.
     *
     * @throws StatusException 406 if it wants something else
     */
    public static ApiResponse negotiated(ApiRequest request, ObjectNode document) {
        return negotiated(request, document, true);
    }

    /** Whether {@link #negotiated} would answer with compact JSON, as far as that can be told at a glance. */
    static boolean isPlainJson(ApiRequest request) {
        return "application/json".equals(request.header("accept"))
                && !Representation.forErrors(request).pretty();
    }

    /**
     * A document as the Accept header wants it.
     *
     * @param routed whether a route with the same types stands before it
     * @throws StatusException 406 if it wants something else
     */
    static ApiResponse negotiated(ApiRequest request, ObjectNode document, boolean routed) {
        Representation form = Representation.ofDocument(request, routed);
        String type = form.format().mediaType();
        return switch (form.format()) {
            case JSON -> whole(type, form.pretty() ? pretty(document) : compact(document));
            case YAML -> whole(type, yaml(document));
            case PROTOBUF -> whole(type, ProtobufEncoder.object(document));
        };
    }

    /** Text that needs no more than to be written. */
    public static ApiResponse.Whole plain(String text) {
        return whole("text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
    }

    /** Text, with the header that Go's http.Error sets. */
    public static ApiResponse.Whole text(int code, String text) {
        Map<String, List<String>> headers = new LinkedHashMap<>();
        headers.put("Content-Type", List.of("text/plain; charset=utf-8"));
        headers.put("X-Content-Type-Options", List.of("nosniff"));
        return new ApiResponse.Whole(code, headers, text.getBytes(StandardCharsets.UTF_8));
    }

    /** A body with a content type. */
    public static ApiResponse.Whole whole(String type, byte[] body) {
        return new ApiResponse.Whole(200, Map.of("Content-Type", List.of(type)), body);
    }

    /** Without spaces, with a newline at the end. */
    public static byte[] compact(ObjectNode document) {
        byte[] text = bare(document);
        byte[] line = java.util.Arrays.copyOf(text, text.length + 1);
        line[text.length] = '\n';
        return line;
    }

    /** Without spaces and newline. */
    static byte[] bare(ObjectNode document) {
        try {
            return escape(JSON.writeValueAsString(document)).getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** With two spaces a level. */
    public static byte[] pretty(ObjectNode document) {
        try {
            return escape(PRETTY.writeValueAsString(document)).getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] yaml(ObjectNode document) {
        try {
            // Through plain maps, for keys are sorted in YAML.
            return YAML.writeValueAsBytes(JSON.treeToValue(document, Map.class));
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Go writes these so that JSON can stand inside HTML. */
    private static String escape(String json) {
        if (json.indexOf('<') < 0 && json.indexOf('>') < 0 && json.indexOf('&') < 0) {
            return json;
        }
        return json.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026");
    }

    /** The type of a media range, in lower case and without parameters. */
    public static String mediaType(String range) {
        int semicolon = range.indexOf(';');
        return (semicolon < 0 ? range : range.substring(0, semicolon)).trim().toLowerCase(Locale.ROOT);
    }

    /** The parameters of a media range. */
    public static Map<String, String> parameters(String range) {
        Map<String, String> parameters = new LinkedHashMap<>();
        String[] parts = range.split(";");
        for (int i = 1; i < parts.length; i++) {
            int eq = parts[i].indexOf('=');
            if (eq > 0) {
                parameters.put(
                        parts[i].substring(0, eq).trim().toLowerCase(Locale.ROOT),
                        parts[i].substring(eq + 1).trim());
            }
        }
        return parameters;
    }
}
