package io.trimtab.bugs;

import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Oracle;
import io.trimtab.junit.Program;
import io.trimtab.junit.Surroundings;
import io.trimtab.junit.Trials;
import io.trimtab.junit.fault.Fault;
import io.trimtab.leader.LeaderCallbacks;
import io.trimtab.leader.LeaderElectionConfig;
import io.trimtab.leader.LeaderElector;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

/** Begins to work when it leads, and never stops: when it cannot renew its lease, two work. */
class TwoLeadersTest extends BugContract {

    /** Writes the time down every two seconds, while it leads. */
    private static final class Ticker implements AutoCloseable {
        private final Surroundings process;
        private final Client client;
        private final boolean mended;
        private final LeaderElector elector;
        private boolean working;
        private int ticks;

        Ticker(Surroundings process, boolean mended) {
            this.process = process;
            this.client = process.api();
            this.mended = mended;
            this.elector = new LeaderElector(
                    process.driver(),
                    client,
                    LeaderElectionConfig.of("default", "ticker", process.name()),
                    new LeaderCallbacks() {
                        @Override
                        public void onStartedLeading() {
                            working = true;
                            tick();
                        }

                        @Override
                        public void onStoppedLeading() {
                            if (Ticker.this.mended) {
                                working = false;
                                // Runs again, for the next term.
                                process.driver()
                                        .schedule(
                                                Duration.ofSeconds(1),
                                                () -> elector().start());
                            }
                        }
                    },
                    null);
            elector.start();
        }

        private LeaderElector elector() {
            return elector;
        }

        private void tick() {
            if (!working || ticks++ > 40) {
                return;
            }
            try {
                client.patch(
                        CONFIG_MAPS,
                        "default",
                        "clock",
                        Patch.merge("{\"data\":{\"now\":\"" + process.driver().now() + "\"}}"));
            } catch (ApiException e) {
                // The next tick tries again.
            }
            process.driver().schedule(Duration.ofSeconds(2), this::tick);
        }

        @Override
        public void close() {
            working = false;
            elector.close();
        }
    }

    @Override
    Trials trials() {
        // It works by the clock, so that no two runs end alike; and a minute of cluster time is long.
        return Trials.small()
                .faults(Fault.LOST_LEADERSHIP, Fault.CRASHES)
                .runs(12)
                .without(Oracle.SAME_END_STATE, Oracle.CONVERGENCE, Oracle.NO_HOT_LOOP);
    }

    @Override
    void play(Cluster cluster, boolean mended) {
        Program ticker = process -> new Ticker(process, mended);
        cluster.apply(configMap("clock", Map.of()))
                .run("ticker-a", ticker)
                .settle()
                .run("ticker-b", ticker)
                .advance(Duration.ofMinutes(1));
    }

    @Override
    Set<Oracle> violated() {
        return Set.of(Oracle.LEADER_ONLY);
    }
}
