package io.trimtab.apiserver.schema;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The types of Kubernetes 1.34, by name and by kind; and the door for those of custom resources. Thread-safe. Reads its two data
 * files once and indexes them by line; a type is parsed when it is first used, so that opening the registry costs a few
 * milliseconds.
 *
 * <p>{@code types.json} holds the OpenAPI definitions, one a line. {@code go-types.tsv} holds what OpenAPI does not say, by the
 * same names, read by reflection off the Go types of the release: the struct, then its fields in declared order as {@code
 * name|options|kind|types}, where options are {@code o} (omitempty) and {@code z} (omitzero), kind is the memory type ({@code S}
 * a struct, {@code []}, <code>{}</code> and {@code *} lists, maps and pointers of one) and types are the names that errors show,
 * from the outermost to the innermost. A new release needs both files made anew; a test checks that they agree.
 */
public final class SchemaRegistry {

    private static final String GVK = "\"x-kubernetes-group-version-kind\":";

    private static final class Builtin {
        static final SchemaRegistry INSTANCE = new SchemaRegistry();
    }

    private final Map<String, String> definitions;
    private final Map<String, String> goLines;
    private final Map<String, String> byKind = new HashMap<>();
    private final Map<String, TypeNode> nodes = new ConcurrentHashMap<>();

    private SchemaRegistry() {
        definitions = new HashMap<>(1024);
        for (String line : resource("types.json").split("\n")) {
            int colon = line.indexOf("\":");
            if (line.startsWith("\"") && colon > 0) {
                String name = line.substring(1, colon);
                definitions.put(
                        name,
                        line.endsWith(",") ? line.substring(colon + 2, line.length() - 1) : line.substring(colon + 2));
                indexKinds(name, line);
            }
        }
        goLines = new HashMap<>(1024);
        for (String line : resource("go-types.tsv").split("\n")) {
            int tab = line.indexOf('\t');
            if (tab > 0) {
                goLines.put(line.substring(0, tab), line);
            }
        }
    }

    /** The one instance: the data does not change while the program runs. */
    public static SchemaRegistry builtin() {
        return Builtin.INSTANCE;
    }

    private static String resource(String file) {
        try (InputStream in = SchemaRegistry.class.getResourceAsStream("/io/trimtab/apiserver/" + file)) {
            if (in == null) {
                throw new IllegalStateException("the jar lacks " + file);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void indexKinds(String name, String line) {
        int at = line.lastIndexOf(GVK);
        if (at < 0) {
            return;
        }
        int end = line.indexOf(']', at);
        for (String one : line.substring(at + GVK.length() + 1, end).split("}")) {
            String kind = member(one, "kind");
            if (!kind.isEmpty()) {
                byKind.putIfAbsent(member(one, "group") + "/" + member(one, "version") + "/" + kind, name);
            }
        }
    }

    private static String member(String json, String name) {
        int at = json.indexOf("\"" + name + "\":\"");
        return at < 0 ? "" : json.substring(at + name.length() + 4, json.indexOf('"', at + name.length() + 4));
    }

    /** The type of a built-in kind. */
    public Optional<Schema> forKind(String group, String version, String kind) {
        String name = byKind.get(group + "/" + version + "/" + kind);
        return name == null ? Optional.empty() : Optional.of(definition(name));
    }

    /** The type of that name, such as {@code io.k8s.api.core.v1.PodSpec}. */
    public Optional<Schema> forName(String definition) {
        return definitions.containsKey(definition) ? Optional.of(definition(definition)) : Optional.empty();
    }

    /** Whether a built-in kind of this name exists in the group version. */
    public boolean isRegistered(String group, String version, String kind) {
        return byKind.containsKey(group + "/" + version + "/" + kind);
    }

    /** All names of definitions. */
    public java.util.Set<String> names() {
        return Collections.unmodifiableSet(definitions.keySet());
    }

    /**
     * The type of a custom resource's version.
     *
     * @param openApiV3Schema a structural schema; {@code apiVersion}, {@code kind} and {@code metadata} are added. Not kept, and
     *     not changed.
     */
    public Schema fromOpenApi(ObjectNode openApiV3Schema) {
        ObjectNode root = openApiV3Schema.deepCopy();
        root.put("type", "object").put("x-kubernetes-embedded-resource", true);
        return new TypeNode(this, "", root, "", "", null, true);
    }

    /** The OpenAPI text of a definition; for publishing. */
    public Optional<String> openApi(String definition) {
        return Optional.ofNullable(definitions.get(definition));
    }

    TypeNode definition(String name) {
        TypeNode node = nodes.get(name);
        return node != null ? node : nodes.computeIfAbsent(name, this::parse);
    }

    private TypeNode parse(String name) {
        String json = definitions.get(name);
        if (json == null) {
            throw new IllegalArgumentException("no type is called " + name);
        }
        String @Nullable [] go = null;
        String line = goLines.get(name);
        if (line != null) {
            go = line.split("\t");
        }
        return new TypeNode(this, name, read(json), "", go == null ? goName(name) : go[1], go, false);
    }

    // Not by an ObjectMapper: the first one costs a cold JVM more than all that is done here.
    private static ObjectNode read(String json) {
        try {
            return (ObjectNode)
                    Decoder.parse(json.getBytes(StandardCharsets.UTF_8), Decoder.Syntax.JSON, new ArrayList<>());
        } catch (DecodeException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String goName(String definition) {
        int last = definition.lastIndexOf('.');
        int before = definition.lastIndexOf('.', last - 1);
        return definition.substring(before + 1);
    }
}
