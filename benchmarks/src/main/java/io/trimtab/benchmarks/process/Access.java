package io.trimtab.benchmarks.process;

import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ReplicationController;
import io.fabric8.kubernetes.api.model.ReplicationControllerBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** What the benchmark asks of a control plane, the same of each: over TLS, as an administrator. Used by one thread. */
final class Access implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private final KubernetesClient client;

    Access(Path kubeconfig) {
        Config config = Config.fromKubeconfig(kubeconfig.toFile());
        config.setRequestRetryBackoffLimit(0);
        this.client = new KubernetesClientBuilder().withConfig(config).build();
    }

    /** One look. */
    boolean isReady() {
        try {
            return client.serviceAccounts()
                            .inNamespace("default")
                            .withName("default")
                            .get()
                    != null;
        } catch (KubernetesClientException e) {
            return false; // not listening yet
        }
    }

    /** Whether the API answers, and has the namespace that everything is in. */
    boolean isServing() {
        try {
            return client.namespaces().withName("default").get() != null;
        } catch (KubernetesClientException e) {
            return false;
        }
    }

    /** Nodes for whoever plays the kubelets' part. */
    void createNodes(int count) {
        for (int i = 1; i <= count; i++) {
            Map<String, Quantity> capacity =
                    Map.of("cpu", new Quantity("32"), "memory", new Quantity("128Gi"), "pods", new Quantity("110"));
            client.resource(new NodeBuilder()
                            .withNewMetadata()
                            .withName("node-" + i)
                            .addToLabels("kubernetes.io/hostname", "node-" + i)
                            .addToAnnotations("kwok.x-k8s.io/node", "fake")
                            .endMetadata()
                            .withNewStatus()
                            .withCapacity(capacity)
                            .withAllocatable(capacity)
                            .endStatus()
                            .build())
                    .create();
        }
    }

    void awaitNodes(int count) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() < end) {
            long ready = client.nodes().list().getItems().stream()
                    .filter(node -> node.getStatus().getConditions().stream()
                            .anyMatch(c ->
                                    c.getType().equals("Ready") && c.getStatus().equals("True")))
                    .filter(node -> node.getSpec().getTaints() == null
                            || node.getSpec().getTaints().isEmpty())
                    .count();
            if (ready >= count) {
                return;
            }
            Thread.sleep(250);
        }
        throw new IllegalStateException("expected " + count + " ready nodes within " + PATIENCE);
    }

    /** Asks for pods and waits until all are ready. */
    long podsMillis(int replicas) throws InterruptedException {
        ReplicationController wanted = new ReplicationControllerBuilder()
                .withNewMetadata()
                .withName("web")
                .withNamespace("default")
                .endMetadata()
                .withNewSpec()
                .withReplicas(replicas)
                .addToSelector("app", "web")
                .withNewTemplate()
                .withNewMetadata()
                .addToLabels("app", "web")
                .endMetadata()
                .withNewSpec()
                .addNewContainer()
                .withName("web")
                .withImage("nginx")
                .endContainer()
                .endSpec()
                .endTemplate()
                .endSpec()
                .build();
        long start = System.nanoTime();
        client.resource(wanted).create();
        while (true) {
            Integer ready = client.replicationControllers()
                    .inNamespace("default")
                    .withName("web")
                    .get()
                    .getStatus()
                    .getReadyReplicas();
            long now = System.nanoTime();
            if (ready != null && ready >= replicas) {
                return Duration.ofNanos(now - start).toMillis();
            }
            if (now - start > PATIENCE.toNanos()) {
                throw new IllegalStateException(
                        "expected " + replicas + " ready pods within " + PATIENCE + ", found " + ready);
            }
            Thread.sleep(50);
        }
    }

    @Override
    public void close() {
        client.close();
    }
}
