package io.trimtab.standalone.cli;

import io.trimtab.apiserver.certificates.Keys;
import io.trimtab.apiserver.kinds.Kinds;
import io.trimtab.apiserver.kinds.KindsOptions;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.store.RocksStore;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Has the JVM load what every server takes while the command line is still being read: a second processor would only watch
 * that. Nothing depends on it; what goes wrong here goes wrong again, and is told, where it is needed.
 */
public final class HeadStart {
    private static final Set<String> SERVERS = Set.of("up", "apiserver");

    private HeadStart() {}

    /** Begins, if the command is one that starts a server. */
    public static void begin(String... args) {
        if (args.length == 0 || !SERVERS.contains(args[0])) {
            return;
        }
        List<Runnable> steps = List.of(
                () -> {
                    if (!List.of(args).contains("--store")) {
                        RocksStore.loadLibrary();
                    }
                    Keys.ellipticCurve();
                },
                () -> ResourceRegistry.builtIn(new Kinds(KindsOptions.DEFAULT).registry()));
        Driver driver = RealDriver.create("trimtab-head-start");
        AtomicInteger left = new AtomicInteger(steps.size());
        for (Runnable step : steps) {
            driver.execute(() -> {
                try {
                    step.run();
                } catch (RuntimeException | LinkageError e) {
                    // Whoever needs it will say what is wrong.
                } finally {
                    if (left.decrementAndGet() == 0) {
                        driver.close();
                    }
                }
            });
        }
    }
}
