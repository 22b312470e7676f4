package io.trimtab.junit;

import io.fabric8.kubernetes.api.model.Node;
import org.assertj.core.api.AbstractAssert;

/** Assertions about a Node. */
public final class NodeAssert extends AbstractAssert<NodeAssert, Node> {
    NodeAssert(Node actual) {
        super(actual, NodeAssert.class);
    }

    public NodeAssert isReady() {
        return hasReadyStatus("True");
    }

    /** Its condition Ready is {@code True}, {@code False} or {@code Unknown}. */
    public NodeAssert hasReadyStatus(String status) {
        isNotNull();
        String found = actual.getStatus().getConditions().stream()
                .filter(c -> "Ready".equals(c.getType()))
                .map(c -> c.getStatus())
                .findFirst()
                .orElse("absent");
        if (!found.equals(status)) {
            throw failure(
                    "Expected condition Ready of node %s to be %s, found %s; conditions %s",
                    actual.getMetadata().getName(),
                    status,
                    found,
                    actual.getStatus().getConditions());
        }
        return this;
    }

    /** It has a taint with this key and effect. */
    public NodeAssert hasTaint(String key, String effect) {
        isNotNull();
        if (actual.getSpec().getTaints().stream()
                .noneMatch(t -> key.equals(t.getKey()) && effect.equals(t.getEffect()))) {
            throw failure(
                    "Expected node %s to have the taint %s:%s, found %s",
                    actual.getMetadata().getName(),
                    key,
                    effect,
                    actual.getSpec().getTaints());
        }
        return this;
    }

    public NodeAssert hasNoTaints() {
        isNotNull();
        if (!actual.getSpec().getTaints().isEmpty()) {
            throw failure(
                    "Expected node %s to have no taints, found %s",
                    actual.getMetadata().getName(), actual.getSpec().getTaints());
        }
        return this;
    }
}
