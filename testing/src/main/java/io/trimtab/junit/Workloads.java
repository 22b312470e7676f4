package io.trimtab.junit;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.ReplicationController;
import io.fabric8.kubernetes.api.model.ReplicationControllerBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetBuilder;
import java.util.Map;

/**
 * Small, valid objects to begin a test with, in the namespace {@code default}: their pods have the label {@code app} with the
 * object's name, and one container {@code app} of the image {@code registry.example/app:1}. Pure functions.
 */
public final class Workloads {
    /** The image of every container here. */
    public static final String IMAGE = "registry.example/app:1";

    private Workloads() {}

    public static Deployment deployment(String name, int replicas) {
        return new DeploymentBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace("default")
                .endMetadata()
                .withNewSpec()
                .withReplicas(replicas)
                .withNewSelector()
                .withMatchLabels(labels(name))
                .endSelector()
                .withTemplate(template(name))
                .endSpec()
                .build();
    }

    public static ReplicaSet replicaSet(String name, int replicas) {
        return new ReplicaSetBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace("default")
                .endMetadata()
                .withNewSpec()
                .withReplicas(replicas)
                .withNewSelector()
                .withMatchLabels(labels(name))
                .endSelector()
                .withTemplate(template(name))
                .endSpec()
                .build();
    }

    public static ReplicationController replicationController(String name, int replicas) {
        return new ReplicationControllerBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace("default")
                .endMetadata()
                .withNewSpec()
                .withReplicas(replicas)
                .withSelector(labels(name))
                .withTemplate(template(name))
                .endSpec()
                .build();
    }

    public static Pod pod(String name) {
        return new PodBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace("default")
                .withLabels(labels(name))
                .endMetadata()
                .withSpec(template(name).getSpec())
                .build();
    }

    /** A Service for the pods of that name: port 80 goes to 8080. */
    public static Service service(String name) {
        return new ServiceBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace("default")
                .endMetadata()
                .withNewSpec()
                .withSelector(labels(name))
                .addNewPort()
                .withPort(80)
                .withNewTargetPort(8080)
                .endPort()
                .endSpec()
                .build();
    }

    /** What the pods of an object of this name are made from. */
    public static PodTemplateSpec template(String name) {
        return new PodTemplateSpecBuilder()
                .withNewMetadata()
                .withLabels(labels(name))
                .endMetadata()
                .withNewSpec()
                .addNewContainer()
                .withName("app")
                .withImage(IMAGE)
                .endContainer()
                .endSpec()
                .build();
    }

    /** What the pods of an object of this name are found by. */
    public static Map<String, String> labels(String name) {
        return Map.of("app", name);
    }
}
