package io.trimtab.apiserver.flowcontrol;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.runtime.Driver;
import java.util.List;
import java.util.Map;

/**
 * The two levels and the two schemas that are there even if nobody has made them, or somebody has removed them: one for whom
 * nothing may hold up, one for whom nothing else matches. Stateless.
 */
final class MandatoryObjects {
    private MandatoryObjects() {}

    /** Adds what is missing, in the order of matching. */
    static void complete(
            List<FlowSchema> schemas,
            Map<String, PriorityLevel> levels,
            Map<String, PriorityLevel> before,
            Driver driver) {
        PriorityLevel exempt = add(
                levels, before, PriorityLevel.EXEMPT, new PriorityLevel.Spec(QueueSet.Shape.EXEMPT, 0, 0, -1), driver);
        PriorityLevel catchAll = add(
                levels,
                before,
                PriorityLevel.CATCH_ALL,
                new PriorityLevel.Spec(QueueSet.Shape.REJECT, 5, 0, -1),
                driver);
        if (schemas.stream().noneMatch(s -> s.name.equals(FlowSchema.EXEMPT))) {
            schemas.add(0, schema(FlowSchema.EXEMPT, 1, exempt, "system:masters"));
        }
        if (schemas.stream().noneMatch(s -> s.name.equals(FlowSchema.CATCH_ALL))) {
            schemas.add(
                    schema(FlowSchema.CATCH_ALL, 10000, catchAll, "system:unauthenticated", "system:authenticated"));
        }
    }

    private static PriorityLevel add(
            Map<String, PriorityLevel> levels,
            Map<String, PriorityLevel> before,
            String name,
            PriorityLevel.Spec spec,
            Driver driver) {
        PriorityLevel level = levels.get(name);
        if (level == null) {
            PriorityLevel earlier = before.get(name);
            level = earlier != null ? earlier : new PriorityLevel(name, spec, "", driver);
            levels.put(name, level);
        }
        level.quiescing = false;
        return level;
    }

    private static FlowSchema schema(String name, int precedence, PriorityLevel level, String... groups) {
        ObjectNode spec = JsonNodeFactory.instance.objectNode();
        spec.put("matchingPrecedence", precedence);
        if (name.equals(FlowSchema.CATCH_ALL)) {
            spec.putObject("distinguisherMethod").put("type", "ByUser");
        }
        ObjectNode rule = spec.putArray("rules").addObject();
        for (String group : groups) {
            rule.withArrayProperty("subjects")
                    .addObject()
                    .put("kind", "Group")
                    .putObject("group")
                    .put("name", group);
        }
        ObjectNode resources = rule.putArray("resourceRules").addObject().put("clusterScope", true);
        for (String field : List.of("verbs", "apiGroups", "resources", "namespaces")) {
            resources.putArray(field).add("*");
        }
        ObjectNode paths = rule.putArray("nonResourceRules").addObject();
        paths.putArray("verbs").add("*");
        paths.putArray("nonResourceURLs").add("*");
        return FlowSchema.of(name, "", spec, level);
    }
}
