package io.trimtab.controllers.nodelifecycle;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Pod;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.events.EventRecorder;
import java.time.Instant;

/** Says of pods that they are not ready when their node cannot say it. */
final class PodReadiness {
    private PodReadiness() {}

    /** Sets Ready to False, if it is True; does nothing if the pod is gone. */
    static void markNotReady(Client client, EventRecorder events, Pod pod, Instant now) {
        if (!Pods.isReady(pod)) {
            return;
        }
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("metadata").put("uid", pod.getMetadata().getUid());
        body.putObject("status")
                .putArray("conditions")
                .addObject()
                .put("type", "Ready")
                .put("status", "False")
                .put("lastTransitionTime", Pods.time(now));
        try {
            client.patch(
                    PodControl.PODS,
                    pod.getMetadata().getNamespace(),
                    pod.getMetadata().getName(),
                    Patch.strategic(body.toString()).on("status"));
        } catch (ApiException e) {
            if (e.isNotFound() || e.isConflict()) {
                return; // gone, or another by now
            }
            throw e;
        }
        events.warning(pod, "NodeNotReady", "Node is not ready");
    }
}
