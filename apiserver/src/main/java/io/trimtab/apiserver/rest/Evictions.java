package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.selector.FieldSelector;
import io.trimtab.selector.LabelSelectors;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Deletes a pod if the budgets allow it (registry/core/pod/storage/eviction.go). Stateless. */
final class Evictions {
    private static final int MAX_DISRUPTED = 2000;
    private static final int MAX_CONTENTION = 100;
    private static final String VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget.";

    private Evictions() {}

    static ApiResponse create(Call call) {
        Representation form = Representation.negotiate(call, Representation.Endpoint.VIRTUAL);
        WriteOptions options = WriteOptions.create(call.request);
        ObjectNode eviction = BodyReader.read(call, "policy", "v1", "Eviction", options.validation());
        Writes.fitNamespace(call, eviction);
        String name = call.info.name();
        if (!Metadata.name(eviction).equals(name)) {
            throw Statuses.badRequest("name in URL does not match name in Eviction object");
        }
        ObjectNode deletion = eviction.get("deleteOptions") instanceof ObjectNode o ? o.deepCopy() : Json.object();
        if (options.dryRun()) {
            deletion.putArray("dryRun").add("All");
        }
        DeleteOptions delete = DeleteOptions.of(deletion);
        Admission.create(call, "eviction", name, eviction, options, () -> {});
        for (int i = 0; i < MAX_CONTENTION; i++) {
            if (tryEvict(call, name, delete)) {
                ObjectNode status = Json.object().put("kind", "Status").put("apiVersion", "v1");
                status.putObject("metadata");
                return ResponseWriter.tree(
                        form, 201, status.put("status", "Success").put("code", 201));
            }
        }
        throw tooMany(0, null);
    }

    /** False if the pod changed while it was looked at: look again. */
    private static boolean tryEvict(Call call, String name, DeleteOptions options) {
        StoredObject stored = call.env
                .storage()
                .get(call.served.storage(), call.namespace(), name)
                .orElseThrow(() -> call.notFound(name));
        JsonNode pod = stored.tree();
        boolean enforceVersion = false;
        if (ignoresBudgets(pod)) {
            // A pending pod may become ready meanwhile, and then its budget counts.
            enforceVersion = !Metadata.isDeleting(pod)
                    && pod.path("status").path("phase").asText().equals("Pending");
        } else {
            List<StoredObject> budgets = budgets(call, stored);
            if (budgets.size() > 1) {
                throw Statuses.raw("This pod has more than one PodDisruptionBudget, which the eviction subresource"
                        + " does not support.");
            }
            if (budgets.size() == 1) {
                JsonNode budget = budgets.get(0).tree();
                if (!isReady(pod) && allowsUnready(budget)) {
                    enforceVersion = true;
                } else if (!decrement(call, budgets.get(0), name, options.dryRun())) {
                    return false;
                }
            }
        }
        if (!options.dryRun()) {
            ObjectNode marked = stored.copy();
            Bindings.setCondition(
                    call,
                    marked,
                    Json.object()
                            .put("type", "DisruptionTarget")
                            .put("status", "True")
                            .put("reason", "EvictionByEvictionAPI")
                            .put("message", "Eviction API: evicting"));
            Optional<StoredObject> written = call.env
                    .storage()
                    .replace(call.served.storage(), stored, ObjectWriter.canonical(call.served, marked));
            if (written.isEmpty()) {
                if (enforceVersion) {
                    return false;
                }
                // Its budget was charged already: go on with the pod as it is now.
            }
        }
        Deletes.evict(call, name, options);
        return true;
    }

    private static boolean ignoresBudgets(JsonNode pod) {
        String phase = pod.path("status").path("phase").asText("");
        return Metadata.isDeleting(pod)
                || phase.equals("Succeeded")
                || phase.equals("Failed")
                || phase.equals("Pending");
    }

    private static boolean isReady(JsonNode pod) {
        for (JsonNode condition : pod.path("status").path("conditions")) {
            if (condition.path("type").asText().equals("Ready")) {
                return condition.path("status").asText().equals("True");
            }
        }
        return false;
    }

    private static boolean allowsUnready(JsonNode budget) {
        long healthy = budget.path("status").path("currentHealthy").asLong(0);
        long desired = budget.path("status").path("desiredHealthy").asLong(0);
        return budget.path("spec").path("unhealthyPodEvictionPolicy").asText("").equals("AlwaysAllow")
                || healthy >= desired && desired > 0;
    }

