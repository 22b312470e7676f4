package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.Served;
import java.util.List;
import java.util.stream.Collectors;

/** Gives a pod its node: {@code pods/<name>/binding}, and the older {@code bindings} (registry/core/pod/storage). Stateless. */
final class Bindings {
    private static final String RESOURCE = "pods/binding";

    private Bindings() {}

    /** @param pods the pods' resource: the request may be for {@code bindings} */
    static ApiResponse create(Call call, Served pods) {
        Representation form = Representation.negotiate(call, Representation.Endpoint.VIRTUAL);
        WriteOptions options = WriteOptions.create(call.request);
        ObjectNode binding = BodyReader.read(call, "", "v1", "Binding", options.validation());
        Writes.fitNamespace(call, binding);
        String name = call.info.named() ? call.info.name() : Metadata.name(binding);
        if (call.info.named() && !Metadata.name(binding).equals(name)) {
            throw Statuses.badRequest("name in URL does not match name in Binding object");
        }
        Call podCall = call.forResource(pods);
        Admission.create(podCall, "binding", name, binding, options, () -> validate(binding));
        if (!options.dryRun()) {
            call.env
                    .storage()
                    .update(pods.storage(), call.namespace(), name, pod -> bind(call, pods, pod, binding, name));
        } else {
            bind(call, pods, find(podCall, name), binding, name);
        }
        ObjectNode status = Json.object().put("kind", "Status").put("apiVersion", "v1");
        status.putObject("metadata");
        return ResponseWriter.tree(form, 201, status.put("status", "Success").put("code", 201));
    }

    private static ObjectNode find(Call pods, String name) {
        return pods.env
                .storage()
                .get(pods.served.storage(), pods.namespace(), name)
                .orElseThrow(() -> pods.notFound(name))
                .copy();
    }

    private static void validate(ObjectNode binding) {
        FieldErrors errors = new FieldErrors();
        String kind = binding.path("target").path("kind").asText("");
        if (!kind.isEmpty() && !kind.equals("Node")) {
            errors.notSupportedInOrder("target.kind", FieldErrors.text(kind), List.of("Node", "<empty>"));
        }
        if (binding.path("target").path("name").asText("").isEmpty()) {
            errors.required("target.name", "");
        }
        List<FieldErrors.FieldError> list = errors.list();
        if (!list.isEmpty()) {
            // This endpoint lets its errors out as they are: no reason, code 500.
            throw Statuses.raw(
                    list.size() == 1
                            ? list.get(0).message()
                            : list.stream()
                                    .map(FieldErrors.FieldError::message)
                                    .collect(Collectors.joining(", ", "[", "]")));
        }
    }

    private static ObjectNode bind(Call call, Served pods, ObjectNode pod, ObjectNode binding, String name) {
        checkPrecondition(pods, pod, binding, "uid", "UID");
        checkPrecondition(pods, pod, binding, "resourceVersion", "ResourceVersion");
        JsonNode spec = pod.path("spec");
        if (Metadata.isDeleting(pod)) {
            throw conflict(name, "pod " + name + " is being deleted, cannot be assigned to a host");
        }
        String node = spec.path("nodeName").asText("");
        if (!node.isEmpty()) {
            throw conflict(name, "pod " + name + " is already assigned to node \"" + node + "\"");
        }
        if (!spec.path("schedulingGates").isEmpty()) {
            throw conflict(name, "pod " + name + " has non-empty .spec.schedulingGates");
        }
        ((ObjectNode) spec).put("nodeName", binding.path("target").path("name").asText());
        merge(pod, binding, "annotations");
        merge(pod, binding, "labels");
        setCondition(call, pod, Json.object().put("type", "PodScheduled").put("status", "True"));
        return ObjectWriter.canonical(pods, pod);
    }

    private static void checkPrecondition(Served pods, ObjectNode pod, ObjectNode binding, String field, String shown) {
        String wanted = Metadata.text(binding, field);
        String actual = Metadata.text(pod, field);
        if (!wanted.isEmpty() && !wanted.equals(actual)) {
            throw Statuses.conflict(
                    "",
                    "pods",
                    Metadata.name(pod),
                    "StorageError: invalid object, Code: 4, Key: "
                            + pods.storage().key(Metadata.text(pod, "namespace"), Metadata.name(pod))
                            + ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: " + shown
                            + " in precondition: " + wanted + ", " + shown + " in object meta: " + actual);
        }
    }

    private static void merge(ObjectNode pod, ObjectNode binding, String field) {
        JsonNode more = binding.path("metadata").path(field);
        if (more.isEmpty()) {
            return;
        }
        ObjectNode metadata = Metadata.of(pod);
        ObjectNode map = metadata.get(field) instanceof ObjectNode present ? present : metadata.putObject(field);
        map.setAll((ObjectNode) more);
    }

    /** Sets a condition of a pod; its time changes only if its status does. */
    static void setCondition(Call call, ObjectNode pod, ObjectNode condition) {
        ObjectNode status = pod.get("status") instanceof ObjectNode s ? s : pod.putObject("status");
        ArrayNode conditions =
                status.get("conditions") instanceof ArrayNode array ? array : status.putArray("conditions");
        String now = Metadata.time(call.env.driver().now());
        for (int i = 0; i < conditions.size(); i++) {
            JsonNode existing = conditions.get(i);
            if (existing.path("type").equals(condition.path("type"))) {
                boolean same = existing.path("status").equals(condition.path("status"));
                condition.put(
                        "lastTransitionTime",
                        same ? existing.path("lastTransitionTime").asText(now) : now);
                conditions.set(i, condition);
                return;
            }
        }
        conditions.add(condition.put("lastTransitionTime", now));
    }

    private static StatusException conflict(String name, String why) {
        return Statuses.conflict("", RESOURCE, name, why);
    }
}
