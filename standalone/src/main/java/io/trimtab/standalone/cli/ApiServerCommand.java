package io.trimtab.standalone.cli;

import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.runtime.Shutdown;
import io.trimtab.standalone.AdminAccess;
import io.trimtab.standalone.ApiServerInstance;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The API server alone. Blocks until it is asked to end. */
@Command(
        name = "apiserver",
        description = "Runs the API server alone.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class ApiServerCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ApiServerFlags flags = new ApiServerFlags();

    @Override
    public Integer call() {
        Shutdown shutdown = Shutdown.listen();
        try (Driver driver = RealDriver.create("trimtab");
                ApiServerInstance apiServer = ApiServerInstance.start(flags.options(), driver)) {
            AdminAccess.write(flags.kubeconfig(), apiServer);
            AdminAccess.signalReady(flags.readyFile(), apiServer);
            spec.commandLine()
                    .getOut()
                    .println("API server ready at https://" + flags.options().bindAddress() + ":"
                            + apiServer.securePort() + ", kubeconfig " + flags.kubeconfig());
            spec.commandLine().getOut().flush();
            shutdown.await();
        } finally {
            shutdown.done();
        }
        return 0;
    }
}