    private static List<StoredObject> budgets(Call call, StoredObject pod) {
        Served budgets = call.env.resources().find("policy", "v1", "poddisruptionbudgets");
        if (budgets == null) {
            return List.of();
        }
        Map<String, String> labels = pod.labels();
        List<StoredObject> matching = new ArrayList<>(1);
        Iterator<StoredObject> all = call.env
                .storage()
                .list(
                        budgets.storage(),
                        new Storage.ListQuery(
                                pod.namespace(),
                                LabelSelectors.everything(),
                                FieldSelector.everything(),
                                0,
                                false,
                                0,
                                null))
                .objects();
        while (all.hasNext()) {
            StoredObject budget = all.next();
            JsonNode selector = budget.tree().path("spec").path("selector");
            if (selector.isObject() && StructuredSelector.of(selector).matches(labels)) {
                matching.add(budget);
            }
        }
        return matching;
    }

    /** Charges the budget; false if it changed meanwhile. */
    private static boolean decrement(Call call, StoredObject budget, String pod, boolean dryRun) {
        Served served = call.env.resources().find("policy", "v1", "poddisruptionbudgets");
        if (served == null) {
            return true;
        }
        ObjectNode object = budget.copy();
        ObjectNode status = object.get("status") instanceof ObjectNode s ? s : object.putObject("status");
        if (status.path("observedGeneration").asLong(0) < Metadata.generation(object)) {
            throw tooMany(10, "The disruption budget " + budget.name() + " is still being processed by the server.");
        }
        long allowed = status.path("disruptionsAllowed").asLong(0);
        if (allowed < 0) {
            throw Statuses.forbidden(
                    "policy", "poddisruptionbudget", budget.name(), "pdb disruptions allowed is negative");
        }
        if (status.path("disruptedPods").size() > MAX_DISRUPTED) {
            throw Statuses.forbidden(
                    "policy",
                    "poddisruptionbudget",
                    budget.name(),
                    "DisruptedPods map too big - too many evictions not confirmed by PDB controller");
        }
        if (allowed == 0) {
            throw tooMany(
                    0,
                    "The disruption budget " + budget.name() + " needs "
                            + status.path("desiredHealthy").asLong(0) + " healthy pods and has "
                            + status.path("currentHealthy").asLong(0) + " currently");
        }
        if (dryRun) {
            return true;
        }
        status.put("disruptionsAllowed", allowed - 1);
        if (allowed == 1) {
            insufficient(call, status, Metadata.generation(object));
        }
        ObjectNode disrupted =
                status.get("disruptedPods") instanceof ObjectNode d ? d : status.putObject("disruptedPods");
        disrupted.put(pod, Metadata.time(call.env.driver().now()));
        // The server acts here as a client of its own.
        FieldManagement.recordUpdate(call.forResource(served), budget.tree(), object, "kube-apiserver", "status");
        return call.env
                .storage()
                .replace(served.storage(), budget, ObjectWriter.canonical(served, object))
                .isPresent();
    }

    private static void insufficient(Call call, ObjectNode status, long generation) {
        ArrayNode conditions =
                status.get("conditions") instanceof ArrayNode array ? array : status.putArray("conditions");
        ObjectNode condition = Json.object()
                .put("type", "DisruptionAllowed")
                .put("status", "False")
                .put("observedGeneration", generation)
                .put("lastTransitionTime", Metadata.time(call.env.driver().now()))
                .put("reason", "InsufficientPods")
                .put("message", "");
        for (int i = 0; i < conditions.size(); i++) {
            if (conditions.get(i).path("type").asText().equals("DisruptionAllowed")) {
                if (conditions.get(i).path("status").asText().equals("False")) {
                    condition.set("lastTransitionTime", conditions.get(i).path("lastTransitionTime"));
                }
                conditions.set(i, condition);
                return;
            }
        }
        conditions.add(condition);
    }

    private static StatusException tooMany(int retryAfterSeconds, @Nullable String why) {
        StatusException refusal = Statuses.tooManyRequests(VIOLATES, retryAfterSeconds);
        if (why != null) {
            ObjectNode details = (ObjectNode) refusal.status().path("details");
            JsonNode retry = details.remove("retryAfterSeconds");
            details.putArray("causes")
                    .addObject()
                    .put("reason", "DisruptionBudget")
                    .put("message", why);
            if (retry != null) {
                details.set("retryAfterSeconds", retry);
            }
        }
        return refusal;
    }
}
