package io.trimtab.simulate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.client.KubernetesJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What is done to a simulated cluster, and when: a small YAML file. Immutable.
 *
 * <pre>{@code
 * for: 1h
 * seed: 7
 * nodes: 100
 * actions:
 * - at: 1m
 *   apply: web.yaml                 # a file beside this one, or the manifests themselves
 * - at: 5m
 *   scale: deployment/web
 *   replicas: 40
 * - at: 10m
 *   every: 30s
 *   until: 50m
 *   delete: pods
 *   selector: app=web
 *   count: 1                        # by lot
 * - at: 20m
 *   fail: node-7
 *   for: 10m
 * }</pre>
 *
 * @param length how long the run is; null if the file does not say
 * @param seed of all that is drawn by lot; null if the file does not say
 * @param nodes simulated nodes besides those that are imported; null if the file does not say
 * @param controllers as {@code --controllers} has it; null if the file does not say
 * @param actions in the order of the file
 * @since 0.1
 */
public record Scenario(
        @Nullable Duration length,
        @Nullable Long seed,
        @Nullable Integer nodes,
        @Nullable List<String> controllers,
        List<Action> actions) {

    /** Nothing is done. */
    public static final Scenario QUIET = new Scenario(null, null, null, null, List.of());

    private static final Set<String> FIELDS = Set.of("for", "seed", "nodes", "controllers", "actions");

    public Scenario {
        actions = List.copyOf(actions);
        controllers = controllers == null ? null : List.copyOf(controllers);
    }

    /** What is done. */
    public enum Verb {
        APPLY("apply"),
        DELETE("delete", "namespace", "selector", "count"),
        PATCH("patch", "with", "namespace"),
        SCALE("scale", "replicas", "namespace"),
        RESTART("restart", "namespace"),
        CORDON("cordon"),
        UNCORDON("uncordon"),
        DRAIN("drain"),
        FAIL("fail", "for"),
        RECOVER("recover"),
        ADD_NODES("addNodes");

        final String field;
        final Set<String> others;

        Verb(String field, String... others) {
            this.field = field;
            this.others = Set.of(others);
        }
    }

    /**
     * One line of a scenario.
     *
     * @param at from the begin of the run
     * @param every how often it is repeated; null for once
     * @param until when the last repetition may be; null for the end
     * @param verb what is done
     * @param subject to what: {@code deployment/web}, a node, or a file's text
     * @param details the line's other fields
     */
    public record Action(
            Duration at,
            @Nullable Duration every,
            @Nullable Duration until,
            Verb verb,
            JsonNode subject,
            ObjectNode details) {
        String text(String field) {
            return details.path(field).asText("");
        }
    }

    /**
     * Reads a file. One that holds Kubernetes objects is a scenario in which they are applied at the beginning.
     *
     * @throws SimulationException that says what is wrong where
     */
    public static Scenario read(Path file) {
        try {
            return parse(
                    Files.readString(file),
                    file.toString(),
                    file.toAbsolutePath().getParent());
        } catch (IOException e) {
            throw new SimulationException(file + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** Reads a text; files that it names are beside {@code directory}'s. */
    public static Scenario parse(String text, String source, @Nullable Path directory) {
        List<JsonNode> documents = ClusterState.documents(text, source);
        if (documents.isEmpty()) {
            return QUIET;
        }
        if (documents.get(0).has("apiVersion")) {
            return QUIET.and(new Action(
                    Duration.ZERO,
                    null,
                    null,
                    Verb.APPLY,
                    KubernetesJson.mapper().getNodeFactory().textNode(text),
                    KubernetesJson.mapper().createObjectNode()));
        }
        JsonNode root = documents.get(0);
        check(root, FIELDS, source);
        List<Action> actions = new ArrayList<>();
        for (JsonNode line : root.path("actions")) {
            actions.add(action(line, source + ", action " + (actions.size() + 1), directory));
        }
        return new Scenario(
                root.has("for") ? Times.parse(root.path("for").asText(), source + ", for") : null,
                root.has("seed") ? root.path("seed").asLong() : null,
                root.has("nodes") ? root.path("nodes").asInt() : null,
                root.has("controllers") ? selection(root.path("controllers")) : null,
                actions);
    }

    private static List<String> selection(JsonNode node) {
        if (node instanceof ArrayNode array) {
            List<String> names = new ArrayList<>();
            array.forEach(name -> names.add(name.asText()));
            return names;
        }
        return Arrays.stream(node.asText().split(","))
                .map(String::strip)
                .filter(name -> !name.isEmpty())
                .toList();
    }

    private static void check(JsonNode object, Set<String> known, String where) {
        object.fieldNames().forEachRemaining(field -> {
            if (!known.contains(field)) {
                throw new SimulationException(
                        where + ": \"" + field + "\" is not one of " + String.join(", ", new TreeSet<>(known)));
            }
        });
    }

    private static Action action(JsonNode line, String where, @Nullable Path directory) {
        Verb verb = null;
        for (Verb candidate : Verb.values()) {
            if (line.has(candidate.field)) {
                if (verb != null) {
                    throw new SimulationException(where + ": has " + verb.field + " and " + candidate.field
                            + "; give each a line of its own");
                }
                verb = candidate;
            }
        }
        if (verb == null) {
            throw new SimulationException(where + ": expected one of "
                    + String.join(
                            ", ", Arrays.stream(Verb.values()).map(v -> v.field).toList())
                    + "; found " + Fields.shown(line));
        }
        Set<String> known = new TreeSet<>(verb.others);
        known.addAll(Set.of("at", "every", "until", verb.field));
        check(line, known, where);
        JsonNode subject = line.path(verb.field);
        if (verb == Verb.APPLY) {
            subject = manifests(subject, where, directory);
        }
        Duration every = line.has("every") ? Times.parse(line.path("every").asText(), where + ", every") : null;
        if (every != null && every.isZero()) {
            throw new SimulationException(where + ": every 0 would never end");
        }
        return new Action(
                Times.parse(line.path("at").asText("0"), where + ", at"),
                every,
                line.has("until") ? Times.parse(line.path("until").asText(), where + ", until") : null,
                verb,
                subject,
                (ObjectNode) line);
    }

    /** A file's text instead of its name. */
    private static JsonNode manifests(JsonNode subject, String where, @Nullable Path directory) {
        String text = subject.asText("");
        if (subject.isTextual() && text.indexOf('\n') < 0 && !text.startsWith("{")) {
            Path file = directory == null ? Path.of(text) : directory.resolve(text);
            try {
                return KubernetesJson.mapper().getNodeFactory().textNode(Files.readString(file));
            } catch (IOException e) {
                throw new SimulationException(where + ": " + file + " cannot be read: " + e.getMessage(), e);
            }
        }
        return subject;
    }

    /** The same with one more action. */
    public Scenario and(Action action) {
        List<Action> more = new ArrayList<>(actions);
        more.add(action);
        return new Scenario(length, seed, nodes, controllers, more);
    }

    /** Both: what this one does not say, the other does. */
    public Scenario and(Scenario other) {
        List<Action> all = new ArrayList<>(actions);
        all.addAll(other.actions);
        return new Scenario(
                length != null ? length : other.length,
                seed != null ? seed : other.seed,
                nodes != null ? nodes : other.nodes,
                controllers != null ? controllers : other.controllers,
                all);
    }
}
