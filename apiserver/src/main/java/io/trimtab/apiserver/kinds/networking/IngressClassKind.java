package io.trimtab.apiserver.kinds.networking;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;
import java.util.regex.Pattern;

/** IngressClasses. Stateless. */
public final class IngressClassKind implements Kind {
    private static final Pattern PATH = Pattern.compile("[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+");

    @Override
    public void defaults(ObjectNode object) {
        ObjectNode parameters = Trees.object(Trees.make(object, "spec"), "parameters");
        if (parameters != null && !Trees.has(parameters, "scope")) {
            parameters.put("scope", "Cluster");
        }
    }

    @Override
    public void validateCreate(ObjectNode object, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(object, "spec");
        String controller = Trees.text(spec, "controller");
        String path = "spec.controller";
        if (controller.length() > 250) {
            errors.tooLong(path, 250);
        }
        int slash = controller.indexOf('/');
        if (controller.isEmpty()) {
            errors.required(path, "");
        } else if (slash <= 0 || slash == controller.length() - 1) {
            errors.invalid(path, controller, "must be a domain-prefixed path (such as \"acme.io/foo\")");
        } else {
            String host = controller.substring(0, slash);
            FieldRules.invalid(errors, path, host, Names.subdomain(host));
            String rest = controller.substring(slash + 1);
            if (!PATH.matcher(rest).matches()) {
                errors.invalid(path, rest, "Invalid path (regex used for validation is '" + PATH.pattern() + "')");
            }
        }
        if (Trees.has(spec, "parameters")) {
            parameters(errors, "spec.parameters", spec.get("parameters"));
        }
    }

    private static void parameters(FieldErrors errors, String path, JsonNode parameters) {
        IngressKind.reference(errors, path, parameters);
        String scope = Trees.text(parameters, "scope");
        String namespace = Trees.text(parameters, "namespace");
        if (!Trees.has(parameters, "scope")) {
            errors.required(path + ".scope", "");
        } else if (!scope.equals("Cluster") && !scope.equals("Namespace")) {
            errors.notSupported(path + ".scope", Trees.textNode(scope), List.of("Cluster", "Namespace"));
        } else if (scope.equals("Namespace")) {
            if (namespace.isEmpty()) {
                errors.required(path + ".namespace", "`parameters.scope` is set to 'Namespace'");
            } else {
                FieldRules.invalid(errors, path + ".namespace", namespace, Names.label(namespace));
            }
        } else if (Trees.has(parameters, "namespace")) {
            errors.forbidden(path + ".namespace", "`parameters.scope` is set to 'Cluster'");
        }
    }

    @Override
    public void validateUpdate(ObjectNode object, ObjectNode old, FieldErrors errors, WriteContext context) {
        FieldRules.immutable(errors, "spec", Trees.child(object, "spec"), Trees.child(old, "spec"), "controller");
        validateCreate(object, errors, context);
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode object, ObjectNode old) {
        return !Trees.same(object, old, "spec");
    }
}
