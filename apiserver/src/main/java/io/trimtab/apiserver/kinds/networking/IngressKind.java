package io.trimtab.apiserver.kinds.networking;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.IpAddresses;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/** Ingresses. Stateless. */
public final class IngressKind implements Kind {
    private static final String CLASS = "kubernetes.io/ingress.class";

    @Override
    public void defaults(ObjectNode ingress) {
        Trees.make(ingress, "spec");
        Trees.make(Trees.make(ingress, "status"), "loadBalancer");
    }

    @Override
    public void prepareCreate(ObjectNode ingress, WriteContext context) {
        ingress.putObject("status").putObject("loadBalancer");
    }

    @Override
    public void validateCreate(ObjectNode ingress, FieldErrors errors, WriteContext context) {
        validate(ingress, errors);
        JsonNode spec = Trees.child(ingress, "spec");
        String annotated = Trees.map(ingress.get("metadata"), "annotations").get(CLASS);
        if (annotated != null
                && Trees.has(spec, "ingressClassName")
                && !annotated.equals(Trees.text(spec, "ingressClassName"))) {
            errors.invalid("annotations." + CLASS, annotated, "must match `ingressClassName` when both are specified");
        }
    }

    private static void validate(ObjectNode ingress, FieldErrors errors) {
        JsonNode spec = Trees.child(ingress, "spec");
        if (!Trees.hasContent(spec, "rules") && !Trees.has(spec, "defaultBackend")) {
            errors.invalid("spec", Trees.shown(spec, "rules"), "either `defaultBackend` or `rules` must be specified");
        }
        if (Trees.has(spec, "defaultBackend")) {
            backend(errors, "spec.defaultBackend", spec.get("defaultBackend"));
        }
        int i = 0;
        for (JsonNode rule : Trees.items(spec, "rules")) {
            rule(errors, "spec.rules[" + i++ + "]", rule);
        }
        i = 0;
        for (JsonNode tls : Trees.items(spec, "tls")) {
            String path = "spec.tls[" + i++ + "]";
            List<String> hosts = Trees.texts(tls, "hosts");
            for (int j = 0; j < hosts.size(); j++) {
                host(errors, path + ".hosts[" + j + "]", hosts.get(j));
            }
            String secret = Trees.text(tls, "secretName");
            if (!secret.isEmpty()) {
                FieldRules.invalid(errors, path + ".secretName", secret, Names.subdomain(secret));
            }
        }
        if (Trees.has(spec, "ingressClassName")) {
            String name = Trees.text(spec, "ingressClassName");
            FieldRules.invalid(errors, "spec.ingressClassName", name, Names.subdomain(name));
        }
    }

    private static void host(FieldErrors errors, String path, String host) {
        FieldRules.invalid(
                errors, path, host, host.contains("*") ? Names.wildcardSubdomain(host) : Names.subdomain(host));
    }

    private static void rule(FieldErrors errors, String path, JsonNode rule) {
        String host = Trees.text(rule, "host");
        if (!host.isEmpty()) {
            if (IpAddresses.isValid(host)) {
                errors.invalid(path + ".host", host, "must be a DNS name, not an IP address");
            }
            host(errors, path + ".host", host);
        }
        if (!Trees.has(rule, "http")) {
            return;
        }
        List<JsonNode> paths = Trees.items(rule.get("http"), "paths");
        if (paths.isEmpty()) {
            errors.required(path + ".http.paths", "");
        }
        for (int i = 0; i < paths.size(); i++) {
            path(errors, path + ".http.paths[" + i + "]", paths.get(i));
        }
    }

