package io.trimtab.apiserver.aggregation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.trimtab.apiserver.callout.CalloutException;
import io.trimtab.apiserver.callout.CalloutTransport;
import io.trimtab.apiserver.callout.Target;
import io.trimtab.apiserver.certificates.Credential;
import io.trimtab.apiserver.discovery.Discovery.RemoteGroup;
import io.trimtab.apiserver.kinds.apiregistration.ApiServiceKind;
import io.trimtab.apiserver.openapi.RemoteDocuments;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.schema.Schema;
import io.trimtab.apiserver.schema.SchemaRegistry;
import io.trimtab.apiserver.storage.ObjectFeed;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the books of who serves which group version: registers what this server serves, checks whether the others can be
 * reached, and learns what they serve.
 *
 * <p>Level-based: a step on one lane looks at what is stored; checks run beside it and come back to the lane. Readers see
 * immutable snapshots, as new as the last step.
 */
public final class Aggregator implements RemoteDocuments, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Aggregator.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Schema SCHEMA = SchemaRegistry.builtin()
            .forKind(LocalServices.OWN_GROUP, "v1", "APIService")
            .orElseThrow();
    /** How often servers are checked that nothing has happened to. */
    private static final Duration LOOK_AGAIN = Duration.ofSeconds(30);
    /** How soon a server is checked again that could not be reached. */
    private static final Duration TRY_AGAIN = Duration.ofSeconds(1);

    private static final Duration DISCOVERY_TIMEOUT = Duration.ofSeconds(5);

    private final Storage storage;
    private final ResourceRegistry registry;
    private final Driver driver;
    private final CalloutTransport transport;
    private final @Nullable Credential client;
    private final Availability availability;
    private final LocalServices locals;
    private final Driver.Lane lane;
    private final ObjectFeed feed;
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private final Object gate = new Object();
    /** Guarded by {@code gate}: whether what belongs to the lane has been handed to it. */
    private boolean started;
    /** Guarded by {@code gate}: whether the lane was woken before that. */
    private boolean woken;

    private volatile boolean closed;
    /** What others serve, by name of the APIService. Written by the lane. */
    private volatile Map<String, Registration> remote = Map.of();
    /** What others say of themselves, by name of the APIService. Written by the lane. */
    private final Map<String, Described> described = new ConcurrentHashMap<>();

    private volatile Runnable onChange = () -> {};

    // What follows belongs to the lane, and before it starts, to the constructor's thread.
    private final Map<String, Registration> all = new TreeMap<>();
    private final Set<String> checking = new HashSet<>();
    private final Set<String> again = new HashSet<>();
    private final Map<String, Integer> failures = new HashMap<>();
    private final List<ObjectFeed> neighbours = new ArrayList<>();
    private Driver.@Nullable Timer timer;

    /**
     * What a server says of a group version.
     *
     * @param resources in the form of aggregated discovery; null if it could not be asked
     * @param openApi its OpenAPI 3 document's hash; empty if it has none
     * @param swagger what it says of its paths in OpenAPI 2; null if nothing
     */
    private record Described(
            @Nullable ArrayNode resources,
            String openApi,
            @Nullable ObjectNode swagger) {}

    private Aggregator(
            Storage storage,
            ResourceRegistry registry,
            CalloutTransport transport,
            @Nullable Credential client,
            MeterRegistry metrics,
            Driver driver) {
        this.storage = storage;
        this.registry = registry;
        this.driver = driver;
        this.transport = transport;
        this.client = client;
        this.availability = new Availability(storage, transport);
        this.locals = new LocalServices(storage, registry, driver);
        this.lane = driver.lane("aggregator");
        this.feed = new ObjectFeed(storage, CoreResources.API_SERVICES, new Sink(), this::wake);
        registry.addListener(new ResourceRegistry.Listener() {
            @Override
            public void onRegistered(Served served) {
                wake();
            }

            @Override
            public void onUnregistered(Served served) {
                wake();
            }
        });
        Gauge.builder(
                        "aggregator_unavailable_apiservices",
                        this,
                        a -> a.remote.values().stream()
                                .filter(r -> !r.available())
                                .count())
                .register(metrics);
    }

    /**
     * Keeps the books of a storage, from now until it is closed. What this server serves is registered when this returns.
     *
     * @param client what this server shows to those behind it; null for nothing
     */
    public static Aggregator start(
            Storage storage,
            ResourceRegistry registry,
            CalloutTransport transport,
            @Nullable Credential client,
            MeterRegistry metrics,
            Driver driver) {
        Aggregator aggregator = new Aggregator(storage, registry, transport, client, metrics, driver);
        aggregator.step();
        aggregator.handOver();
        return aggregator;
    }

    /** Sets who is told that what others serve has changed; runs on the lane. */
    public void onChange(Runnable listener) {
        onChange = listener;
    }

    @Override
    public void close() {
        closed = true;
        feed.close();
        lane.execute(() -> {
            neighbours.forEach(ObjectFeed::close);
            Driver.Timer waiting = timer;
            if (waiting != null) {
                waiting.cancel();
            }
        });
    }

    /** The server of a group version; empty if that is this one, or nobody. */
    Optional<Registration> remote(String group, String version) {
        Map<String, Registration> now = remote;
        return now.isEmpty() ? Optional.empty() : Optional.ofNullable(now.get(version + "." + group));
    }

    /** The versions of a group that others serve, the preferred one first. */
    List<Registration> remoteVersions(String group) {
        return remote.values().stream()
                .filter(r -> r.group().equals(group))
                .sorted(Registration.BY_VERSION)
                .toList();
    }

    /** What others serve, for discovery: groups and versions in order of preference. */
    public List<RemoteGroup> remoteGroups() {
        List<RemoteGroup> groups = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (Registration first :
                remote.values().stream().sorted(Registration.BY_GROUP).toList()) {
            if (!seen.add(first.group())) {
                continue;
            }
            for (Registration version : remoteVersions(first.group())) {
                Described known = described.get(version.name());
                groups.add(new RemoteGroup(
                        version.group(),
                        version.version(),
                        first.groupPriority(),
                        version.available() && known != null ? known.resources() : null));
            }
        }
        return groups;
    }

    @Override
    public List<ObjectNode> version2() {
        List<ObjectNode> documents = new ArrayList<>();
        for (Registration registration : remote.values()) {
            Described known = described.get(registration.name());
            ObjectNode swagger = known == null ? null : known.swagger();
            if (registration.available() && swagger != null) {
                documents.add(swagger);
            }
        }
        return documents;
    }

    @Override
    public Map<String, String> hashes() {
        Map<String, String> hashes = new TreeMap<>();
        for (Registration registration : remote.values()) {
            Described known = described.get(registration.name());
            if (registration.available() && known != null && !known.openApi().isEmpty()) {
                hashes.put(registration.discoveryPath().substring(1), known.openApi());
            }
        }
        return hashes;
    }

    // ---- The lane ------------------------------------------------------------------------------------------------

    private void wake() {
        if (!closed && scheduled.compareAndSet(false, true)) {
            lane.execute(this::stepOnLane);
        }
    }

    private void stepOnLane() {
        synchronized (gate) {
            if (!started) {
                woken = true; // the first step is under way on the thread that starts this
                return;
            }
        }
        step();
    }

    private void handOver() {
        boolean again;
        synchronized (gate) {
            started = true;
            again = woken;
        }
        if (again) {
            lane.execute(this::step);
        }
    }

    private final class Sink implements ObjectFeed.Sink {
        @Override
        public void put(StoredObject object) {
            Registration now = Registration.of(object, client);
            Registration before = all.put(object.name(), now);
            boolean same = before != null
                    && before.stored().tree().path("spec").equals(object.tree().path("spec"));
            if (!same && now.target() != null) {
                again.add(object.name());
            }
        }

        @Override
        public void remove(StoredObject object) {
            all.remove(object.name());
            described.remove(object.name());
            failures.remove(object.name());
        }
    }

    private void step() {
        scheduled.set(false);
        if (closed) {
            return;
        }
        try {
            feed.refresh();
            neighbours.forEach(ObjectFeed::refresh);
            locals.reconcile(all);
            feed.refresh();
            markLocal();
            publish();
            check();
        } catch (RuntimeException e) {
            LOG.warn("API services not taken up", e);
            later(TRY_AGAIN);
        }
    }

    /** What has no service is served here, and that is always available. */
    private void markLocal() {
        for (Registration registration : List.copyOf(all.values())) {
            if (registration.target() == null && !registration.available()) {
                setCondition(
                        registration,
                        new Availability.Finding(true, "Local", "Local APIServices are always available"));
            }
        }
    }

    private void publish() {
        Map<String, Registration> next = new TreeMap<>();
        all.forEach((name, registration) -> {
            if (registration.target() != null) {
                next.put(name, registration);
            }
        });
        Map<String, Registration> before = remote;
        remote = Map.copyOf(next);
        if (!next.isEmpty() && neighbours.isEmpty()) {
            neighbours.add(new ObjectFeed(storage, CoreResources.SERVICES, new Neighbour(false), this::wake));
            neighbours.add(new ObjectFeed(storage, CoreResources.ENDPOINT_SLICES, new Neighbour(true), this::wake));
            neighbours.forEach(ObjectFeed::refresh);
        }
        if (!before.equals(remote)) {
            onChange.run();
        }
    }

    /** A Service or its endpoints have changed: whoever stands behind it is to be checked. */
    private final class Neighbour implements ObjectFeed.Sink {
        private final boolean slices;

        Neighbour(boolean slices) {
            this.slices = slices;
        }

        @Override
        public void put(StoredObject object) {
            String service = slices
                    ? object.labels().getOrDefault(io.trimtab.apiserver.callout.ServiceResolver.SERVICE_NAME, "")
                    : object.name();
            all.forEach((name, registration) -> {
                Target target = registration.target();
                Target.Service wanted = target == null ? null : target.service();
                if (wanted != null
                        && wanted.name().equals(service)
                        && wanted.namespace().equals(object.namespace())) {
                    again.add(name);
                }
            });
        }

        @Override
        public void remove(StoredObject object) {
            put(object);
        }
    }

    private void check() {
        for (String name : List.copyOf(again)) {
            if (checking.contains(name)) {
                continue; // looked at once more when that is over
            }
            again.remove(name);
            Registration registration = all.get(name);
            Target target = registration == null ? null : registration.target();
            if (registration != null && target != null) {
                checking.add(name);
                driver.execute(() -> checkBeside(registration, target));
            }
        }
        if (!remote.isEmpty() && timer == null) {
            later(LOOK_AGAIN);
        }
    }

    private void later(Duration delay) {
        Driver.Timer waiting = timer;
        if (waiting != null) {
            waiting.cancel();
        }
        timer = driver.schedule(
                delay,
                () -> lane.execute(() -> {
                    timer = null;
                    again.addAll(remote.keySet());
                    step();
                }));
    }

    /** On a thread of the driver. */
    private void checkBeside(Registration registration, Target target) {
        Availability.Finding finding;
        Described known = new Described(null, "", null);
        try {
            finding = availability.check(registration, target);
            if (finding.available()) {
                known = describe(registration, target);
            }
        } catch (RuntimeException e) {
            LOG.warn("API service not checked: name={}", registration.name(), e);
            finding = new Availability.Finding(false, "FailedDiscoveryCheck", String.valueOf(e.getMessage()));
        }
        Availability.Finding found = finding;
        Described said = known;
        lane.execute(() -> checked(registration, found, said));
    }

    private void checked(Registration checked, Availability.Finding finding, Described said) {
        checking.remove(checked.name());
        if (closed) {
            return;
        }
        feed.refresh();
        Registration now = all.get(checked.name());
        if (now == null || !now.stored().uid().equals(checked.stored().uid())) {
            wake();
            return;
        }
        Described before = described.put(checked.name(), said);
        setCondition(now, finding);
        publish();
        if (!said.equals(before)) {
            onChange.run();
        }
        if (finding.available()) {
            failures.remove(checked.name());
        } else {
            // Soon at first, then as often as the others: 1, 2, 4, ... seconds.
            int times = failures.merge(checked.name(), 1, Integer::sum);
            Duration delay = TRY_AGAIN.multipliedBy(1L << Math.min(times, 5) - 1);
            later(delay.compareTo(LOOK_AGAIN) < 0 ? delay : LOOK_AGAIN);
        }
        check();
    }

    private void setCondition(Registration registration, Availability.Finding finding) {
        ObjectNode next = registration.stored().copy();
        ObjectNode status = next.get("status") instanceof ObjectNode s ? s : next.putObject("status");
        ArrayNode conditions = status.withArrayProperty("conditions");
        ObjectNode condition = null;
        for (JsonNode candidate : conditions) {
            if (candidate.path("type").asText().equals("Available")) {
                condition = (ObjectNode) candidate;
            }
        }
        String word = finding.available() ? "True" : "False";
        if (condition == null) {
            condition = conditions.addObject();
            condition.setAll(ApiServiceKind.localCondition(next, driver.now()));
            condition.put("status", word);
        } else if (!condition.path("status").asText().equals(word)) {
            condition.put("status", word);
            condition.put(
                    "lastTransitionTime",
                    driver.now().truncatedTo(ChronoUnit.SECONDS).toString());
        }
        condition.put("reason", finding.reason()).put("message", finding.message());
        ObjectNode canonical = Canonical.of(next, SCHEMA);
        if (canonical.equals(registration.stored().tree())) {
            return;
        }
        Optional<StoredObject> stored = storage.replace(CoreResources.API_SERVICES, registration.stored(), canonical);
        if (stored.isEmpty()) {
            again.add(registration.name()); // it changed meanwhile: look again
            wake();
        } else {
            all.put(registration.name(), Registration.of(stored.get(), client));
        }
    }

    // ---- Asking others about themselves --------------------------------------------------------------------------

    private Described describe(Registration registration, Target target) {
        ArrayNode resources = null;
        JsonNode list = fetch(target, registration.discoveryPath());
        if (list.path("resources").isArray()) {
            resources = RemoteDiscovery.resources(list);
        }
        String hash = "";
        JsonNode entry = fetch(target, "/openapi/v3")
                .path("paths")
                .path(registration.discoveryPath().substring(1));
        String url = entry.path("serverRelativeURL").asText("");
        int at = url.indexOf("hash=");
        if (at >= 0) {
            hash = url.substring(at + "hash=".length());
        }
        return new Described(resources, hash, swagger(registration, fetch(target, "/openapi/v2")));
    }

    /** The part of a server's OpenAPI 2 document that is about one group version. */
    private static @Nullable ObjectNode swagger(Registration registration, JsonNode document) {
        ObjectNode part = JsonNodeFactory.instance.objectNode();
        ObjectNode paths = part.putObject("paths");
        String prefix = registration.discoveryPath() + "/";
        document.path("paths").fields().forEachRemaining(entry -> {
            if (entry.getKey().startsWith(prefix)) {
                paths.set(entry.getKey(), entry.getValue());
            }
        });
        if (paths.isEmpty()) {
            return null;
        }
        part.set("definitions", document.path("definitions"));
        return part;
    }

    /** A document of another server; a missing node if it does not give it. */
    private JsonNode fetch(Target target, String path) {
        Map<String, List<String>> headers = new HashMap<>(Availability.headers());
        headers.put("Accept", List.of("application/json"));
        try {
            CalloutTransport.Reply reply = transport.send(
                    new CalloutTransport.Request(target, "GET", path, headers, new byte[0], DISCOVERY_TIMEOUT));
            return reply.code() == 200 ? JSON.readTree(reply.body()) : JsonNodeFactory.instance.missingNode();
        } catch (CalloutException | JsonProcessingException e) {
            LOG.debug("discovery failed: url={}", target.url(path), e);
            return JsonNodeFactory.instance.missingNode();
        } catch (IOException e) {
            return JsonNodeFactory.instance.missingNode();
        }
    }

    CalloutTransport transport() {
        return transport;
    }

    /** Whether this server serves something of a group itself. */
    boolean servesItself(String group) {
        return !registry.versions(group).isEmpty();
    }
}
