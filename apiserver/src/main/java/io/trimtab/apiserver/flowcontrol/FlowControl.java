package io.trimtab.apiserver.flowcontrol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.storage.ObjectFeed;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a server from taking on more than it can do, and keeps those who ask from pushing each other out: FlowSchemas sort
 * requests into levels, a level has seats and queues. Follows the objects that configure it, and writes their conditions.
 *
 * <p>A request that finds a free seat is not delayed. Levels lend seats that they do not use; every ten seconds what each has
 * now is worked out anew. On a driver of virtual time nothing waits: one thread serves one request after another anyway.
 *
 * <p>Safe for use by any thread.
 */
public final class FlowControl implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FlowControl.class);
    private static final Duration ADJUST_EVERY = Duration.ofSeconds(10);
    /** A quarter of what a request may take, which is a minute unless the client says less. */
    private static final Duration MOST_PATIENCE = Duration.ofMinutes(1);

    private static final int UPDATES_A_MINUTE = 5;

    private final Storage storage;
    private final Driver driver;
    private final int serverSeats;
    private final boolean enforced;
    private final WorkEstimator estimator;
    private final Driver.Lane lane;
    private final AtomicBoolean scheduled = new AtomicBoolean();
    /** Held by whoever reads the objects and writes the configuration. */
    private final ReentrantLock digesting = new ReentrantLock();

    private final Map<String, StoredObject> schemaObjects = new TreeMap<>();
    private final Map<String, StoredObject> levelObjects = new TreeMap<>();
    private final List<ObjectFeed> feeds;
    /** Replaced as a whole; the levels in it are shared with the one before. */
    private volatile Configuration configuration =
            new Configuration(List.of(), new SubjectIndex(List.of()), Map.of(), 0, 0);
    /** When the condition of a schema was written; guarded by {@code digesting}. */
    private final Map<String, List<Long>> updates = new HashMap<>();

    private volatile Driver.@Nullable Timer timer;
    private volatile boolean closed;

    /**
     * What is in force.
     *
     * @param schemas in the order of matching
     * @param subjects of the schemas
     * @param seats of all levels together
     * @param fraction of what it could use that a level gets; for the metrics
     */
    record Configuration(
            List<FlowSchema> schemas,
            SubjectIndex subjects,
            Map<String, PriorityLevel> levels,
            int seats,
            double fraction) {}

    private FlowControl(Storage storage, ResourceRegistry resources, Driver driver, int serverSeats, boolean enforced) {
        this.storage = storage;
        this.driver = driver;
        this.serverSeats = serverSeats;
        this.enforced = enforced;
        this.estimator = new WorkEstimator(storage, resources);
        this.lane = driver.lane("flowcontrol");
        this.feeds = List.of(
                new ObjectFeed(storage, CoreResources.PRIORITY_LEVELS, sink(levelObjects), this::wake),
                new ObjectFeed(storage, CoreResources.FLOW_SCHEMAS, sink(schemaObjects), this::wake));
    }

    /**
     * Begins to follow the objects. Until there are any, only the two levels that always exist are known.
     *
     * @param serverSeats how many requests of one seat are served at a time, besides exempt ones
     */
    public static FlowControl start(Storage storage, ResourceRegistry resources, Driver driver, int serverSeats) {
        return start(storage, resources, driver, serverSeats, !driver.isVirtual());
    }

    /** @param enforced whether anything waits or is turned away */
    static FlowControl start(
            Storage storage, ResourceRegistry resources, Driver driver, int serverSeats, boolean enforced) {
        FlowControl control = new FlowControl(storage, resources, driver, serverSeats, enforced);
        control.refresh();
        if (control.enforced) {
            control.timer = driver.schedule(ADJUST_EVERY, control::adjustAgain);
        }
        return control;
    }

    private static ObjectFeed.Sink sink(Map<String, StoredObject> objects) {
        return new ObjectFeed.Sink() {
            @Override
            public void put(StoredObject object) {
                objects.put(object.name(), object);
            }

            @Override
            public void remove(StoredObject object) {
                objects.remove(object.name());
            }
        };
    }

    // ---- Requests --------------------------------------------------------------------------------------------------

    /**
     * Finds the place of a request that may wait: see {@link Ticket}. What came in is served, waits or is turned away.
     *
     * @param timeout what the request may take in all
     * @param now what {@link Driver#nanoTime} has just said
     */
    public Ticket enter(ApiRequest request, RequestInfo info, UserInfo user, Duration timeout, long now) {
        Configuration config = configuration;
        FlowSchema schema = classify(config, info, user);
        PriorityLevel level = schema.level;
        if (!enforced) {
            return pass(schema, info, user, now);
        }
        QueueSet.Kind kind = level.spec.shape().kind();
        Work work = estimator.estimate(request, info, schema);
        String flow = kind == QueueSet.Kind.QUEUE ? schema.flow(info, user) : "";
        int[] hand = kind == QueueSet.Kind.QUEUE ? schema.hand(flow) : FlowSchema.NO_HAND;
        Ticket ticket = new Ticket(level.queues, schema.stats, info, user, flow, work, schema.headers, level.name, now);
        level.queues.enter(ticket, hand);
        if (ticket.isWaiting()) {
            level.queues.limitWait(ticket, patience(timeout));
        }
        return ticket;
    }

    /** Finds the place of a request that cannot wait, as its caller does: it is always served, and takes no seat. */
    public Ticket pass(RequestInfo info, UserInfo user, long now) {
        return pass(classify(configuration, info, user), info, user, now);
    }

    private static Ticket pass(FlowSchema schema, RequestInfo info, UserInfo user, long now) {
        Ticket ticket =
                new Ticket(null, schema.stats, info, user, "", Work.ONE, schema.headers, schema.level.name, now);
        ticket.state = Ticket.State.EXECUTING;
        return ticket;
    }

    private static FlowSchema classify(Configuration config, RequestInfo info, UserInfo user) {
        List<FlowSchema> schemas = config.schemas();
        long mask = config.subjects().maskOf(user);
        for (int i = 0; i < schemas.size(); i++) {
            if (config.subjects().mayMatch(i, mask) && schemas.get(i).matches(info, user)) {
                return schemas.get(i);
            }
        }
        for (FlowSchema schema : schemas) {
            if (schema.name.equals(FlowSchema.CATCH_ALL)) {
                return schema;
            }
        }
        throw new IllegalStateException("there is no catch-all flow schema");
    }

    private static Duration patience(Duration timeout) {
        Duration quarter = timeout.dividedBy(4);
        return quarter.compareTo(MOST_PATIENCE) < 0 ? quarter : MOST_PATIENCE;
    }

    /** Seconds that a client which is turned away should stay away. */
    public long retryAfterSeconds(Ticket rejected) {
        PriorityLevel level = configuration.levels().get(rejected.level());
        return level == null ? 1 : level.retryAfter.turnedAway(driver.now().getEpochSecond());
    }

    /** What is in force. */
    Configuration configuration() {
        return configuration;
    }

    int serverSeats() {
        return serverSeats;
    }

    /** What time it is, for those who show how long something waits. */
    Driver driver() {
        return driver;
    }

    // ---- Configuration ---------------------------------------------------------------------------------------------

    private void wake() {
        if (scheduled.compareAndSet(false, true)) {
            lane.execute(() -> {
                scheduled.set(false);
                refresh();
            });
        }
    }

    /** Takes in all changes of the objects that happened until now. */
    public void refresh() {
        digesting.lock();
        try {
            if (!closed) {
                feeds.forEach(ObjectFeed::refresh);
                digest();
                conditions();
            }
        } finally {
            digesting.unlock();
        }
    }

    /** With {@code digesting} held. */
    private void digest() {
        Map<String, PriorityLevel> before = configuration.levels();
        Map<String, PriorityLevel> levels = new LinkedHashMap<>();
        levelObjects.forEach((name, object) -> {
            try {
                PriorityLevel.Spec spec =
                        PriorityLevel.Spec.of(name, object.tree().path("spec"));
                PriorityLevel level = before.get(name);
                if (level == null) {
                    level = new PriorityLevel(name, spec, object.uid(), driver);
                } else if (!level.uid.get(0).equals(object.uid())) {
                    level.uid = List.of(object.uid());
                }
                level.spec = spec;
                level.quiescing = false;
                levels.put(name, level);
            } catch (IllegalArgumentException e) {
                LOG.warn("priority level ignored: name={} why={}", name, e.getMessage());
            }
        });
        List<FlowSchema> schemas = new ArrayList<>();
        schemaObjects.forEach((name, object) -> {
            JsonNode spec = object.tree().path("spec");
            PriorityLevel level = levels.get(levelOf(spec));
            if (level != null) {
                schemas.add(FlowSchema.of(name, object.uid(), spec, level));
            }
        });
        schemas.sort(Comparator.<FlowSchema>comparingLong(s -> s.precedence).thenComparing(s -> s.name));
        before.forEach((name, level) -> {
            // What still has requests drains before it goes.
            if (!levels.containsKey(name) && !level.queues.isIdle()) {
                level.quiescing = true;
                levels.put(name, level);
            }
        });
        MandatoryObjects.complete(schemas, levels, before, driver);
        double shares = levels.values().stream().mapToInt(l -> l.spec.shares()).sum();
        int seats = 0;
        for (PriorityLevel level : levels.values()) {
            level.allot(serverSeats, shares);
            seats += level.nominal;
        }
        configuration =
                new Configuration(List.copyOf(schemas), new SubjectIndex(schemas), Map.copyOf(levels), seats, 0);
        adjust();
    }

    private static String levelOf(JsonNode spec) {
        return spec.path("priorityLevelConfiguration").path("name").asText("");
    }

    private void adjustAgain() {
        if (closed) {
            return;
        }
        lane.execute(() -> {
            digesting.lock();
            try {
                adjustLocked();
            } finally {
                digesting.unlock();
            }
        });
        timer = driver.schedule(ADJUST_EVERY, this::adjustAgain);
    }

    private void adjustLocked() {
        boolean drained =
                configuration.levels().values().stream().anyMatch(level -> level.quiescing && level.queues.isIdle());
        if (drained) {
            digest();
        } else {
            adjust();
        }
    }

    /** Lends seats that are not used to levels that could use them. */
    private void adjust() {
        Configuration config = configuration;
        long now = driver.nanoTime();
        List<PriorityLevel> limited = new ArrayList<>();
        List<SeatAllocation.Item> items = new ArrayList<>();
        int remaining = config.seats();
        int leastSum = 0;
        int wantedSum = 0;
        Map<PriorityLevel, Integer> least = new HashMap<>();
        for (PriorityLevel level : config.levels().values()) {
            int highest = level.queues.look(() -> {
                level.queues.demand.endPeriod(now);
                return level.queues.demand.highWatermark();
            });
            double smoothed = level.queues.look(level.queues.demand::smoothed);
            if (level.spec.isExempt()) {
                level.current = Math.max(level.lower, highest);
                level.target = level.current;
                remaining -= level.current;
                level.queues.configure(level.spec.shape(), level.current);
                continue;
            }
            int lower = Math.max(level.lower, Math.min(level.nominal, highest));
            least.put(level, lower);
            level.target = Math.max(lower, smoothed);
            limited.add(level);
            items.add(new SeatAllocation.Item(lower, Math.max(level.upper, lower), level.target));
            leastSum += level.lower;
            wantedSum += lower;
        }
        double fraction = 0;
        double[] shares = new double[limited.size()];
        if (remaining <= leastSum) {
            for (int i = 0; i < shares.length; i++) {
                shares[i] = limited.get(i).lower;
            }
        } else if (remaining <= wantedSum) {
            double part = (double) (remaining - leastSum) / (wantedSum - leastSum);
            for (int i = 0; i < shares.length; i++) {
                PriorityLevel level = limited.get(i);
                shares[i] = level.lower + Math.round((least.getOrDefault(level, 0) - level.lower) * part);
            }
        } else {
            try {
                SeatAllocation.Result result = SeatAllocation.compute(config.seats(), items);
                shares = result.shares();
                fraction = result.fraction();
            } catch (IllegalArgumentException e) {
                LOG.warn("seats stay as they are: {}", e.getMessage());
                for (int i = 0; i < shares.length; i++) {
                    shares[i] = limited.get(i).current;
                }
            }
        }
        for (int i = 0; i < shares.length; i++) {
            PriorityLevel level = limited.get(i);
            level.current = (int) Math.round(shares[i]);
            level.queues.configure(level.spec.shape(), level.current);
        }
        configuration =
                new Configuration(config.schemas(), config.subjects(), config.levels(), config.seats(), fraction);
    }

    // ---- Conditions ------------------------------------------------------------------------------------------------

    private void conditions() {
        for (StoredObject object : List.copyOf(schemaObjects.values())) {
            String level = levelOf(object.tree().path("spec"));
            boolean found = configuration.levels().containsKey(level)
                    && !configuration.levels().get(level).quiescing;
            if (hasCondition(object.tree(), found, level)) {
                continue;
            }
            if (isUpdatedTooOften(object.name())) {
                // Somebody else insists on another state; no need to fight in every second.
                driver.schedule(Duration.ofSeconds(30 + driver.random().nextInt(45)), this::wake);
                continue;
            }
            try {
                storage.update(CoreResources.FLOW_SCHEMAS, null, object.name(), tree -> {
                    setCondition(tree, found, level);
                    return tree;
                });
            } catch (StatusException e) {
                if (e.code() != 404) {
                    LOG.warn("condition of a flow schema not written: name={} why={}", object.name(), e.getMessage());
                }
            }
        }
    }

    private boolean isUpdatedTooOften(String name) {
        long now = driver.nanoTime();
        List<Long> times = updates.computeIfAbsent(name, n -> new ArrayList<>());
        times.removeIf(t -> now - t > 60_000_000_000L);
        if (times.size() > UPDATES_A_MINUTE) {
            return true;
        }
        times.add(now);
        return false;
    }

    private static String message(boolean found, String level) {
        return "This FlowSchema references the PriorityLevelConfiguration object named " + FieldErrors.quote(level)
                + (found ? " and it exists" : " but there is no such object");
    }

    private static boolean hasCondition(JsonNode schema, boolean found, String level) {
        for (JsonNode condition : schema.path("status").path("conditions")) {
            if (condition.path("type").asText().equals("Dangling")) {
                return condition.path("status").asText().equals(found ? "False" : "True")
                        && condition.path("reason").asText().equals(found ? "Found" : "NotFound")
                        && condition.path("message").asText().equals(message(found, level));
            }
        }
        return false;
    }

    private void setCondition(ObjectNode schema, boolean found, String level) {
        ArrayNode conditions = schema.withObjectProperty("status").withArrayProperty("conditions");
        ObjectNode dangling = null;
        for (JsonNode condition : conditions) {
            if (condition.path("type").asText().equals("Dangling")) {
                dangling = (ObjectNode) condition;
            }
        }
        if (dangling == null) {
            dangling = conditions.addObject();
        }
        dangling.removeAll();
        dangling.put("type", "Dangling")
                .put("status", found ? "False" : "True")
                .put(
                        "lastTransitionTime",
                        driver.now().truncatedTo(ChronoUnit.SECONDS).toString())
                .put("reason", found ? "Found" : "NotFound")
                .put("message", message(found, level));
    }

    /** The levels, sorted by name. */
    Collection<PriorityLevel> levels() {
        return new TreeMap<>(configuration.levels()).values();
    }

    /** Stops following the objects; what waits is not disturbed. */
    @Override
    public void close() {
        closed = true;
        Driver.Timer running = timer;
        if (running != null) {
            running.cancel();
        }
        feeds.forEach(ObjectFeed::close);
    }
}
