package io.trimtab.junit;

import io.trimtab.apiserver.RequestInfo;
import io.trimtab.junit.fault.Fault;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides what goes wrong in one run, and when: drawn from a seed, so that the same run has the same faults. For the thread that
 * drives the cluster.
 */
final class FaultPlan {
    /** How often each kind of fault may strike in one run: enough to meet each other, few enough for the run to end. */
    private static final int BUDGET = 5;

    /** What is to become of a request. */
    enum Action {
        NONE,
        DIE_BEFORE,
        DIE_AFTER,
        TOO_MANY_REQUESTS,
        SERVER_ERROR,
        LOSE_ANSWER,
        SLOW,
        UNREACHABLE
    }

    /** What is to become of an event. */
    enum Delivery {
        NOW,
        LATE,
        TWICE,
        BREAK,
        EXPIRE
    }

    private final Set<Fault> enabled;
    private final Random random;
    private final @Nullable CrashPoint crash;
    private final Map<Fault, Integer> spent = new EnumMap<>(Fault.class);
    private @Nullable Cluster cluster;
    private boolean over;
    private boolean disturbed;
    private int writes;
    private final Map<String, Instant> leasesBackAt = new HashMap<>();
    private int concurrentWrites;

    FaultPlan(Set<Fault> enabled, long seed, @Nullable CrashPoint crash) {
        this.enabled = enabled.isEmpty() ? EnumSet.noneOf(Fault.class) : EnumSet.copyOf(enabled);
        this.random = new Random(seed ^ 0x6661756c7473L);
        this.crash = crash;
    }

    static FaultPlan none() {
        return new FaultPlan(Set.of(), 0, null);
    }

    void strike(Cluster at) {
        this.cluster = at;
    }

    boolean isActive() {
        return crash != null || !enabled.isEmpty();
    }

    /** No more faults: the run is about to be judged. */
    void end() {
        over = true;
        leasesBackAt.clear();
    }

    /** Whether something has gone wrong since this was last asked. */
    boolean takeDisturbed() {
        boolean was = disturbed;
        disturbed = false;
        return was;
    }

    /** How many writes the programs have asked for. */
    int writes() {
        return writes;
    }

    private boolean strikes(Fault fault, int oneIn) {
        if (over || !enabled.contains(fault) || spent.getOrDefault(fault, 0) >= BUDGET || random.nextInt(oneIn) != 0) {
            return false;
        }
        spent.merge(fault, 1, Integer::sum);
        disturbed = true;
        return true;
    }

    private Duration upTo(int millis) {
        return Duration.ofMillis(1 + random.nextInt(millis));
    }

    // ---- Requests --------------------------------------------------------------------------------------------------

    /** Called before each request of a program. */
    Action onRequest(Instance instance, RequestInfo info, boolean write) {
        Cluster at = cluster;
        if (at == null) {
            return Action.NONE;
        }
        boolean lease = info.resource().equals("leases");
        boolean counts = write && !lease && !info.resource().equals("events");
        if (counts) {
            writes++;
            if (crash != null && crash.write() == writes && !over) {
                disturbed = true;
                return crash.after() ? Action.DIE_AFTER : Action.DIE_BEFORE;
            }
        }
        if (over) {
            return Action.NONE;
        }
        if (instance.isCutOff(at.now())) {
            disturbed = true;
            return Action.UNREACHABLE;
        }
        if (lease && at.now().isBefore(leasesBackAt.getOrDefault(instance.name(), Instant.MIN))) {
            disturbed = true;
            return Action.SERVER_ERROR;
        }
        if (lease && write && strikes(Fault.LOST_LEADERSHIP, 6)) {
            leasesBackAt.put(instance.name(), at.now().plus(Duration.ofSeconds(25)));
            at.history().note("fault", instance.name() + " cannot reach its lease for 25 s");
            return Action.SERVER_ERROR;
        }
        if (counts && strikes(Fault.CRASHES, 6)) {
            return random.nextBoolean() ? Action.DIE_AFTER : Action.DIE_BEFORE;
        }
        if (strikes(Fault.PARTITIONS, 20)) {
            Duration time = upTo(20_000);
            at.history().note("fault", instance.name() + " is cut off for " + time);
            instance.cutOff(at.now().plus(time));
            return Action.UNREACHABLE;
        }
        if (strikes(Fault.CLOCK_JUMPS, 10)) {
            Duration by = Duration.ofSeconds(random.nextInt(2 * 86_400) - 86_400);
            at.history().note("fault", "the clock of " + instance.name() + " is off by " + by);
            instance.skewClock(by);
        }
        if (!at.nodes().isEmpty() && strikes(Fault.NODE_LOSS, 20)) {
            List<String> nodes = at.nodes();
            String node = nodes.get(random.nextInt(nodes.size()));
            at.history().note("fault", node + " falls silent for 90 s");
            at.loseNode(node);
            at.driver().schedule(Duration.ofSeconds(90), () -> at.resumeNode(node));
        }
        if (counts && !info.name().isEmpty() && !info.verb().equals("delete") && strikes(Fault.CONCURRENT_WRITES, 4)) {
            at.meddle(info, ++concurrentWrites);
        }
        if (!info.verb().equals("watch") && strikes(Fault.REFUSED_REQUESTS, 8)) {
            return random.nextInt(3) == 0 ? Action.TOO_MANY_REQUESTS : Action.SERVER_ERROR;
        }
        if (counts && strikes(Fault.LOST_ANSWERS, 4)) {
            return Action.LOSE_ANSWER;
        }
        if (!info.verb().equals("watch") && strikes(Fault.SLOW_REQUESTS, 5)) {
            return Action.SLOW;
        }
        return Action.NONE;
    }

    /** How long a slow request takes, one way. */
    Duration slowness() {
        return upTo(3_000);
    }

    /** How many revisions a list may be behind; 0 for none. */
    long staleness() {
        return strikes(Fault.STALE_READS, 3) ? 1 + random.nextInt(10) : 0;
    }

    // ---- Events ----------------------------------------------------------------------------------------------------

    /** Called before each event of a watch of a program. */
    Delivery onEvent() {
        if (strikes(Fault.DROPPED_EVENTS, 8)) {
            return Delivery.BREAK;
        }
        if (strikes(Fault.EXPIRED_WATCHES, 12)) {
            return Delivery.EXPIRE;
        }
        if (strikes(Fault.LATE_EVENTS, 5) || strikes(Fault.STALE_READS, 5)) {
            return Delivery.LATE;
        }
        if (strikes(Fault.DUPLICATED_EVENTS, 4)) {
            return Delivery.TWICE;
        }
        return Delivery.NOW;
    }

    /** How late events are. */
    Duration lateness() {
        return enabled.contains(Fault.STALE_READS) ? upTo(15_000) : upTo(5_000);
    }

    /** How long a watch that broke off cannot be opened again. */
    Duration outage() {
        return upTo(5_000);
    }

    // ---- Objects ---------------------------------------------------------------------------------------------------

    /** Which of so many objects is to be made anew; negative for none. Asked whenever the cluster is at rest. */
    int recreate(int objects) {
        return objects > 0 && strikes(Fault.RECREATED_OBJECTS, 2) ? random.nextInt(objects) : -1;
    }
}
