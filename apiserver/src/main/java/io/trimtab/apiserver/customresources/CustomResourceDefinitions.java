package io.trimtab.apiserver.customresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.admission.webhook.Webhook;
import io.trimtab.apiserver.callout.Target;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.resource.VersionConversion;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.schema.Schema;
import io.trimtab.apiserver.schema.SchemaRegistry;
import io.trimtab.apiserver.storage.ObjectFeed;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.apiserver.table.CustomColumns;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes definitions true: accepts or refuses their names, serves their versions in the {@link ResourceRegistry}, and when one is
 * deleted, its objects go first. What was defined before the server started is served when {@link #start} returns.
 *
 * <p>Level-based: a step looks at what is stored. Steps run on one lane, one after another; {@link #columns} and {@link #schema}
 * are for any thread.
 */
public final class CustomResourceDefinitions implements AutoCloseable {
    static final String FINALIZER = "customresourcecleanup.apiextensions.k8s.io";
    /** Of definitions themselves. */
    static final Schema TYPE = SchemaRegistry.builtin()
            .forKind("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
            .orElseThrow();

    private static final Logger LOG = LoggerFactory.getLogger(CustomResourceDefinitions.class);
    /** How long objects with finalizers of their own are given before they are looked at again. */
    private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

    /** What is served for a definition; compared by {@code mark}, to see whether it has to be made anew. */
    private record Serving(String mark, ApiResource storage, List<Served> versions) {}

    /**
     * A definition.
     *
     * @param outline its group and status, which the others of the group ask for; all of it would take ten times the room of its JSON
     */
    private record Known(StoredObject object, ObjectNode outline) {
        static Known of(StoredObject object) {
            ObjectNode tree = object.tree();
            ObjectNode outline = JsonNodeFactory.instance.objectNode();
            outline.putObject("spec").put("group", Names.group(tree));
            outline.set("status", tree.path("status").deepCopy());
            return new Known(object, outline);
        }
    }

    private final Storage storage;
    private final ResourceRegistry registry;
    private final Driver driver;
    private final Driver.Lane lane;
    private final ObjectFeed feed;
    private final @Nullable ConversionWebhooks conversions;
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private volatile boolean closed;
    /** Written by the lane; columns by group, version and plural. */
    private final Map<ApiResource, List<CustomColumns.CustomColumn>> columns = new ConcurrentHashMap<>();

    // What follows belongs to the lane, and before it starts, to the constructor's thread.
    private final Map<String, Known> definitions = new LinkedHashMap<>();
    private final Map<String, Serving> serving = new HashMap<>();
    private final Set<String> due = new LinkedHashSet<>();

    private CustomResourceDefinitions(
            Storage storage, ResourceRegistry registry, Driver driver, @Nullable ConversionWebhooks conversions) {
        this.conversions = conversions;
        this.storage = storage;
        this.registry = registry;
        this.driver = driver;
        this.lane = driver.lane("custom-resource-definitions");
        this.feed = new ObjectFeed(storage, CoreResources.CUSTOM_RESOURCE_DEFINITIONS, new Sink(), this::wake);
    }

    /** Serves what is defined in the storage, from now until it is closed. */
    public static CustomResourceDefinitions start(Storage storage, ResourceRegistry registry, Driver driver) {
        return start(storage, registry, driver, null);
    }

    /** @param conversions asks the webhooks that convert; null if versions differ by their names only */
    public static CustomResourceDefinitions start(
            Storage storage, ResourceRegistry registry, Driver driver, @Nullable ConversionWebhooks conversions) {
        CustomResourceDefinitions started = new CustomResourceDefinitions(storage, registry, driver, conversions);
        started.step();
        return started;
    }

    /** The columns that definitions ask for. */
    public CustomColumns columns() {
        return resource -> columns.getOrDefault(resource, List.of());
    }

    /** What a definition says of the objects of a version; null for what is built in. Not to be changed. */
    public static @Nullable ObjectNode schema(Served served) {
        return served.kind() instanceof CustomResourceKind kind ? kind.schema() : null;
    }

    @Override
    public void close() {
        closed = true;
        feed.close();
    }

    private void wake() {
        if (!closed && scheduled.compareAndSet(false, true)) {
            lane.execute(this::step);
        }
    }

    private void step() {
        scheduled.set(false);
        if (closed) {
            return;
        }
        feed.refresh();
        while (!due.isEmpty()) {
            String name = due.iterator().next();
            due.remove(name);
            Known definition = definitions.get(name);
            try {
                if (definition == null) {
                    stopServing(name);
                } else {
                    reconcile(name, definition.object().tree());
                }
            } catch (RuntimeException e) {
                LOG.warn("custom resource definition not served: name={}", name, e);
                lookAgain(name);
            }
            feed.refresh();
        }
    }

    private void lookAgain(String name) {
        driver.schedule(
                LOOK_AGAIN,
                () -> lane.execute(() -> {
                    due.add(name);
                    step();
                }));
    }

    private final class Sink implements ObjectFeed.Sink {
        @Override
        public void put(StoredObject object) {
            definitions.put(object.name(), Known.of(object));
            due.add(object.name());
        }

        @Override
        public void remove(StoredObject object) {
            Known gone = definitions.remove(object.name());
            due.add(object.name());
            if (gone != null) {
                wakeRivals(gone.outline());
            }
        }
    }

    /** A name that is free now may be what another definition waits for. */
    private void wakeRivals(JsonNode gone) {
        String group = Names.group(gone);
        definitions.forEach((name, known) -> {
            ObjectNode other = known.outline();
            if (Names.group(other).equals(group) && !Names.isTrue(other, "NamesAccepted")) {
                due.add(name);
            }
        });
    }

    private void reconcile(String name, ObjectNode definition) {
        if (definition.path("metadata").hasNonNull("deletionTimestamp")) {
            serveAsAccepted(name, definition, true);
            if (hasFinalizer(definition)) {
                Removal removal = new Removal(storage, driver);
                Serving now = serving.get(name);
                ApiResource objects = now == null ? Versions.storage(definition) : now.storage();
                boolean established = Names.isTrue(definition, "Established");
                if (!established || removal.deleteObjects(objects)) {
                    stopServing(name);
                    removal.finish(name, FINALIZER);
                } else {
                    removal.tell(name, "InstanceDeletionInProgress", "CustomResource deletion is in progress");
                    lookAgain(name);
                }
            }
            return;
        }
        List<ObjectNode> others = new ArrayList<>();
        String group = Names.group(definition);
        definitions.forEach((other, known) -> {
            if (!other.equals(name) && Names.group(known.outline()).equals(group)) {
                others.add(known.outline());
            }
        });
        ObjectNode decided = Canonical.of(Names.decide(definition, others, driver.now()), TYPE);
        if (!decided.path("status").equals(definition.path("status"))) {
            ObjectNode status = (ObjectNode) decided.get("status");
            storage.update(CoreResources.CUSTOM_RESOURCE_DEFINITIONS, null, name, next -> {
                // Stored versions are the writer's, who may have added one meanwhile.
                JsonNode versions = next.path("status").get("storedVersions");
                ObjectNode merged = status.deepCopy();
                if (versions != null) {
                    merged.set("storedVersions", versions);
                }
                next.set("status", merged);
                return Canonical.of(next, TYPE);
            });
        }
        serveAsAccepted(name, decided, false);
    }

    private static boolean hasFinalizer(JsonNode definition) {
        for (JsonNode finalizer : definition.path("metadata").path("finalizers")) {
            if (finalizer.asText().equals(FINALIZER)) {
                return true;
            }
        }
        return false;
    }

    private void serveAsAccepted(String name, ObjectNode definition, boolean terminating) {
        if (!Names.isTrue(definition, "Established")) {
            return;
        }
        // A change of the spec comes with another generation.
        JsonNode generation = definition.path("metadata").path("generation");
        String mark = definition.path("metadata").path("uid").asText()
                + terminating
                + (generation.isNumber() ? generation : definition.path("spec"))
                + definition.path("status").path("acceptedNames")
                + definition.path("status").path("storedVersions");
        Serving before = serving.get(name);
        if (before != null && before.mark().equals(mark)) {
            return;
        }
        ApiResource stored = Versions.storage(definition);
        List<Served> versions = new ArrayList<>();
        for (JsonNode version : definition.path("spec").path("versions")) {
            if (version.path("served").asBoolean()) {
                versions.add(serve(definition, version, stored, terminating));
            }
        }
        if (before != null) {
            for (Served old : before.versions()) {
                ApiResource resource = old.resource();
                if (versions.stream().noneMatch(v -> v.resource().equals(resource))) {
                    registry.unregister(resource.group(), resource.version(), resource.plural());
                    columns.remove(resource);
                }
            }
        }
        versions.forEach(registry::register);
        serving.put(name, new Serving(mark, stored, versions));
        LOG.info("custom resource served: name={} versions={}", name, versions.size());
    }

    private Served serve(ObjectNode definition, JsonNode version, ApiResource stored, boolean terminating) {
        ApiResource resource = Versions.resource(definition, version);
        CustomResourceKind kind = new CustomResourceKind(resource, version, terminating);
        Schema schema = SchemaRegistry.builtin().fromOpenApi(kind.schema());
        List<CustomColumns.CustomColumn> asked = new ArrayList<>();
        for (JsonNode column : version.path("additionalPrinterColumns")) {
            asked.add(CustomColumns.CustomColumn.of(
                    column.path("name").asText(),
                    column.path("type").asText(),
                    column.path("format").asText(""),
                    column.path("description").asText(""),
                    column.path("priority").asInt(0),
                    column.path("jsonPath").asText()));
        }
        columns.put(resource, asked);
        return new Served(
                resource,
                kind,
                schema,
                Versions.isWrittenAsRead(definition, resource, stored)
                        ? null
                        : conversion(
                                definition, resource, new VersionRewrite(resource, stored, schema, kind.schema())));
    }

    private VersionConversion conversion(JsonNode definition, ApiResource resource, VersionRewrite rewrite) {
        JsonNode conversion = definition.path("spec").path("conversion");
        ConversionWebhooks webhooks = conversions;
        if (webhooks == null || !conversion.path("strategy").asText().equals("Webhook")) {
            return rewrite;
        }
        Target target = null;
        String problem = "";
        try {
            target = Webhook.target(conversion.path("webhook").path("clientConfig"));
        } catch (IllegalArgumentException e) {
            problem = String.valueOf(e.getMessage());
        }
        List<String> versions = new ArrayList<>();
        conversion.path("webhook").path("conversionReviewVersions").forEach(v -> versions.add(v.asText()));
        ConversionWebhooks.Webhook webhook = new ConversionWebhooks.Webhook(
                definition.path("metadata").path("name").asText(), target, problem, versions);
        return new WebhookConversion(webhooks, webhook, resource, rewrite);
    }

    private void stopServing(String name) {
        Serving before = serving.remove(name);
        if (before == null) {
            return;
        }
        for (Served served : before.versions()) {
            ApiResource resource = served.resource();
            registry.unregister(resource.group(), resource.version(), resource.plural());
            columns.remove(resource);
        }
        storage.forget(before.storage());
        LOG.info("custom resource served no longer: name={}", name);
    }
}
