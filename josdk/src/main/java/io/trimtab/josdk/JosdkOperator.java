package io.trimtab.josdk;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.RegisteredController;
import io.javaoperatorsdk.operator.api.config.ConfigurationServiceOverrider;
import io.javaoperatorsdk.operator.api.config.ControllerConfigurationOverrider;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.trimtab.controller.Manager;
import io.trimtab.runtime.Driver;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Runs Java Operator SDK reconcilers as a part of a {@link Manager}: with its start and end, on its driver's threads, and, if the
 * driver's time is virtual, in virtual time.
 *
 * <pre>{@code
 * manager.add(JosdkOperator.builder(kubernetesClient, manager.driver())
 *         .register(new WebPageReconciler())
 *         .build());
 * }</pre>
 *
 * <p>What virtual time reaches: reconciles, retries, rescheduling and {@code maxReconciliationInterval}, rate limiters, informers,
 * polling and timer event sources, workflows with their dependents. What it does not reach is refused when the operator starts: the
 * SDK's leader election, and expectations in fields of a reconciler.
 *
 * <p>Safe for use by any thread.
 */
public final class JosdkOperator implements Manager.Component {
    private final Operator operator;
    private final DriverExecutor reconciles;
    private final DriverExecutor workflow;
    private final Driver driver;

    private JosdkOperator(Builder builder) {
        this.driver = builder.driver;
        this.reconciles = DriverExecutor.of(driver);
        // A reconcile waits for its workflow. Where it is the only thread there is, the workflow needs another.
        this.workflow = driver.isVirtual() ? DriverExecutor.aside("josdk-workflow") : DriverExecutor.of(driver);
        this.operator = new Operator(overrider -> {
            overrider
                    .withKubernetesClient(builder.client)
                    .withCloseClientOnStop(false)
                    .withExecutorService(reconciles)
                    .withWorkflowExecutorService(workflow);
            builder.overrides.forEach(override -> override.accept(overrider));
        });
        builder.registrations.forEach(registration -> registration.accept(operator));
    }

    /**
     * An operator without reconcilers yet.
     *
     * @param client what the reconcilers and their informers use; stays the caller's. In virtual time it must be one of an in-JVM
     *     server: nothing answers there while a thread waits for a socket
     * @param driver the manager's
     */
    public static Builder builder(KubernetesClient client, Driver driver) {
        return new Builder(client, driver);
    }

    @Override
    public String name() {
        return "josdk";
    }

    /**
     * Starts informers and reconcilers; returns when the informers are synced.
     *
     * @throws IllegalStateException if a reconciler uses, in virtual time, what only follows the wall clock
     * @throws io.javaoperatorsdk.operator.OperatorException if they cannot be, which names the resource: its
     *     CustomResourceDefinition is missing, or the client may not list it
     */
    @Override
    public void start() {
        if (driver.isVirtual()) {
            VirtualTime.start(operator, driver);
        } else {
            operator.start();
        }
    }

    /** Stops reconcilers, then informers. The client stays open. */
    @Override
    public void close() {
        operator.stop();
        reconciles.close();
        workflow.close();
    }

    /** A registered controller, to ask for its health or to change its namespaces. */
    @SuppressWarnings("rawtypes") // as the SDK has it
    public Optional<RegisteredController> controller(String name) {
        return operator.getRegisteredController(name);
    }

    /** Collects reconcilers. Not safe for use by several threads. */
    public static final class Builder {
        private final KubernetesClient client;
        private final Driver driver;
        private final List<Consumer<ConfigurationServiceOverrider>> overrides = new ArrayList<>();
        private final List<Consumer<Operator>> registrations = new ArrayList<>();

        private Builder(KubernetesClient client, Driver driver) {
            this.client = client;
            this.driver = driver;
        }

        /** Adds a reconciler, as its annotations configure it. */
        public Builder register(Reconciler<? extends HasMetadata> reconciler) {
            registrations.add(operator -> operator.register(reconciler));
            return this;
        }

        /** Adds a reconciler, configured by its annotations and then by this. */
        public <P extends HasMetadata> Builder register(
                Reconciler<P> reconciler, Consumer<ControllerConfigurationOverrider<P>> configuration) {
            registrations.add(operator -> operator.register(reconciler, configuration));
            return this;
        }

        /** Changes the SDK's own configuration: metrics, cache sync timeout, cloner. Client and executors are set already. */
        public Builder configure(Consumer<ConfigurationServiceOverrider> override) {
            overrides.add(override);
            return this;
        }

        /** The operator, to be added to the manager. */
        public JosdkOperator build() {
            return new JosdkOperator(this);
        }
    }
}
