package io.trimtab.junit;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ReplicationController;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;

/**
 * Assertions that speak of Kubernetes' objects. Import {@code assertThat} from here and from AssertJ: the compiler picks. They
 * judge the object as handed in: read it anew before.
 *
 * @since 0.1
 */
public final class KubernetesAssertions {
    private KubernetesAssertions() {}

    public static DeploymentAssert assertThat(Deployment actual) {
        return new DeploymentAssert(actual);
    }

    public static ReplicasAssert<ReplicaSet> assertThat(ReplicaSet actual) {
        return ReplicasAssert.of(actual);
    }

    public static ReplicasAssert<ReplicationController> assertThat(ReplicationController actual) {
        return ReplicasAssert.of(actual);
    }

    public static PodAssert assertThat(Pod actual) {
        return new PodAssert(actual);
    }

    public static NodeAssert assertThat(Node actual) {
        return new NodeAssert(actual);
    }
}
