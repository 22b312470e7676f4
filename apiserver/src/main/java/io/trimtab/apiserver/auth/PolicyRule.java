package io.trimtab.apiserver.auth;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * One rule of a role: these verbs on these resources of these groups, perhaps only on some names; or these verbs on these
 * paths. Immutable.
 */
public record PolicyRule(
        List<String> verbs, List<String> groups, List<String> resources, List<String> names, List<String> paths) {
    static final String ALL = "*";

    public PolicyRule {
        verbs = List.copyOf(verbs);
        groups = List.copyOf(groups);
        resources = List.copyOf(resources);
        names = List.copyOf(names);
        paths = List.copyOf(paths);
    }

    /** Reads the {@code rules} of a Role or ClusterRole; absent or null is none. */
    public static List<PolicyRule> listOf(JsonNode rules) {
        List<PolicyRule> list = new ArrayList<>();
        for (JsonNode rule : rules) {
            list.add(new PolicyRule(
                    texts(rule.path("verbs")),
                    texts(rule.path("apiGroups")),
                    texts(rule.path("resources")),
                    texts(rule.path("resourceNames")),
                    texts(rule.path("nonResourceURLs"))));
        }
        return list;
    }

    boolean allows(Authorizer.Attributes asked) {
        if (!matches(verbs, asked.verb())) {
            return false;
        }
        if (!asked.resourceRequest()) {
            return allowsPath(asked.path());
        }
        return matches(groups, asked.group())
                && matchesResource(asked.resource(), asked.subresource())
                && (names.isEmpty() || names.contains(asked.name()));
    }

    private boolean allowsPath(String path) {
        for (String allowed : paths) {
            if (allowed.equals(ALL) || covers(allowed, path)) {
                return true;
            }
        }
        return false;
    }

    private boolean matchesResource(String resource, String subresource) {
        String combined = subresource.isEmpty() ? resource : resource + "/" + subresource;
        for (String allowed : resources) {
            if (allowed.equals(ALL)
                    || allowed.equals(combined)
                    || !subresource.isEmpty() && allowed.equals("*/" + subresource)) {
                return true;
            }
        }
        return false;
    }

    private static boolean matches(List<String> allowed, String asked) {
        return allowed.contains(ALL) || allowed.contains(asked);
    }

    private static boolean covers(String allowed, String path) {
        if (allowed.equals(path)) {
            return true;
        }
        int end = allowed.length();
        while (end > 0 && allowed.charAt(end - 1) == '*') {
            end--;
        }
        return end < allowed.length() && path.startsWith(allowed.substring(0, end));
    }

    /** What of {@code wanted} is not contained in {@code held}, in parts of one verb, group, resource and name each. */
    public static List<PolicyRule> missing(List<PolicyRule> held, List<PolicyRule> wanted) {
        List<PolicyRule> missing = new ArrayList<>();
        for (PolicyRule rule : wanted) {
            for (PolicyRule part : rule.parts()) {
                if (held.stream().noneMatch(h -> h.coversPart(part))) {
                    missing.add(part);
                }
            }
        }
        return missing;
    }

    private List<PolicyRule> parts() {
        List<PolicyRule> parts = new ArrayList<>();
        for (String group : groups) {
            for (String resource : resources) {
                for (String verb : verbs) {
                    if (names.isEmpty()) {
                        parts.add(resourcePart(verb, group, resource, List.of()));
                    }
                    for (String name : names) {
                        parts.add(resourcePart(verb, group, resource, List.of(name)));
                    }
                }
            }
        }
        for (String path : paths) {
            for (String verb : verbs) {
                parts.add(new PolicyRule(List.of(verb), List.of(), List.of(), List.of(), List.of(path)));
            }
        }
        return parts;
    }

    private static PolicyRule resourcePart(String verb, String group, String resource, List<String> names) {
        return new PolicyRule(List.of(verb), List.of(group), List.of(resource), names, List.of());
    }

    private boolean coversPart(PolicyRule part) {
        boolean verb = verbs.contains(ALL) || verbs.containsAll(part.verbs);
        boolean group = groups.contains(ALL) || groups.containsAll(part.groups);
        boolean name = names.isEmpty() || !part.names.isEmpty() && names.containsAll(part.names);
        return verb
                && group
                && name
                && part.resources.stream().allMatch(this::coversResource)
                && part.paths.stream().allMatch(p -> paths.stream().anyMatch(own -> covers(own, p)));
    }

    private boolean coversResource(String resource) {
        int slash = resource.indexOf('/');
        return resources.contains(ALL)
                || resources.contains(resource)
                || slash >= 0 && resources.contains("*/" + resource.substring(slash + 1));
    }

    /** The rules as the message about escalation shows them: verbs of one resource together, sorted, one a line. */
    static String show(List<PolicyRule> parts) {
        Map<List<Object>, PolicyRule> together = new LinkedHashMap<>();
        TreeSet<String> lines = new TreeSet<>();
        for (PolicyRule part : parts) {
            if (part.paths.isEmpty()) {
                together.merge(
                        List.of(part.groups, part.resources, part.names),
                        part,
                        (a, b) -> new PolicyRule(concat(a.verbs, b.verbs), a.groups, a.resources, a.names, a.paths));
            } else {
                lines.add(part.toString());
            }
        }
        together.values().forEach(rule -> lines.add(rule.toString()));
        return String.join("\n", lines);
    }

    private static List<String> concat(List<String> a, List<String> b) {
        List<String> both = new ArrayList<>(a);
        both.addAll(b);
        return both;
    }

    @Override
    public String toString() {
        List<String> fields = new ArrayList<>();
        show(fields, "APIGroups", groups);
        show(fields, "Resources", resources);
        show(fields, "NonResourceURLs", paths);
        show(fields, "ResourceNames", names);
        show(fields, "Verbs", verbs);
        return "{" + String.join(", ", fields) + "}";
    }

    private static void show(List<String> fields, String name, List<String> values) {
        if (!values.isEmpty()) {
            fields.add(name + ":" + quoted(values));
        }
    }

    /** As Go prints a list of strings with {@code %q}. */
    static String quoted(List<String> values) {
        return values.stream().map(FieldErrors::quote).collect(Collectors.joining(" ", "[", "]"));
    }

    static List<String> texts(JsonNode array) {
        List<String> list = new ArrayList<>();
        array.forEach(value -> list.add(value.asText()));
        return list;
    }
}
