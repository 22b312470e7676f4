package io.trimtab.apiserver.aggregation;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.kinds.apiregistration.ApiServiceKind;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.schema.Schema;
import io.trimtab.apiserver.schema.SchemaRegistry;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.Storage.NewObject;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.runtime.Driver;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Registers what this server serves itself: built-in group versions once, when it starts, those of definitions always
 * (kube-aggregator's autoregister). Used by one lane.
 */
final class LocalServices {
    private static final String MANAGED = "kube-aggregator.kubernetes.io/automanaged";
    static final String OWN_GROUP = "apiregistration.k8s.io";
    private static final Schema SCHEMA =
            SchemaRegistry.builtin().forKind(OWN_GROUP, "v1", "APIService").orElseThrow();
    private static final int CUSTOM_GROUP = 1000;
    private static final int CUSTOM_VERSION = 100;

    /** Group and version priority of what is built in (kube-apiserver's app/aggregator.go). */
    private static final Map<String, int[]> PRIORITIES = Map.ofEntries(
            Map.entry("v1.", new int[] {18000, 1}),
            Map.entry("v1.apps", new int[] {17800, 15}),
            Map.entry("v1.events.k8s.io", new int[] {17750, 15}),
            Map.entry("v1.authentication.k8s.io", new int[] {17700, 15}),
            Map.entry("v1.authorization.k8s.io", new int[] {17600, 15}),
            Map.entry("v1.autoscaling", new int[] {17500, 15}),
            Map.entry("v2.autoscaling", new int[] {17500, 30}),
            Map.entry("v1.batch", new int[] {17400, 15}),
            Map.entry("v1.certificates.k8s.io", new int[] {17300, 15}),
            Map.entry("v1.networking.k8s.io", new int[] {17200, 15}),
            Map.entry("v1.policy", new int[] {17100, 15}),
            Map.entry("v1.rbac.authorization.k8s.io", new int[] {17000, 15}),
            Map.entry("v1.storage.k8s.io", new int[] {16800, 15}),
            Map.entry("v1.apiextensions.k8s.io", new int[] {16700, 15}),
            Map.entry("v1.admissionregistration.k8s.io", new int[] {16700, 15}),
            Map.entry("v1.scheduling.k8s.io", new int[] {16600, 15}),
            Map.entry("v1.coordination.k8s.io", new int[] {16500, 15}),
            Map.entry("v1.node.k8s.io", new int[] {16300, 15}),
            Map.entry("v1.discovery.k8s.io", new int[] {16200, 15}),
            Map.entry("v1.resource.k8s.io", new int[] {16200, 21}),
            Map.entry("v1.flowcontrol.apiserver.k8s.io", new int[] {16100, 21}));

    private final Storage storage;
    private final ResourceRegistry registry;
    private final Driver driver;
    /** Built-in ones that were there once: who deletes them wants them gone. */
    private final Set<String> settled = new HashSet<>();

    LocalServices(Storage storage, ResourceRegistry registry, Driver driver) {
        this.storage = storage;
        this.registry = registry;
        this.driver = driver;
    }

    /** Makes what is absent, and removes what definitions no longer serve. */
    void reconcile(Map<String, Registration> present) {
        Map<String, ObjectNode> wanted = wanted();
        List<NewObject> absent = new ArrayList<>();
        wanted.forEach((name, object) -> {
            boolean custom = isContinuous(object);
            Registration now = present.get(name);
            if (now == null && (custom || !settled.contains(name))) {
                absent.add(new NewObject(CoreResources.API_SERVICES, object));
            } else if (now != null && custom && isContinuous(now.stored().tree())) {
                update(now.stored(), object);
            }
            if (!custom) {
                settled.add(name);
            }
        });
        if (!absent.isEmpty() && !storage.createAll(absent)) {
            absent.forEach(this::createIfAbsent);
        }
        present.forEach((name, registration) -> {
            if (!wanted.containsKey(name) && isContinuous(registration.stored().tree())) {
                storage.delete(CoreResources.API_SERVICES, registration.stored());
            }
        });
    }

    private void createIfAbsent(NewObject object) {
        String name = object.tree().path("metadata").path("name").asText();
        if (storage.get(CoreResources.API_SERVICES, null, name).isEmpty()) {
            try {
                storage.create(CoreResources.API_SERVICES, object.tree());
            } catch (io.trimtab.apiserver.errors.StatusException e) {
                if (e.code() != 409) {
                    throw e;
                }
            }
        }
    }

    private void update(StoredObject stored, ObjectNode object) {
        if (!stored.tree().path("spec").equals(object.path("spec"))) {
            ObjectNode next = stored.copy();
            next.set("spec", object.get("spec"));
            Optional<StoredObject> unused =
                    storage.replace(CoreResources.API_SERVICES, stored, Canonical.of(next, SCHEMA));
        }
    }

    private static boolean isContinuous(ObjectNode object) {
        return object.path("metadata").path("labels").path(MANAGED).asText("").equals("true");
    }

    private Map<String, ObjectNode> wanted() {
        Map<String, ObjectNode> wanted = new LinkedHashMap<>();
        for (String group : registry.groups()) {
            for (String version : registry.versions(group)) {
                if (group.equals(OWN_GROUP)) {
                    continue;
                }
                String name = version + "." + group;
                int[] priorities = PRIORITIES.get(name);
                boolean custom = registry.resources(group, version).stream()
                        .allMatch(s -> s.resource().custom());
                if (priorities != null && !custom) {
                    wanted.put(name, object(name, group, version, priorities[0], priorities[1], "onstart"));
                } else if (custom) {
                    wanted.put(name, object(name, group, version, CUSTOM_GROUP, CUSTOM_VERSION, "true"));
                }
            }
        }
        return wanted;
    }

    private ObjectNode object(
            String name, String group, String version, int groupPriority, int versionPriority, String managed) {
        ObjectNode object =
                JsonNodeFactory.instance.objectNode().put("kind", "APIService").put("apiVersion", OWN_GROUP + "/v1");
        ObjectNode metadata = object.putObject("metadata");
        metadata.put("name", name);
        metadata.put("uid", uid());
        metadata.put(
                "creationTimestamp",
                driver.now().truncatedTo(ChronoUnit.SECONDS).toString());
        metadata.putObject("labels").put(MANAGED, managed);
        ObjectNode spec = object.putObject("spec");
        if (!group.isEmpty()) {
            spec.put("group", group);
        }
        spec.put("version", version);
        spec.put("groupPriorityMinimum", groupPriority).put("versionPriority", versionPriority);
        object.putObject("status").putArray("conditions").add(ApiServiceKind.localCondition(object, driver.now()));
        return Canonical.of(object, SCHEMA);
    }

    private String uid() {
        long high = driver.random().nextLong() & 0xffff_ffff_ffff_0fffL | 0x4000L;
        long low = driver.random().nextLong() & 0x3fff_ffff_ffff_ffffL | 0x8000_0000_0000_0000L;
        return new UUID(high, low).toString();
    }
}
