package io.trimtab.apiserver.bootstrap;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.Storage.NewObject;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Makes the objects that a cluster has before anybody has made one: namespaces, default roles, system priorities, flow control,
 * the Service through which pods reach this server. What exists is left as it is, except roles and flow control that say they
 * may be brought up to date. Several servers on one store may do this at the same time.
 */
public final class Bootstrap {
    // Transactions of etcd hold 128 operations unless it was told otherwise.
    private static final int CHUNK = 100;
    private static final ObjectMapper JSON = new JsonMapper();
    private static final String AUTO_UPDATE_FLOW_CONTROL = "apf.kubernetes.io/autoupdate-spec";
    private static final Set<ApiResource> WITH_GENERATION =
            Set.of(CoreResources.PRIORITY_CLASSES, CoreResources.FLOW_SCHEMAS, CoreResources.PRIORITY_LEVELS);

    private final Storage storage;
    private final Driver driver;
    private final Settings settings;
    private final List<NewObject> absent = new ArrayList<>();

    private Bootstrap(Storage storage, Driver driver, Settings settings) {
        this.storage = storage;
        this.driver = driver;
        this.settings = settings;
    }

    /**
     * What the objects need to know about this server.
     *
     * @param serviceRange addresses of Services, such as {@code 10.254.0.0/16}
     * @param advertiseAddress where clients inside the cluster reach this server; nothing is published if it is a loopback
     *     address, which means something else on every machine
     * @param securePort its port
     * @param clientAuthority PEM of the authority whose client certificates are accepted; null for none
     * @param proxies what servers behind this one need to know to believe it, for {@code extension-apiserver-authentication}
     */
    public record Settings(
            String serviceRange,
            String advertiseAddress,
            int securePort,
            @Nullable String clientAuthority,
            Map<String, String> proxies) {
        public Settings {
            proxies = Map.copyOf(proxies);
        }

        /** Of a server that stands before no other. */
        public Settings(
                String serviceRange, String advertiseAddress, int securePort, @Nullable String clientAuthority) {
            this(serviceRange, advertiseAddress, securePort, clientAuthority, Map.of());
        }
    }

    /** Makes what is absent. Blocks until it is stored. */
    public static void run(Storage storage, Driver driver, Settings settings) {
        Bootstrap bootstrap = new Bootstrap(storage, driver, settings);
        bootstrap.namespaces();
        JsonNode data = read();
        bootstrap.roles(data);
        bootstrap.ifAbsent(CoreResources.PRIORITY_CLASSES, data.path("priorityclasses"));
        bootstrap.flowControl(CoreResources.PRIORITY_LEVELS, data.path("prioritylevelconfigurations"));
        bootstrap.flowControl(CoreResources.FLOW_SCHEMAS, data.path("flowschemas"));
        bootstrap.kubernetesService();
        bootstrap.clientAuthority();
        bootstrap.tokenTracking();
        bootstrap.store();
    }

    /**
     * Says where this server is, once its port is known: for one that was told to take any. Blocks until it is stored.
     *
     * @param settings with the port; nothing happens if their address is a loopback address
     */
    public static void endpoints(Storage storage, Driver driver, Settings settings) {
        if (!AddressRange.isLoopback(settings.advertiseAddress())) {
            Bootstrap bootstrap = new Bootstrap(storage, driver, settings);
            bootstrap.endpoints();
            bootstrap.store();
            storage.update(CoreResources.SERVICES, "default", "kubernetes", service -> {
                ((ObjectNode) service.path("spec").path("ports").path(0)).put("targetPort", settings.securePort());
                return service;
            });
        }
    }

    /** Makes or repairs the objects of flow control alone, which a server does again and again. */
    static void flowControl(Storage storage, Driver driver) {
        Bootstrap bootstrap = new Bootstrap(storage, driver, new Settings("", "127.0.0.1", 0, null));
        bootstrap.flowControlObjects();
        bootstrap.store();
    }

    /** Makes what servers that extend this one need, or brings it up to date. */
    static void clientAuthority(Storage storage, Driver driver, Settings settings) {
        Bootstrap bootstrap = new Bootstrap(storage, driver, settings);
        bootstrap.clientAuthority();
        bootstrap.store();
    }

    /** Says since when it is noted which tokens of Secrets are used. */
    static void tokenTracking(Storage storage, Driver driver) {
        Bootstrap bootstrap = new Bootstrap(storage, driver, new Settings("", "127.0.0.1", 0, null));
        bootstrap.tokenTracking();
        bootstrap.store();
    }

