package io.trimtab.junit;

import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBuilder;
import io.fabric8.kubernetes.api.model.rbac.PolicyRule;
import io.fabric8.kubernetes.api.model.rbac.PolicyRuleBuilder;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The rights that a program has used: the least role under which it would have worked. Immutable.
 *
 * @since 0.1
 */
public final class LearnedRole {
    /** As a rule names it: {@code pods} or {@code pods/status}. */
    record Resource(String group, String resource) implements Comparable<Resource> {
        @Override
        public int compareTo(Resource other) {
            int byGroup = group.compareTo(other.group);
            return byGroup != 0 ? byGroup : resource.compareTo(other.resource);
        }
    }

    private static final List<String> ORDER = List.of("get", "list", "watch", "create", "update", "patch", "delete");

    private final String name;
    private final SortedMap<Resource, Set<String>> used;

    LearnedRole(String name, Map<Resource, ? extends Set<String>> used) {
        this.name = name;
        TreeMap<Resource, Set<String>> copy = new TreeMap<>();
        used.forEach((resource, verbs) -> copy.put(resource, Set.copyOf(verbs)));
        this.used = copy;
    }

    /** Resources with the same verbs and group share a rule. */
    public List<PolicyRule> rules() {
        Map<List<Object>, List<String>> together = new java.util.LinkedHashMap<>();
        used.forEach((resource, verbs) -> together.computeIfAbsent(
                        List.of(resource.group(), sorted(verbs)), k -> new ArrayList<>())
                .add(resource.resource()));
        List<PolicyRule> rules = new ArrayList<>();
        together.forEach((key, resources) -> {
            @SuppressWarnings("unchecked") // put in so above
            List<String> verbs = (List<String>) key.get(1);
            rules.add(new PolicyRuleBuilder()
                    .withApiGroups((String) key.get(0))
                    .withResources(resources)
                    .withVerbs(verbs)
                    .build());
        });
        return rules;
    }

    private static List<String> sorted(Collection<String> verbs) {
        List<String> sorted = new ArrayList<>(new TreeSet<>(verbs));
        sorted.sort(java.util.Comparator.comparingInt(v -> ORDER.contains(v) ? ORDER.indexOf(v) : ORDER.size()));
        return sorted;
    }

    /** The role as an object. */
    public ClusterRole toClusterRole() {
        return new ClusterRoleBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata()
                .withRules(rules())
                .build();
    }

    /** The role as a manifest, ready to be kept beside the program. */
    public String toYaml() {
        StringBuilder yaml =
                new StringBuilder("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: "
                        + name + "\nrules:\n");
        rules().forEach(rule -> yaml.append(yaml(rule)));
        return yaml.toString();
    }

    static String yaml(PolicyRule rule) {
        return "- apiGroups: " + quoted(rule.getApiGroups()) + "\n  resources: " + quoted(rule.getResources())
                + "\n  verbs: " + quoted(rule.getVerbs()) + "\n";
    }

    private static String quoted(List<String> values) {
        return values.stream().map(v -> '"' + v + '"').collect(java.util.stream.Collectors.joining(", ", "[", "]"));
    }

    /** What these rules allow by name, verb by verb, that was not used; wildcards are taken to be meant. */
    public List<String> unused(Collection<PolicyRule> allowed) {
        List<String> unused = new ArrayList<>();
        for (PolicyRule rule : allowed) {
            for (String group : rule.getApiGroups()) {
                for (String resource : rule.getResources()) {
                    for (String verb : rule.getVerbs()) {
                        if (!group.equals("*")
                                && !resource.contains("*")
                                && !verb.equals("*")
                                && !used.getOrDefault(new Resource(group, resource), Set.of())
                                        .contains(verb)) {
                            unused.add(verb + " " + resource + (group.isEmpty() ? "" : "." + group));
                        }
                    }
                }
            }
        }
        return unused;
    }

    @Override
    public String toString() {
        return toYaml();
    }
}
