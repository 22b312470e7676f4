package io.trimtab.apiserver.kinds.apiregistration;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.List;

/** APIServices as objects: group versions, and who serves them. Stateless. */
public final class ApiServiceKind implements Kind {

    @Override
    public void defaults(ObjectNode object) {
        ObjectNode spec = Trees.object(object, "spec");
        ObjectNode service = spec == null ? null : Trees.object(spec, "service");
        if (service != null) {
            Trees.fill(service, "port", 443);
        }
    }

    @Override
    public void prepareCreate(ObjectNode object, WriteContext context) {
        ObjectNode status = object.putObject("status");
        if (!Trees.has(object.path("spec"), "service")) {
            status.putArray("conditions")
                    .add(localCondition(object, context.driver().now()));
        }
    }

    /** The condition of a group version that this server serves itself. */
    public static ObjectNode localCondition(ObjectNode any, Instant now) {
        return any.objectNode()
                .put("type", "Available")
                .put("status", "True")
                .put("lastTransitionTime", now.truncatedTo(ChronoUnit.SECONDS).toString())
                .put("reason", "Local")
                .put("message", "Local APIServices are always available");
    }

    @Override
    public NameRule nameRule() {
        return NameRule.PATH_SEGMENT;
    }

    @Override
    public void validateCreate(ObjectNode object, FieldErrors errors, WriteContext context) {
        JsonNode spec = object.path("spec");
        String group = Trees.text(spec, "group");
        String version = Trees.text(spec, "version");
        String name = object.path("metadata").path("name").asText("");
        String required = version + "." + group;
        if (!name.equals(required)) {
            errors.invalid(
                    "metadata.name", name, "must be `spec.version+\".\"+spec.group`: " + FieldErrors.quote(required));
        }
        if (group.isEmpty() && !version.equals("v1")) {
            errors.required("spec.group", "only v1 may have an empty group and it better be legacy kube");
        }
        if (!group.isEmpty()) {
            FieldRules.invalid(errors, "spec.group", group, Names.subdomain(group));
        }
        FieldRules.invalid(errors, "spec.version", version, Names.label1035(version));
        long groupPriority = Trees.number(spec, "groupPriorityMinimum", 0);
        if (groupPriority <= 0 || groupPriority > 20000) {
            errors.invalid("spec.groupPriorityMinimum", groupPriority, "must be positive and less than 20000");
        }
        long versionPriority = Trees.number(spec, "versionPriority", 0);
        if (versionPriority <= 0 || versionPriority > 1000) {
            errors.invalid("spec.versionPriority", versionPriority, "must be positive and less than 1000");
        }
        service(spec, errors);
    }

    private static void service(JsonNode spec, FieldErrors errors) {
        boolean insecure = Trees.flag(spec, "insecureSkipTLSVerify");
        String bundle = Trees.text(spec, "caBundle");
        if (!Trees.has(spec, "service")) {
            if (!bundle.isEmpty()) {
                int length = Base64.getMimeDecoder().decode(bundle).length;
                errors.invalid("spec.caBundle", length + " bytes", "local APIServices may not have a caBundle");
            }
            if (insecure) {
                errors.invalid(
                        "spec.insecureSkipTLSVerify",
                        spec.get("insecureSkipTLSVerify"),
                        "local APIServices may not have insecureSkipTLSVerify");
            }
            return;
        }
        JsonNode service = Trees.child(spec, "service");
        for (String field : List.of("namespace", "name")) {
            if (Trees.text(service, field).isEmpty()) {
                errors.required("spec.service." + field, "");
            }
        }
        long port = Trees.number(service, "port", 0);
        if (!Names.portNumber(port).isEmpty()) {
            errors.invalid(
                    "spec.service.port", port, "port is not valid: " + String.join(", ", Names.portNumber(port)));
        }
        if (insecure && !bundle.isEmpty()) {
            errors.invalid(
                    "spec.insecureSkipTLSVerify",
                    spec.get("insecureSkipTLSVerify"),
                    "may not be true if caBundle is present");
        }
    }

    @Override
    public void validateUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(object, errors, context);
    }

    @Override
    public void validateStatusUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {
        int i = 0;
        for (JsonNode condition : Trees.items(object.path("status"), "conditions")) {
            FieldRules.choice(
                    errors, "status.conditions[" + i++ + "]", condition, "status", List.of("True", "False", "Unknown"));
        }
    }

    @Override
    public boolean allowsUnconditionalUpdate() {
        return false;
    }
}