    private static void path(FieldErrors errors, String at, JsonNode path) {
        String value = Trees.text(path, "path");
        boolean absolute = value.startsWith("/");
        String type = Trees.text(path, "pathType");
        if (!Trees.has(path, "pathType")) {
            errors.required(at + ".pathType", "pathType must be specified");
            return;
        }
        switch (type) {
            case "Exact", "Prefix" -> {
                if (!absolute) {
                    errors.invalid(at + ".path", value, "must be an absolute path");
                }
                for (String part : List.of("//", "/./", "/../", "%2f", "%2F")) {
                    if (value.contains(part)) {
                        errors.invalid(at + ".path", value, "must not contain '" + part + "'");
                    }
                }
                for (String end : List.of("/..", "/.")) {
                    if (value.endsWith(end)) {
                        errors.invalid(at + ".path", value, "cannot end with '" + end + "'");
                    }
                }
            }
            case "ImplementationSpecific" -> {
                if (!value.isEmpty() && !absolute) {
                    errors.invalid(at + ".path", value, "must be an absolute path");
                }
            }
            default ->
                errors.notSupported(
                        at + ".pathType", Trees.textNode(type), List.of("Exact", "ImplementationSpecific", "Prefix"));
        }
        backend(errors, at + ".backend", Trees.child(path, "backend"));
    }

    private static void backend(FieldErrors errors, String path, JsonNode backend) {
        boolean resource = Trees.has(backend, "resource");
        boolean service = Trees.has(backend, "service");
        if (resource && service) {
            errors.invalid(path, "", "cannot set both resource and service backends");
        } else if (resource) {
            reference(errors, path + ".resource", backend.get("resource"));
        } else if (service) {
            service(errors, path, backend.get("service"));
        } else {
            errors.invalid(path, "", "resource or service backend is required");
        }
    }

    private static void service(FieldErrors errors, String path, JsonNode service) {
        String name = Trees.text(service, "name");
        if (name.isEmpty()) {
            errors.required(path + ".service.name", "");
        } else {
            FieldRules.invalid(errors, path + ".service.name", name, Names.label1035(name));
        }
        JsonNode port = Trees.child(service, "port");
        String portName = Trees.text(port, "name");
        long number = Trees.number(port, "number");
        if (!portName.isEmpty() && number != 0) {
            errors.invalid(path, "", "cannot set both port name & port number");
        } else if (!portName.isEmpty()) {
            FieldRules.invalid(errors, path + ".service.port.name", portName, Names.portName(portName));
        } else if (number != 0) {
            FieldRules.invalid(errors, path + ".service.port.number", number, Names.portNumber(number));
        } else {
            errors.required(path, "port name or number is required");
        }
    }

    /** A reference to an object of any kind. */
    static void reference(FieldErrors errors, String path, JsonNode reference) {
        if (Trees.has(reference, "apiGroup")) {
            String group = Trees.text(reference, "apiGroup");
            FieldRules.invalid(errors, path + ".apiGroup", group, Names.subdomain(group));
        }
        for (String field : List.of("kind", "name")) {
            String value = Trees.text(reference, field);
            if (value.isEmpty()) {
                errors.required(path + "." + field, "");
            } else {
                FieldRules.invalid(errors, path + "." + field, value, Names.pathSegment(value));
            }
        }
    }

    @Override
    public void validateUpdate(ObjectNode ingress, ObjectNode old, FieldErrors errors, WriteContext context) {
        validate(ingress, errors);
    }

    @Override
    public void validateStatusUpdate(ObjectNode ingress, ObjectNode old, FieldErrors errors, WriteContext context) {
        int i = 0;
        for (JsonNode entry : Trees.items(Trees.at(ingress, "status", "loadBalancer"), "ingress")) {
            String path = "status.loadBalancer.ingress[" + i++ + "]";
            String ip = Trees.text(entry, "ip");
            if (!ip.isEmpty()) {
                IpAddresses.validate(errors, path + ".ip", ip);
            }
            String host = Trees.text(entry, "hostname");
            if (!host.isEmpty()) {
                FieldRules.invalid(errors, path + ".hostname", host, Names.subdomain(host));
                if (IpAddresses.isValid(host)) {
                    errors.invalid(path + ".hostname", host, "must be a DNS name, not an IP address");
                }
            }
        }
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode ingress, ObjectNode old) {
        return !Trees.same(ingress, old, "spec");
    }
}
