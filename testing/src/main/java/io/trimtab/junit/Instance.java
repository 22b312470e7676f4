package io.trimtab.junit;

import io.trimtab.apiserver.auth.UserInfo;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Program} that runs in a cluster. For the thread of the test.
 *
 * @since 0.1
 */
public final class Instance {
    private final Cluster cluster;
    private final Program program;
    private final UserInfo user;
    private final RoleBook roles = new RoleBook();
    private String name;
    private @Nullable Life life;
    private @Nullable Instant cutOffUntil;
    private int crashes;

    Instance(Cluster cluster, String name, Program program, UserInfo user) {
        this.cluster = cluster;
        this.name = name;
        this.program = program;
        this.user = user;
    }

    public String name() {
        return name;
    }

    /** A program of one controller is called after it. */
    void rename(String controller) {
        name = controller;
    }

    UserInfo user() {
        return user;
    }

    Program program() {
        return program;
    }

    RoleBook roleBook() {
        return roles;
    }

    @Nullable
    Life life() {
        return life;
    }

    /** Whether its process lives. */
    public boolean isRunning() {
        return life != null;
    }

    /** How often it has crashed. */
    public int crashes() {
        return crashes;
    }

    /** The watches it has open, such as {@code pods in default}. */
    public List<String> openWatches() {
        Life now = life;
        return now == null ? List.of() : now.gate().openWatches();
    }

    /** The rules that it needs, as learned from what it has done so far. */
    public LearnedRole learnedRole() {
        return roles.learned(name);
    }

    /** Starts the process, if it does not live. */
    public Instance start() {
        if (life == null) {
            cluster.history().note(name, crashes == 0 ? "starts" : "starts anew");
            Life born = new Life(cluster, this);
            life = born;
            born.start(program);
        }
        return this;
    }

    /** The process dies at once: no step of it runs any more, nothing is closed. Until {@link #start}. */
    public Instance crash() {
        Life now = life;
        if (now != null) {
            crashes++;
            cluster.history().note(name, "dies");
            life = null;
            now.die();
        }
        return this;
    }

    /** Dies in the middle of something, and is started anew as soon as others have had their turn. */
    void dieAndComeBack(String where) {
        cluster.history().note("fault", name + " dies " + where);
        crash();
        cluster.time().execute(this::start);
    }

    /** Its requests fail for so long, and its watches break off. */
    public Instance cutOff(Duration time) {
        cutOff(cluster.now().plus(time));
        return this;
    }

    void cutOff(Instant until) {
        cutOffUntil = until;
        Life now = life;
        if (now != null) {
            now.gate().breakAll(false);
        }
    }

    boolean isCutOff(Instant now) {
        return cutOffUntil != null && now.isBefore(cutOffUntil);
    }

    /** Its clock goes wrong by so much. */
    public Instance skewClock(Duration by) {
        Life now = life;
        if (now != null) {
            now.processDriver().skew(by);
        }
        return this;
    }

    /** Nothing of it runs for so long, as when its machine swaps or its collector collects; then it goes on as if nothing were. */
    public Instance pause(Duration time) {
        Life now = life;
        if (now != null) {
            now.processDriver().pause();
            cluster.time().schedule(time, now.processDriver()::resume);
        }
        return this;
    }

    /** Puts right what faults have done. */
    void heal() {
        cutOffUntil = null;
        Life now = life;
        if (now == null) {
            start();
        } else {
            now.processDriver().skew(Duration.ZERO);
            now.processDriver().resume();
            now.gate().heal();
        }
    }

    /** Ends in good order; returns the watches that it has left open. */
    List<String> close() {
        Life now = life;
        life = null;
        return now == null ? List.of() : now.close();
    }

    @Override
    public String toString() {
        return "program " + name + (life == null ? ", dead" : "");
    }
}
