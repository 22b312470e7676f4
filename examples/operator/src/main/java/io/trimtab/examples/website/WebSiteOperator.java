package io.trimtab.examples.website;

import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.controller.ManagerProgram;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.runtime.Shutdown;

/** The operator as a program: on whatever cluster the environment names, as one of several that elect a leader. */
public final class WebSiteOperator {
    private WebSiteOperator() {}

    /** Runs until the process is asked to end. */
    public static void main(String[] args) {
        Shutdown shutdown = Shutdown.listen();
        try (Driver driver = RealDriver.create();
                ManagerProgram program = ManagerProgram.start(
                        driver,
                        Clients.fromEnvironment(),
                        new ManagerProgram.Options(WebSiteController.NAME, true, ClientOptions.DEFAULT),
                        manager -> manager.add(WebSiteController.controller(manager)))) {
            // Who is no longer the leader does not know what it may do: the next start of the process finds out.
            program.leadershipLost().thenRun(() -> System.exit(1));
            shutdown.await();
        } finally {
            shutdown.done();
        }
    }
}
