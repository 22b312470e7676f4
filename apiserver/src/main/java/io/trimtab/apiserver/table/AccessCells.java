package io.trimtab.apiserver.table;

import static io.trimtab.apiserver.table.Texts.NONE;
import static io.trimtab.apiserver.table.Texts.UNSET;
import static io.trimtab.apiserver.table.Texts.name;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The groups about who may do what: rbac, certificates, admissionregistration, apiregistration, flowcontrol. */
final class AccessCells {
    private AccessCells() {}

    static void register(Map<String, RowFunction> rows) {
        rows.put("rolebindings.rbac.authorization.k8s.io", AccessCells::binding);
        rows.put("clusterrolebindings.rbac.authorization.k8s.io", AccessCells::binding);
        rows.put("certificatesigningrequests.certificates.k8s.io", AccessCells::signingRequest);
        rows.put("mutatingwebhookconfigurations.admissionregistration.k8s.io", AccessCells::webhooks);
        rows.put("validatingwebhookconfigurations.admissionregistration.k8s.io", AccessCells::webhooks);
        rows.put("validatingadmissionpolicies.admissionregistration.k8s.io", AccessCells::policy);
        rows.put("validatingadmissionpolicybindings.admissionregistration.k8s.io", AccessCells::policyBinding);
        rows.put("mutatingadmissionpolicies.admissionregistration.k8s.io", AccessCells::policy);
        rows.put("mutatingadmissionpolicybindings.admissionregistration.k8s.io", AccessCells::policyBinding);
        rows.put("apiservices.apiregistration.k8s.io", AccessCells::apiService);
        rows.put("flowschemas.flowcontrol.apiserver.k8s.io", AccessCells::flowSchema);
        rows.put("prioritylevelconfigurations.flowcontrol.apiserver.k8s.io", AccessCells::priorityLevel);
    }

    private static Row binding(JsonNode o, Instant now) {
        List<String> users = new ArrayList<>();
        List<String> groups = new ArrayList<>();
        List<String> accounts = new ArrayList<>();
        for (JsonNode subject : o.path("subjects")) {
            String name = subject.path("name").asText("");
            switch (subject.path("kind").asText("")) {
                case "User" -> users.add(name);
                case "Group" -> groups.add(name);
                case "ServiceAccount" -> accounts.add(subject.path("namespace").asText("") + "/" + name);
                default -> {}
            }
        }
        JsonNode role = o.path("roleRef");
        return new Row()
                .add(name(o))
                .add(role.path("kind").asText("") + "/" + role.path("name").asText(""))
                .add(Ages.of(o, now))
                .add(String.join(", ", users))
                .add(String.join(", ", groups))
                .add(String.join(", ", accounts));
    }

    private static Row signingRequest(JsonNode o, Instant now) {
        boolean approved = false;
        boolean denied = false;
        boolean failed = false;
        for (JsonNode condition : o.path("status").path("conditions")) {
            switch (condition.path("type").asText("")) {
                case "Approved" -> approved = true;
                case "Denied" -> denied = true;
                case "Failed" -> failed = true;
                default -> {}
            }
        }
        String status = denied ? "Denied" : approved ? "Approved" : "Pending";
        if (failed) {
            status += ",Failed";
        }
        if (!o.path("status").path("certificate").asText("").isEmpty()) {
            status += ",Issued";
        }
        JsonNode expiration = o.path("spec").path("expirationSeconds");
        return new Row()
                .add(name(o))
                .add(Ages.of(o, now))
                .add(Texts.orNone(o.path("spec").path("signerName")))
                .add(o.path("spec").path("username").asText(""))
                .add(expiration.isNumber() ? Ages.human(Duration.ofSeconds(expiration.asLong())) : NONE)
                .add(status);
    }

    private static Row webhooks(JsonNode o, Instant now) {
        return new Row().add(name(o)).add(o.path("webhooks").size()).add(Ages.of(o, now));
    }

