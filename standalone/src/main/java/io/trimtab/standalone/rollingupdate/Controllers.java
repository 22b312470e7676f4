package io.trimtab.standalone.rollingupdate;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.ReplicationController;
import io.fabric8.kubernetes.api.model.ReplicationControllerBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Deletions;
import io.trimtab.client.ResourceType;
import io.trimtab.runtime.Driver;
import io.trimtab.selector.LabelSelectors;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Reads and writes the ReplicationControllers of one namespace, and waits. Blocks its caller; not for several threads. */
final class Controllers {
    static final String SOURCE_ID = "kubectl.kubernetes.io/update-source-id";
    static final String DESIRED = "kubectl.kubernetes.io/desired-replicas";
    static final String ORIGINAL = "kubectl.kubernetes.io/original-replicas";
    static final String NEXT = "kubectl.kubernetes.io/next-controller-id";

    private static final ResourceType<ReplicationController> TYPE = ResourceType.of(ReplicationController.class);
    private static final ResourceType<Pod> PODS = ResourceType.of(Pod.class);
    private static final int WRITE_TRIES = 10;

    private final Client client;
    private final Driver driver;
    private final String namespace;

    Controllers(Client client, Driver driver, String namespace) {
        this.client = client;
        this.driver = driver;
        this.namespace = namespace;
    }

    Optional<ReplicationController> find(String name) {
        return client.get(TYPE, namespace, name);
    }

    /** @throws ApiException 404 if there is none */
    ReplicationController get(String name) {
        return find(name)
                .orElseThrow(() -> new RollingUpdateException("replicationcontrollers \"" + name + "\" not found"));
    }

    List<ReplicationController> all() {
        return client.list(TYPE, namespace, new ListOptionsBuilder().build()).items();
    }

    ReplicationController create(ReplicationController controller) {
        return client.create(TYPE, controller);
    }

    /** Changes a controller, again if another write came between. */
    ReplicationController change(String name, Consumer<ReplicationController> change) {
        for (int attempt = 1; ; attempt++) {
            ReplicationController copy = new ReplicationControllerBuilder(get(name)).build();
            change.accept(copy);
            try {
                return client.update(TYPE, copy);
            } catch (ApiException e) {
                if (!e.isConflict() || attempt == WRITE_TRIES) {
                    throw e;
                }
            }
        }
    }

    void delete(String name, DeleteOptions options) {
        Deletions.ifThere(client, TYPE, namespace, name, options);
    }

    List<Pod> pods(Map<String, String> selector) {
        String text = LabelSelectors.of(selector).toString();
        return client.list(
                        PODS,
                        namespace,
                        new ListOptionsBuilder().withLabelSelector(text).build())
                .items();
    }

    void labelPod(String name, String key, String value) {
        for (int attempt = 1; ; attempt++) {
            Pod pod = client.get(PODS, namespace, name).orElse(null);
            if (pod == null) {
                return; // gone: nothing to tell apart
            }
            Map<String, String> labels = mutable(pod.getMetadata().getLabels());
            labels.put(key, value);
            Pod labelled = new PodBuilder(pod)
                    .editMetadata()
                    .withLabels(labels)
                    .endMetadata()
                    .build();
            try {
                client.update(PODS, labelled);
                return;
            } catch (ApiException e) {
                if (!e.isConflict() || attempt == WRITE_TRIES) {
                    throw e;
                }
            }
        }
    }

    void deletePod(String name) {
        Deletions.ifThere(client, PODS, namespace, name);
    }

    /** How many pods of a controller are ready. */
    int readyPods(ReplicationController controller) {
        int ready = 0;
        for (Pod pod : pods(controller.getSpec().getSelector())) {
            List<PodCondition> conditions =
                    pod.getStatus() == null ? List.of() : pod.getStatus().getConditions();
            boolean isReady =
                    conditions.stream().anyMatch(c -> "Ready".equals(c.getType()) && "True".equals(c.getStatus()));
            if (isReady && pod.getMetadata().getDeletionTimestamp() == null) {
                ready++;
            }
        }
        return ready;
    }

    Instant now() {
        return driver.now();
    }

    void sleep(Duration time) {
        CompletableFuture<Boolean> over = new CompletableFuture<>();
        driver.schedule(time, () -> over.complete(true));
        try {
            driver.await(over, time.plusSeconds(60));
        } catch (TimeoutException e) {
            throw new IllegalStateException("a timer of " + time + " did not fire", e);
        }
    }

    /** Looks again and again; false if the time is over first. */
    boolean poll(Duration interval, Duration timeout, BooleanSupplier condition) {
        Instant end = driver.now().plus(timeout);
        while (!condition.getAsBoolean()) {
            if (driver.now().isAfter(end)) {
                return false;
            }
            sleep(interval);
        }
        return true;
    }

    static int replicas(ReplicationController controller) {
        Integer replicas = controller.getSpec().getReplicas();
        return replicas == null ? 1 : replicas;
    }

    static @Nullable String note(ReplicationController controller, String key) {
        Map<String, String> notes = controller.getMetadata().getAnnotations();
        return notes == null ? null : notes.get(key);
    }

    static void setNote(ReplicationController controller, String key, @Nullable String value) {
        Map<String, String> notes = mutable(controller.getMetadata().getAnnotations());
        if (value == null) {
            notes.remove(key);
        } else {
            notes.put(key, value);
        }
        controller.getMetadata().setAnnotations(notes);
    }

    static String sourceId(ReplicationController controller) {
        return controller.getMetadata().getName() + ":"
                + controller.getMetadata().getUid();
    }

    static Map<String, String> mutable(@Nullable Map<String, String> map) {
        return map == null ? new HashMap<>() : new HashMap<>(map);
    }
}