    private void tokenTracking() {
        String name = "kube-apiserver-legacy-service-account-token-tracking";
        String today = LocalDate.ofInstant(driver.now(), ZoneOffset.UTC).toString();
        if (isAbsent(CoreResources.CONFIG_MAPS, "kube-system", name)) {
            ObjectNode map = object(CoreResources.CONFIG_MAPS, "kube-system", name);
            map.putObject("data").put("since", today);
            add(CoreResources.CONFIG_MAPS, map);
            return;
        }
        storage.update(CoreResources.CONFIG_MAPS, "kube-system", name, current -> {
            ObjectNode data = current.withObjectProperty("data");
            try {
                LocalDate.parse(data.path("since").asText(""));
            } catch (DateTimeParseException e) {
                data.put("since", today);
            }
            return current;
        });
    }

    private void flowControlObjects() {
        flowControl(CoreResources.PRIORITY_LEVELS, FlowControlData.LEVELS);
        flowControl(CoreResources.FLOW_SCHEMAS, FlowControlData.SCHEMAS);
    }

    /** Looked at every minute, so they are kept; the rest of the file is not. */
    private static final class FlowControlData {
        static final JsonNode LEVELS;
        static final JsonNode SCHEMAS;

        static {
            JsonNode data = read();
            LEVELS = data.path("prioritylevelconfigurations");
            SCHEMAS = data.path("flowschemas");
        }
    }

    private void namespaces() {
        for (String name : List.of("default", "kube-system", "kube-public", "kube-node-lease")) {
            if (isAbsent(CoreResources.NAMESPACES, null, name)) {
                ObjectNode namespace = object(CoreResources.NAMESPACES, null, name);
                metadata(namespace).putObject("labels").put("kubernetes.io/metadata.name", name);
                namespace.putObject("spec").putArray("finalizers").add("kubernetes");
                namespace.putObject("status").put("phase", "Active");
                add(CoreResources.NAMESPACES, namespace);
            }
        }
    }

    private void roles(JsonNode data) {
        Map<ApiResource, JsonNode> all = new java.util.LinkedHashMap<>();
        all.put(CoreResources.CLUSTER_ROLES, data.path("clusterroles"));
        all.put(CoreResources.CLUSTER_ROLE_BINDINGS, data.path("clusterrolebindings"));
        all.put(CoreResources.ROLES, data.path("roles"));
        all.put(CoreResources.ROLE_BINDINGS, data.path("rolebindings"));
        all.forEach((resource, list) -> {
            for (JsonNode wanted : list) {
                String namespace = wanted.path("metadata").path("namespace").asText("");
                String name = wanted.path("metadata").path("name").asText();
                Optional<StoredObject> found = storage.get(resource, namespace, name);
                if (found.isEmpty()) {
                    add(resource, stamped(resource, wanted));
                } else {
                    RoleReconciler.reconcile(storage, resource, found.get(), (ObjectNode) wanted)
                            .ifPresent(recreated -> add(resource, stamped(resource, recreated)));
                }
            }
        });
    }

    private void ifAbsent(ApiResource resource, JsonNode list) {
        for (JsonNode wanted : list) {
            if (isAbsent(resource, null, wanted.path("metadata").path("name").asText())) {
                add(resource, stamped(resource, wanted));
            }
        }
    }

    private void flowControl(ApiResource resource, JsonNode list) {
        for (JsonNode wanted : list) {
            String name = wanted.path("metadata").path("name").asText();
            Optional<StoredObject> found = storage.get(resource, null, name);
            if (found.isEmpty()) {
                ObjectNode fresh = stamped(resource, wanted);
                fresh.putObject("status");
                if (resource.equals(CoreResources.FLOW_SCHEMAS)) {
                    isNotDangling(fresh);
                }
                add(resource, fresh);
            } else if (mayUpdate(found.get())
                    && !found.get().tree().path("spec").equals(wanted.path("spec"))) {
                storage.update(resource, null, name, current -> {
                    current.set("spec", wanted.path("spec").deepCopy());
                    metadata(current).withObjectProperty("annotations").put(AUTO_UPDATE_FLOW_CONTROL, "true");
                    ObjectNode metadata = metadata(current);
                    metadata.put("generation", metadata.path("generation").asLong(0) + 1);
                    return current;
                });
            }
        }
    }

    /**
     * Two objects of each kind are as they must be, whatever anybody writes into them. The others are ours until somebody says
     * otherwise, by the annotation or, if there is none, by a change.
     */
    private static boolean mayUpdate(StoredObject found) {
        JsonNode metadata = found.tree().path("metadata");
        String mode =
                metadata.path("annotations").path(AUTO_UPDATE_FLOW_CONTROL).asText("");
        if (found.name().equals("catch-all")) {
            return true;
        }
        if (found.name().equals("exempt")) {
            // How many shares the exempt level has is the administrator's to say.
            return !found.tree().path("kind").asText("").equals("PriorityLevelConfiguration") || mode.equals("true");
        }
        return mode.isEmpty() ? metadata.path("generation").asLong(0) == 1 : mode.equals("true");
    }