    private static Row policy(JsonNode o, Instant now) {
        JsonNode kind = o.path("spec").path("paramKind");
        return new Row()
                .add(name(o))
                .add(o.path("spec").path("validations").size()
                        + o.path("spec").path("mutations").size())
                .add(
                        kind.isObject()
                                ? kind.path("apiVersion").asText("") + "/"
                                        + kind.path("kind").asText("")
                                : UNSET)
                .add(Ages.of(o, now));
    }

    private static Row policyBinding(JsonNode o, Instant now) {
        JsonNode parameter = o.path("spec").path("paramRef");
        String text = UNSET;
        if (parameter.isObject()) {
            String namespace = parameter.path("namespace").asText("");
            text = parameter.path("selector").isObject()
                    ? selectorStruct(parameter.path("selector"))
                    : (namespace.isEmpty() ? "*" : namespace) + "/"
                            + parameter.path("name").asText("");
        }
        return new Row()
                .add(name(o))
                .add(o.path("spec").path("policyName").asText(""))
                .add(text)
                .add(Ages.of(o, now));
    }

    /** The selector as Go prints the struct: what Kubernetes shows here. */
    private static String selectorStruct(JsonNode selector) {
        StringBuilder text = new StringBuilder("&LabelSelector{MatchLabels:map[string]string{");
        selector.path("matchLabels").properties().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(l -> text.append(l.getKey())
                        .append(": ")
                        .append(l.getValue().asText(""))
                        .append(','));
        text.append("},MatchExpressions:[]LabelSelectorRequirement{");
        for (JsonNode requirement : selector.path("matchExpressions")) {
            text.append("LabelSelectorRequirement{Key:")
                    .append(requirement.path("key").asText(""))
                    .append(",Operator:")
                    .append(requirement.path("operator").asText(""))
                    .append(",Values:[")
                    .append(Texts.join(" ", requirement.path("values")))
                    .append("],},");
        }
        return text.append("},}").toString();
    }

    private static Row apiService(JsonNode o, Instant now) {
        JsonNode service = o.path("spec").path("service");
        JsonNode available = Texts.condition(o, "Available");
        String text;
        if (available.isMissingNode()) {
            text = "Unknown";
        } else {
            text = available.path("status").asText("");
            if (!text.equals("True")) {
                text += " (" + available.path("reason").asText("") + ")";
            }
        }
        return new Row()
                .add(name(o))
                .add(
                        service.isObject()
                                ? service.path("namespace").asText("") + "/"
                                        + service.path("name").asText("")
                                : "Local")
                .add(text)
                .add(Ages.of(o, now));
    }

    private static Row flowSchema(JsonNode o, Instant now) {
        JsonNode spec = o.path("spec");
        JsonNode dangling = Texts.condition(o, "Dangling");
        return new Row()
                .add(name(o))
                .add(Texts.orNone(spec.path("priorityLevelConfiguration").path("name")))
                .add(spec.path("matchingPrecedence").asLong())
                .add(Texts.orNone(spec.path("distinguisherMethod").path("type")))
                .add(Ages.of(o, now))
                .add(dangling.isMissingNode() ? "?" : dangling.path("status").asText(""));
    }

    private static Row priorityLevel(JsonNode o, Instant now) {
        JsonNode spec = o.path("spec");
        JsonNode limited = spec.path("limited");
        JsonNode queuing = limited.path("limitResponse").path("queuing");
        JsonNode shares = limited.path("nominalConcurrencyShares");
        Row row = new Row().add(name(o)).add(spec.path("type").asText(""));
        for (JsonNode number :
                List.of(shares, queuing.path("queues"), queuing.path("handSize"), queuing.path("queueLengthLimit"))) {
            if (number.isNumber()) {
                row.add(number.asLong());
            } else {
                row.add(NONE);
            }
        }
        return row.add(Ages.of(o, now));
    }
}
