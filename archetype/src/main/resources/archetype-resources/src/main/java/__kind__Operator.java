package ${package};

#if( $flavour == "josdk" )
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
#end
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.controller.ManagerProgram;
#if( $flavour == "josdk" )
import io.trimtab.josdk.JosdkOperator;
#end
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.runtime.Shutdown;

/** The operator as a program: on the cluster it runs in, or the one your kubeconfig names. */
public final class ${kind}Operator {
    private ${kind}Operator() {}

    public static void main(String[] args) {
        Shutdown shutdown = Shutdown.listen();
        var options = new ManagerProgram.Options("${artifactId}", true, ClientOptions.DEFAULT);
        try (Driver driver = RealDriver.create();
#if( $flavour == "josdk" )
                KubernetesClient client = new KubernetesClientBuilder().build();
                ManagerProgram program = ManagerProgram.start(
                        driver,
                        Clients.fromEnvironment(),
                        options,
                        manager -> manager.add(JosdkOperator.builder(client, driver)
                                .register(new ${kind}Reconciler())
                                .build()))) {
#else
                ManagerProgram program = ManagerProgram.start(
                        driver,
                        Clients.fromEnvironment(),
                        options,
                        manager -> manager.add(${kind}Controller.controller(manager)))) {
#end
            // Another leads now: a new start finds out what this one may do.
            program.leadershipLost().thenRun(() -> System.exit(1));
            shutdown.await();
        } finally {
            shutdown.done();
        }
    }
}
