package io.trimtab.junit;

import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.ClusterOptions;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One cluster of each configuration that has come to rest, kept for the life of the JVM: tests begin with forks of it. Nobody
 * drives its driver any more, so nothing happens in it. Safe for use by any thread.
 */
final class Templates {
    /** Not a seed that anybody would choose: a fork with its template's seed would give out the same UIDs again. */
    private static final long SEED = 0x7472696d746162L;

    /** Nodes and the default service account come within seconds; a cluster without its scheduler or controllers may never. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final Map<ClusterOptions, Template> ALL = new ConcurrentHashMap<>();

    /** A cluster at rest, and its time. */
    record Template(io.trimtab.standalone.Cluster cluster, VirtualDriver driver) {}

    private Templates() {}

    static Template of(ClusterOptions options) {
        return ALL.computeIfAbsent(options, Templates::prepare);
    }

    private static Template prepare(ClusterOptions options) {
        VirtualDriver driver = VirtualDriver.create(VirtualDriver.Options.DEFAULT.withSeed(SEED));
        io.trimtab.standalone.Cluster cluster = io.trimtab.standalone.Cluster.start(options, driver);
        if (!cluster.awaitReady(PATIENCE)) {
            throw new IllegalStateException("a cluster did not become ready within " + PATIENCE + " of virtual time: "
                    + options + "; failures: " + driver.failures() + "; pending: " + driver.pending());
        }
        driver.settle();
        return new Template(cluster, driver);
    }
}
