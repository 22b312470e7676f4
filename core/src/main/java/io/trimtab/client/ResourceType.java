package io.trimtab.client;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespaced;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Names a resource of the API and the Java type its objects are read as. Immutable.
 *
 * @param group the API group, empty for core
 * @param version the API version, such as {@code v1}
 * @param plural the resource, such as {@code pods}
 * @param kind the kind, such as {@code Pod}
 * @param namespaced whether objects live in namespaces
 * @param javaType what objects are read as
 */
public record ResourceType<T extends HasMetadata>(
        String group, String version, String plural, String kind, boolean namespaced, Class<T> javaType) {

    /** The resource of a Fabric8 model class (or of a user's, annotated like one). */
    public static <T extends HasMetadata> ResourceType<T> of(Class<T> type) {
        return new ResourceType<>(
                HasMetadata.getGroup(type),
                HasMetadata.getVersion(type),
                HasMetadata.getPlural(type),
                HasMetadata.getKind(type),
                Namespaced.class.isAssignableFrom(type),
                type);
    }

    /** A resource whose objects are read as trees. */
    public static ResourceType<GenericKubernetesResource> dynamic(
            String group, String version, String plural, String kind, boolean namespaced) {
        return new ResourceType<>(group, version, plural, kind, namespaced, GenericKubernetesResource.class);
    }

    // By hand: every call asks, and what is made for a record is slow until it is well warmed up.
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ResourceType<?> type
                && javaType == type.javaType
                && namespaced == type.namespaced
                && plural.equals(type.plural)
                && group.equals(type.group)
                && version.equals(type.version)
                && kind.equals(type.kind);
    }

    @Override
    public int hashCode() {
        return (group.hashCode() * 31 + version.hashCode()) * 31 + plural.hashCode();
    }

    /** {@code v1} or {@code apps/v1}. */
    public String apiVersion() {
        return group.isEmpty() ? version : group + "/" + version;
    }

    /** {@code pods} or {@code deployments.apps}: how messages and RBAC name the resource. */
    public String qualifiedName() {
        return group.isEmpty() ? plural : plural + "." + group;
    }

    /**
     * The URL path of the collection, or of one object.
     *
     * @param namespace null for all namespaces, or for cluster-scoped resources
     * @param name null for the collection
     */
    public String path(@Nullable String namespace, @Nullable String name) {
        StringBuilder path = new StringBuilder(64);
        path.append(group.isEmpty() ? "/api/" : "/apis/").append(apiVersion());
        if (namespaced && namespace != null && !namespace.isEmpty()) {
            path.append("/namespaces/").append(namespace);
        }
        path.append('/').append(plural);
        if (name != null) {
            path.append('/');
            appendSegment(path, name);
        }
        return path.toString();
    }

    /** Names may hold nearly any character (roles do: {@code system:node}); those that a URL gives a meaning are escaped. */
    private static void appendSegment(StringBuilder path, String segment) {
        for (int i = 0; i < segment.length(); i++) {
            if (!isPlain(segment.charAt(i))) {
                String escaped = URLEncoder.encode(segment, StandardCharsets.UTF_8);
                path.append(escaped.replace("+", "%20").replace("%3A", ":").replace("%40", "@"));
                return;
            }
        }
        path.append(segment);
    }

    private static boolean isPlain(char c) {
        return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || "-._~:@".indexOf(c) >= 0;
    }

    @Override
    public String toString() {
        return qualifiedName();
    }
}