    private void isNotDangling(ObjectNode flowSchema) {
        String level = flowSchema
                .path("spec")
                .path("priorityLevelConfiguration")
                .path("name")
                .asText();
        ((ObjectNode) flowSchema.path("status"))
                .putArray("conditions")
                .addObject()
                .put("type", "Dangling")
                .put("status", "False")
                .put("lastTransitionTime", now())
                .put("reason", "Found")
                .put(
                        "message",
                        "This FlowSchema references the PriorityLevelConfiguration object named \"" + level
                                + "\" and it exists");
    }

    private void kubernetesService() {
        AddressRange range = AddressRange.parse(settings.serviceRange());
        String address = range.first();
        if (isAbsent(CoreResources.SERVICE_CIDRS, null, "kubernetes")) {
            ObjectNode cidr = object(CoreResources.SERVICE_CIDRS, null, "kubernetes");
            cidr.putObject("spec").putArray("cidrs").add(settings.serviceRange());
            cidr.putObject("status")
                    .putArray("conditions")
                    .addObject()
                    .put("type", "Ready")
                    .put("status", "True")
                    .put("lastTransitionTime", now())
                    .put("reason", "")
                    .put("message", "Kubernetes default Service CIDR is ready");
            add(CoreResources.SERVICE_CIDRS, cidr);
        }
        if (isAbsent(CoreResources.SERVICES, "default", "kubernetes")) {
            service(address, range);
        }
        if (!AddressRange.isLoopback(settings.advertiseAddress()) && settings.securePort() > 0) {
            endpoints();
        }
    }

    private void service(String address, AddressRange range) {
        ObjectNode service = object(CoreResources.SERVICES, "default", "kubernetes");
        metadata(service).putObject("labels").put("component", "apiserver").put("provider", "kubernetes");
        ObjectNode spec = service.putObject("spec");
        spec.put("clusterIP", address);
        spec.putArray("clusterIPs").add(address);
        spec.put("internalTrafficPolicy", "Cluster");
        spec.putArray("ipFamilies").add(range.family());
        spec.put("ipFamilyPolicy", "SingleStack");
        spec.putArray("ports")
                .addObject()
                .put("name", "https")
                .put("port", 443)
                .put("protocol", "TCP")
                .put("targetPort", settings.securePort());
        spec.put("sessionAffinity", "None").put("type", "ClusterIP");
        service.putObject("status").putObject("loadBalancer");
        add(CoreResources.SERVICES, service);
        if (isAbsent(CoreResources.IP_ADDRESSES, null, address)) {
            ObjectNode taken = object(CoreResources.IP_ADDRESSES, null, address);
            metadata(taken)
                    .putObject("labels")
                    .put("ipaddress.kubernetes.io/ip-family", range.family())
                    .put("ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io");
            taken.putObject("spec")
                    .putObject("parentRef")
                    .put("resource", "services")
                    .put("namespace", "default")
                    .put("name", "kubernetes");
            add(CoreResources.IP_ADDRESSES, taken);
        }
    }

    /** Says where this server is; what another server on the same store has said stays. */
    private void endpoints() {
        String address = settings.advertiseAddress();
        int port = settings.securePort();
        ObjectNode endpoints = object(CoreResources.ENDPOINTS, "default", "kubernetes");
        metadata(endpoints).putObject("labels").put("endpointslice.kubernetes.io/skip-mirror", "true");
        ObjectNode subset = endpoints.putArray("subsets").addObject();
        subset.putArray("addresses").addObject().put("ip", address);
        subset.putArray("ports")
                .addObject()
                .put("name", "https")
                .put("port", port)
                .put("protocol", "TCP");
        publish(CoreResources.ENDPOINTS, endpoints, "subsets");

        ObjectNode slice = object(CoreResources.ENDPOINT_SLICES, "default", "kubernetes");
        ObjectNode metadata = metadata(slice);
        metadata.put("generation", 1);
        metadata.putObject("labels").put("kubernetes.io/service-name", "kubernetes");
        slice.put("addressType", AddressRange.family(address));
        ObjectNode endpoint = slice.putArray("endpoints").addObject();
        endpoint.putArray("addresses").add(address);
        endpoint.putObject("conditions").put("ready", true);
        slice.putArray("ports")
                .addObject()
                .put("name", "https")
                .put("port", port)
                .put("protocol", "TCP");
        publish(CoreResources.ENDPOINT_SLICES, slice, "endpoints", "ports");
    }

