package io.trimtab.apiserver.customresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.storage.Objects;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.runtime.Driver;
import java.time.temporal.ChronoUnit;

/** Empties a definition that is being deleted, then lets it go. Used by the lane of {@link CustomResourceDefinitions}. */
final class Removal {
    private final Storage storage;
    private final Driver driver;

    Removal(Storage storage, Driver driver) {
        this.storage = storage;
        this.driver = driver;
    }

    /** Deletes all objects; those with finalizers are marked, and go when their finalizers do. True if none is left. */
    boolean deleteObjects(ApiResource resource) {
        for (StoredObject object : Objects.list(storage, resource, null)) {
            JsonNode metadata = object.tree().path("metadata");
            if (metadata.path("finalizers").isEmpty()) {
                storage.delete(resource, object);
            } else if (!metadata.hasNonNull("deletionTimestamp")) {
                ObjectNode marked = object.copy();
                ObjectNode own = (ObjectNode) marked.get("metadata");
                own.put(
                        "deletionTimestamp",
                        driver.now().truncatedTo(ChronoUnit.SECONDS).toString());
                own.put("deletionGracePeriodSeconds", 0);
                if (own.path("generation").asLong() > 0) {
                    own.put("generation", own.path("generation").asLong() + 1);
                }
                storage.replace(resource, object, marked);
            }
        }
        return Objects.list(storage, resource, null).isEmpty();
    }

    /** Says how far the deletion has come. */
    void tell(String name, String reason, String message) {
        change(name, definition -> Names.set(status(definition), "Terminating", true, reason, message, driver.now()));
    }

    /** Takes the finalizer away; the definition goes unless others hold it. */
    void finish(String name, String finalizer) {
        change(name, definition -> {
            Names.set(
                    status(definition),
                    "Terminating",
                    false,
                    "InstanceDeletionCompleted",
                    "removed all instances",
                    driver.now());
            ObjectNode metadata = (ObjectNode) definition.get("metadata");
            ArrayNode kept = metadata.arrayNode();
            for (JsonNode one : metadata.path("finalizers")) {
                if (!one.asText().equals(finalizer)) {
                    kept.add(one);
                }
            }
            if (kept.isEmpty()) {
                metadata.remove("finalizers");
            } else {
                metadata.set("finalizers", kept);
            }
            metadata.put("deletionGracePeriodSeconds", 0);
        });
        storage.get(CoreResources.CUSTOM_RESOURCE_DEFINITIONS, null, name).ifPresent(definition -> {
            JsonNode metadata = definition.tree().path("metadata");
            if (metadata.hasNonNull("deletionTimestamp")
                    && metadata.path("finalizers").isEmpty()) {
                storage.delete(CoreResources.CUSTOM_RESOURCE_DEFINITIONS, definition);
            }
        });
    }

    private static ObjectNode status(ObjectNode definition) {
        return definition.get("status") instanceof ObjectNode s ? s : definition.putObject("status");
    }

    private void change(String name, java.util.function.Consumer<ObjectNode> change) {
        try {
            storage.update(CoreResources.CUSTOM_RESOURCE_DEFINITIONS, null, name, definition -> {
                change.accept(definition);
                return Canonical.of(definition, CustomResourceDefinitions.TYPE);
            });
        } catch (StatusException e) {
            if (e.code() != 404) {
                throw e;
            }
            // gone already: that is what was wanted
        }
    }
}
