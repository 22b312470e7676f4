package io.trimtab.apiserver.resource;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One line of the table of what is served. Immutable; equal by group, version and plural.
 *
 * @param group empty for core
 * @param plural as in the URL
 * @param singular as kubectl accepts it
 * @param namespaced whether objects live in namespaces
 * @param verbs of the resource itself
 * @param subresources by name
 * @param custom false for what is built in
 */
public record ApiResource(
        String group,
        String version,
        String plural,
        String singular,
        String kind,
        boolean namespaced,
        Set<String> verbs,
        List<String> shortNames,
        List<String> categories,
        Map<String, Subresource> subresources,
        boolean custom) {

    /**
     * @param group of what it takes and gives, when that is not the resource's own kind
     * @param version likewise
     * @param kind likewise
     */
    public record Subresource(
            String name, @Nullable String group, @Nullable String version, String kind, Set<String> verbs) {}

    /** {@code v1} or {@code apps/v1}. */
    public String apiVersion() {
        return group.isEmpty() ? version : group + "/" + version;
    }

    /** {@code pods} or {@code deployments.apps}. */
    public String qualifiedName() {
        return group.isEmpty() ? plural : plural + "." + group;
    }

    /**
     * The prefix of the keys under which objects are stored, ending in a slash: as Kubernetes lays them out below
     * {@code /registry}. Versions of one resource share it.
     */
    public String keyPrefix() {
        return KeyLayout.prefix(this);
    }

    /** The key of one object. */
    public String key(@Nullable String namespace, String name) {
        return namespaced ? keyPrefix() + namespace + "/" + name : keyPrefix() + name;
    }

    public boolean hasVerb(String verb) {
        return verbs.contains(verb);
    }

    public boolean hasStatus() {
        return subresources.containsKey("status");
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof ApiResource r
                && r.plural.equals(plural)
                && r.group.equals(group)
                && r.version.equals(version);
    }

    @Override
    public int hashCode() {
        return plural.hashCode() * 31 + group.hashCode() + version.hashCode();
    }

    @Override
    public String toString() {
        return qualifiedName();
    }
}
