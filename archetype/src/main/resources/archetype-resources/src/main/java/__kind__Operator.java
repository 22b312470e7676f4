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

/** The operator as a program: on the cluster it runs in, or the one your kubeconfig names. */
public final class ${kind}Operator {
    private ${kind}Operator() {}

    public static void main(String[] args) {
        var options = new ManagerProgram.Options("${artifactId}", true, ClientOptions.DEFAULT);
#if( $flavour == "josdk" )
        int exit;
        try (KubernetesClient client = new KubernetesClientBuilder().build()) {
            exit = ManagerProgram.run(
                    Clients.fromEnvironment(),
                    options,
                    manager -> manager.add(JosdkOperator.builder(client, manager.driver())
                            .register(new ${kind}Reconciler())
                            .build()));
        }
        System.exit(exit);
#else
        System.exit(ManagerProgram.run(
                Clients.fromEnvironment(),
                options,
                manager -> manager.add(${kind}Controller.controller(manager))));
#end
    }
}
