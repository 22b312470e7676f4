package io.trimtab.webhook;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.client.KubernetesJson;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * How the objects of a custom resource go from one of its versions to another: by way of one version, the hub, so that n
 * versions need 2·(n-1) functions and not n². Immutable.
 *
 * <pre>{@code
 * Conversion.hub(WebSite.class)
 *     .spoke(WebSiteV1Alpha1.class, old -> upgraded(old), now -> downgraded(now))
 * }</pre>
 *
 * <p>A function should lose nothing that it cannot win back: what the other version has no field for goes into an annotation.
 *
 * @since 0.1
 */
public final class Conversion {

    /** The two ways of one version, on whole documents. */
    private record Spoke(UnaryOperator<ObjectNode> toHub, UnaryOperator<ObjectNode> fromHub) {}

    private final String group;
    private final String plural;
    private final String kind;
    private final String hub;
    private final @Nullable Class<? extends HasMetadata> hubType;
    private final Map<String, Spoke> spokes;

    private Conversion(
            String group,
            String plural,
            String kind,
            String hub,
            @Nullable Class<? extends HasMetadata> hubType,
            Map<String, Spoke> spokes) {
        this.group = group;
        this.plural = plural;
        this.kind = kind;
        this.hub = hub;
        this.hubType = hubType;
        this.spokes = spokes;
    }

    /** All versions go by way of this class' one; as a rule the one that is stored. */
    public static Conversion hub(Class<? extends HasMetadata> type) {
        return new Conversion(
                HasMetadata.getGroup(type),
                HasMetadata.getPlural(type),
                HasMetadata.getKind(type),
                HasMetadata.getVersion(type),
                type,
                Map.of());
    }

    /** The same for documents without a Java class. */
    public static Conversion hub(String group, String plural, String kind, String version) {
        return new Conversion(group, plural, kind, version, null, Map.of());
    }

    /**
     * The same with one more version.
     *
     * @param toHub metadata need not be carried over; if the result's is the source's, its labels and annotations count
     * @param fromHub the way back
     * @param <H> must be the hub's class
     */
    @SuppressWarnings("unchecked") // checked below
    public <S extends HasMetadata, H extends HasMetadata> Conversion spoke(
            Class<S> type, Class<H> hubClass, Function<S, H> toHub, Function<H, S> fromHub) {
        if (!hubClass.equals(hubType)) {
            throw new IllegalArgumentException("the hub is " + hubType + ", not " + hubClass);
        }
        if (!HasMetadata.getGroup(type).equals(group)
                || !HasMetadata.getKind(type).equals(kind)) {
            throw new IllegalArgumentException(type + " is no version of " + kind + "." + group);
        }
        return spoke(HasMetadata.getVersion(type), typed(type, toHub), typed(hubClass, fromHub));
    }

    /**
     * The same with one more version, converted as documents.
     *
     * @param toHub may change what it is given; {@code apiVersion} and what the server forbids to change in metadata are put
     *     right afterwards
     */
    public Conversion spoke(String version, UnaryOperator<ObjectNode> toHub, UnaryOperator<ObjectNode> fromHub) {
        if (version.equals(hub) || spokes.containsKey(version)) {
            throw new IllegalArgumentException("version " + version + " of " + kind + " is converted already");
        }
        Map<String, Spoke> more = new LinkedHashMap<>(spokes);
        more.put(version, new Spoke(toHub, fromHub));
        return new Conversion(group, plural, kind, hub, hubType, more);
    }

    private static <A extends HasMetadata, B extends HasMetadata> UnaryOperator<ObjectNode> typed(
            Class<A> from, Function<A, B> function) {
        return document -> {
            try {
                A source = KubernetesJson.mapper().treeToValue(document, from);
                return KubernetesJson.mapper().valueToTree(function.apply(source));
            } catch (JsonProcessingException e) {
                throw new IllegalArgumentException(
                        "cannot be read as " + from.getSimpleName() + ": " + e.getOriginalMessage(), e);
            }
        };
    }

    /** The resource's CustomResourceDefinition. */
    public String definition() {
        return plural + "." + group;
    }

    boolean covers(String apiVersion, String ofKind) {
        return kind.equals(ofKind) && apiVersion.startsWith(group + "/");
    }

    /**
     * One object in another version.
     *
     * @throws IllegalArgumentException if there is no way, or it cannot be read
     */
    ObjectNode convert(ObjectNode object, String apiVersion) {
        String from = version(object.path("apiVersion").asText(""));
        String to = version(apiVersion);
        ObjectNode now = object;
        if (!from.equals(to)) {
            if (!from.equals(hub)) {
                now = put(object, group + "/" + hub, spoke(from).toHub().apply(now.deepCopy()));
            }
            if (!to.equals(hub)) {
                now = put(object, apiVersion, spoke(to).fromHub().apply(now.deepCopy()));
            }
        }
        return now;
    }

    private String version(String apiVersion) {
        int slash = apiVersion.indexOf('/');
        if (slash < 0 || !apiVersion.substring(0, slash).equals(group)) {
            throw new IllegalArgumentException("expected a version of " + group + ", found " + apiVersion);
        }
        return apiVersion.substring(slash + 1);
    }

    private Spoke spoke(String version) {
        Spoke spoke = spokes.get(version);
        if (spoke == null) {
            throw new IllegalArgumentException("version " + version + " of " + kind + " is not converted; hub " + hub
                    + ", spokes " + new TreeSet<>(spokes.keySet()));
        }
        return spoke;
    }

    /** The server accepts changed labels and annotations, and nothing else in metadata. */
    private ObjectNode put(ObjectNode source, String apiVersion, ObjectNode converted) {
        ObjectNode result = source.objectNode();
        result.put("apiVersion", apiVersion);
        result.put("kind", kind);
        JsonNode sourceMetadata = source.path("metadata");
        if (sourceMetadata.isObject()) {
            ObjectNode metadata = sourceMetadata.deepCopy();
            JsonNode given = converted.path("metadata");
            boolean carried = given.hasNonNull("name") && given.get("name").equals(sourceMetadata.get("name"));
            if (carried) {
                for (String field : new String[] {"labels", "annotations"}) {
                    metadata.remove(field);
                    if (given.path(field).size() > 0) {
                        metadata.set(field, given.get(field));
                    }
                }
            }
            result.set("metadata", metadata);
        }
        converted.fields().forEachRemaining(field -> {
            if (!result.has(field.getKey()) && !field.getKey().equals("metadata")) {
                result.set(field.getKey(), field.getValue());
            }
        });
        return result;
    }
}