    private void publish(ApiResource resource, ObjectNode wanted, String... fields) {
        Optional<StoredObject> found = storage.get(resource, "default", "kubernetes");
        if (found.isEmpty()) {
            add(resource, wanted);
            return;
        }
        storage.update(resource, "default", "kubernetes", current -> {
            for (String field : fields) {
                current.set(field, wanted.get(field));
            }
            return current;
        });
    }

    /** What servers that extend this one need to believe the same clients. */
    private void clientAuthority() {
        String name = "extension-apiserver-authentication";
        String pem = settings.clientAuthority();
        if (pem == null) {
            return;
        }
        if (isAbsent(CoreResources.CONFIG_MAPS, "kube-system", name)) {
            ObjectNode map = object(CoreResources.CONFIG_MAPS, "kube-system", name);
            ObjectNode data = map.putObject("data").put("client-ca-file", pem);
            new java.util.TreeMap<>(settings.proxies()).forEach(data::put);
            add(CoreResources.CONFIG_MAPS, map);
        } else {
            storage.update(CoreResources.CONFIG_MAPS, "kube-system", name, current -> {
                ObjectNode data = current.withObjectProperty("data");
                settings.proxies().forEach((key, value) -> {
                    // Other servers on the same store have authorities of their own.
                    boolean bundle = key.equals("requestheader-client-ca-file");
                    String before = data.path(key).asText("");
                    data.put(key, bundle && !before.contains(value.strip()) ? before + value : bundle ? before : value);
                });
                if (!data.path("client-ca-file").asText("").contains(pem.strip())) {
                    data.put("client-ca-file", data.path("client-ca-file").asText("") + pem);
                }
                return current;
            });
        }
    }

    // ---- Storing -------------------------------------------------------------------------------------------------

    private void store() {
        for (int from = 0; from < absent.size(); from += CHUNK) {
            List<NewObject> chunk = absent.subList(from, Math.min(from + CHUNK, absent.size()));
            if (!storage.createAll(chunk)) {
                chunk.forEach(this::createUnlessThere);
            }
        }
    }

    private void createUnlessThere(NewObject object) {
        try {
            storage.create(object.resource(), object.tree());
        } catch (io.trimtab.apiserver.errors.StatusException e) {
            if (e.code() != 409) {
                throw e;
            }
            // Another server on this store was quicker; it made the same.
        }
    }

    private boolean isAbsent(ApiResource resource, @Nullable String namespace, String name) {
        return storage.get(resource, namespace, name).isEmpty();
    }

    private void add(ApiResource resource, ObjectNode tree) {
        absent.add(new NewObject(resource, tree));
    }

    private ObjectNode stamped(ApiResource resource, JsonNode from) {
        String namespace = from.path("metadata").path("namespace").asText("");
        ObjectNode fresh = object(
                resource,
                namespace.isEmpty() ? null : namespace,
                from.path("metadata").path("name").asText());
        ObjectNode metadata = metadata(fresh);
        for (String field : List.of("labels", "annotations")) {
            if (from.path("metadata").has(field)) {
                metadata.set(field, from.path("metadata").get(field).deepCopy());
            }
        }
        from.fields().forEachRemaining(field -> {
            if (!fresh.has(field.getKey())) {
                fresh.set(field.getKey(), field.getValue().deepCopy());
            }
        });
        return fresh;
    }

    private ObjectNode object(ApiResource resource, @Nullable String namespace, String name) {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        object.put("apiVersion", resource.apiVersion()).put("kind", resource.kind());
        ObjectNode metadata = object.putObject("metadata");
        metadata.put("name", name);
        if (namespace != null) {
            metadata.put("namespace", namespace);
        }
        metadata.put("uid", uuid()).put("creationTimestamp", now());
        if (WITH_GENERATION.contains(resource)) {
            metadata.put("generation", 1);
        }
        return object;
    }

    private static ObjectNode metadata(ObjectNode object) {
        return object.withObjectProperty("metadata");
    }

    private String now() {
        return time(driver.now());
    }

    static String time(Instant instant) {
        return instant.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    private String uuid() {
        return uuid(driver);
    }

    static String uuid(Driver driver) {
        long high = driver.random().nextLong() & 0xffffffffffff0fffL | 0x4000L;
        long low = driver.random().nextLong() & 0x3fffffffffffffffL | 0x8000000000000000L;
        return new UUID(high, low).toString();
    }

    private static JsonNode read() {
        try (InputStream in = Bootstrap.class.getResourceAsStream("/io/trimtab/apiserver/bootstrap-objects.json")) {
            if (in == null) {
                throw new IllegalStateException("bootstrap-objects.json is missing beside the classes");
            }
            return JSON.readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException("bootstrap-objects.json cannot be read: " + e.getMessage(), e);
        }
    }
}
