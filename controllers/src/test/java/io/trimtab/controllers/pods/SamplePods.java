package io.trimtab.controllers.pods;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodConditionBuilder;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** Pods for tests. */
public final class SamplePods {
    public static final Instant NOW = Instant.parse("2026-01-02T00:00:00Z");

    private SamplePods() {}

    /** A pod that waits for a node. */
    public static Pod pending(String name) {
        return new PodBuilder()
                .withNewMetadata()
                .withNamespace("default")
                .withName(name)
                .withUid("uid-" + name)
                .withLabels(Map.of("app", "web"))
                .withCreationTimestamp("2026-01-01T00:00:00Z")
                .endMetadata()
                .withNewSpec()
                .endSpec()
                .withNewStatus()
                .withPhase("Pending")
                .endStatus()
                .build();
    }

    /** A pod that runs and is ready. */
    public static Pod ready(String name, String node, String ip) {
        Pod pod = running(name, node);
        setReady(pod, true, Instant.parse("2026-01-01T23:00:00Z"));
        return new PodBuilder(pod)
                .editStatus()
                .withPodIP(ip)
                .addNewPodIP()
                .withIp(ip)
                .endPodIP()
                .endStatus()
                .build();
    }

    /** A pod that runs and has not said that it is ready. */
    public static Pod running(String name, String node) {
        return new PodBuilder(pending(name))
                .editSpec()
                .withNodeName(node)
                .endSpec()
                .editStatus()
                .withPhase("Running")
                .endStatus()
                .build();
    }

    public static void setReady(Pod pod, boolean ready, Instant since) {
        pod.getStatus()
                .setConditions(List.of(new PodConditionBuilder()
                        .withType("Ready")
                        .withStatus(ready ? "True" : "False")
                        .withLastTransitionTime(since.toString())
                        .build()));
    }
}
