package io.trimtab.simulate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.schema.DecodeException;
import io.trimtab.apiserver.schema.Decoder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The objects of a cluster at one moment, as {@code kubectl get -o yaml} prints them: to be imported. Those with a UID are taken
 * over as they are, status included; those without were never in a cluster, and are applied. Immutable by agreement.
 *
 * @param objects trees of single objects
 * @param source where they come from, for messages; empty if nothing is imported
 * @since 0.1
 */
public record ClusterState(List<ObjectNode> objects, String source) {
    /** Nothing. */
    public static final ClusterState EMPTY = new ClusterState(List.of(), "");

    public ClusterState {
        objects = List.copyOf(objects);
    }

    /** Both. */
    public ClusterState and(ClusterState other) {
        List<ObjectNode> all = new ArrayList<>(objects);
        all.addAll(other.objects);
        return new ClusterState(all, source.isEmpty() ? other.source : source + ", " + other.source);
    }

    /**
     * The objects in files, or in all {@code .yaml, .yml, .json} files of a directory: lists, several documents, or both.
     *
     * @throws SimulationException if one cannot be read
     */
    public static ClusterState read(Path path) {
        try {
            if (Files.isDirectory(path)) {
                ClusterState all = new ClusterState(List.of(), path.toString());
                List<Path> files;
                try (Stream<Path> listing = Files.list(path)) {
                    files = listing.filter(file -> file.toString().matches(".*\\.(ya?ml|json)"))
                            .sorted()
                            .toList();
                }
                List<ObjectNode> objects = new ArrayList<>();
                for (Path file : files) {
                    objects.addAll(read(file).objects());
                }
                return new ClusterState(objects, all.source());
            }
            return parse(Files.readString(path), path.toString());
        } catch (IOException e) {
            throw new SimulationException(path + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** The objects in a stream, such as standard input. */
    public static ClusterState read(InputStream in, String source) {
        try {
            return parse(new String(in.readAllBytes(), StandardCharsets.UTF_8), source);
        } catch (IOException e) {
            throw new SimulationException(source + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** The objects in a text of YAML or JSON. */
    public static ClusterState parse(String text, String source) {
        List<ObjectNode> objects = new ArrayList<>();
        for (JsonNode document : documents(text, source)) {
            add(document, objects, source);
        }
        return new ClusterState(objects, source);
    }

    /** The documents of a text, as Kubernetes reads them. */
    static List<JsonNode> documents(String text, String source) {
        List<JsonNode> documents = new ArrayList<>();
        for (String part : text.split("(?m)^---(?=\\s|$)")) {
            String document = part.strip();
            if (document.isEmpty() || document.lines().allMatch(line -> line.isBlank() || line.startsWith("#"))) {
                continue;
            }
            try {
                documents.add(Decoder.parse(
                        part.getBytes(StandardCharsets.UTF_8),
                        document.startsWith("{") ? Decoder.Syntax.JSON : Decoder.Syntax.YAML,
                        new ArrayList<>()));
            } catch (DecodeException e) {
                throw new SimulationException(source + ": " + e.getMessage(), e);
            }
        }
        return documents;
    }

    private static void add(JsonNode document, List<ObjectNode> objects, String source) {
        String kind = document.path("kind").asText("");
        if (kind.endsWith("List") && document.path("items").isArray()) {
            String itemKind = kind.substring(0, kind.length() - 4);
            for (JsonNode item : document.path("items")) {
                if (item instanceof ObjectNode object) {
                    // Lists of one kind leave it out of their items.
                    if (!object.has("kind") && !itemKind.isEmpty()) {
                        object.put("kind", itemKind);
                        object.set("apiVersion", document.path("apiVersion"));
                    }
                    add(object, objects, source);
                }
            }
        } else if (document instanceof ObjectNode object && object.has("apiVersion") && !kind.isEmpty()) {
            objects.add(object);
        } else {
            throw new SimulationException(
                    source + ": expected Kubernetes objects, with apiVersion and kind, or lists of" + " them; found "
                            + Fields.shown(document));
        }
    }

    /** The newest time that any object tells of: when this was the state of the cluster, more or less. */
    Optional<Instant> moment() {
        Instant newest = null;
        for (ObjectNode object : objects) {
            if (object.path("metadata").has("uid")) {
                newest = newest(object, newest);
            }
        }
        return Optional.ofNullable(newest);
    }

    private static @org.jspecify.annotations.Nullable Instant newest(
            JsonNode node, @org.jspecify.annotations.Nullable Instant known) {
        Instant newest = known;
        if (node.isTextual()) {
            String text = node.asText();
            if (text.length() >= 20
                    && text.length() <= 35
                    && text.charAt(4) == '-'
                    && text.charAt(10) == 'T'
                    && text.endsWith("Z")) {
                try {
                    Instant time = OffsetDateTime.parse(text).toInstant();
                    // What lies years ahead is an expiry date and not a moment that was.
                    if (newest == null || time.isAfter(newest)) {
                        newest = time;
                    }
                } catch (DateTimeParseException e) {
                    return newest; // only looked like one
                }
            }
            return newest;
        }
        var fields = node.fields();
        if (node.isObject()) {
            while (fields.hasNext()) {
                var field = fields.next();
                if (TIMES.contains(field.getKey()) || field.getValue().isContainerNode()) {
                    newest = newest(field.getValue(), newest);
                }
            }
        } else {
            for (JsonNode item : node) {
                if (item.isContainerNode()) {
                    newest = newest(item, newest);
                }
            }
        }
        return newest;
    }

    /** Fields that tell when something was, and never when something will be. */
    private static final java.util.Set<String> TIMES = java.util.Set.of(
            "creationTimestamp",
            "lastHeartbeatTime",
            "lastTransitionTime",
            "lastUpdateTime",
            "lastProbeTime",
            "lastScheduleTime",
            "lastSuccessfulTime",
            "lastScaleTime",
            "renewTime",
            "acquireTime",
            "startTime",
            "startedAt",
            "finishedAt",
            "completionTime",
            "time");
}
