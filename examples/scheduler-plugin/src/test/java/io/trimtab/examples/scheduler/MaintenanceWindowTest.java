package io.trimtab.examples.scheduler;

import static io.trimtab.junit.Workloads.deployment;
import static io.trimtab.junit.Workloads.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import org.junit.jupiter.api.Test;

@TrimtabCluster(nodes = 2)
class MaintenanceWindowTest {
    private static void announce(Cluster cluster, String name, Duration in) {
        Node node = cluster.get(Node.class, name).orElseThrow();
        cluster.edit(
                node,
                n -> n.getMetadata()
                        .getAnnotations()
                        .put(
                                MaintenanceWindow.ANNOTATION,
                                cluster.now().plus(in).toString()));
        cluster.settle();
    }

    @Test
    void givenANodeThatIsSoonServiced_whenPodsCome_thenTheyGoElsewhere(Cluster cluster) {
        announce(cluster, "node-1", Duration.ofMinutes(30));
        Deployment web = cluster.create(deployment("web", 4));
        cluster.settle();
        assertThat(cluster.pods(web))
                .hasSize(4)
                .allMatch(pod -> pod.getSpec().getNodeName().equals("node-2"));
    }

    @Test
    void givenANodeThatIsServicedMuchLater_whenPodsCome_thenItTakesItsShare(Cluster cluster) {
        announce(cluster, "node-1", Duration.ofHours(3));
        Deployment web = cluster.create(deployment("web", 4));
        cluster.settle();
        assertThat(cluster.pods(web))
                .anyMatch(pod -> pod.getSpec().getNodeName().equals("node-1"));
    }

    @Test
    void givenNoOtherNode_whenTheAnnouncementIsTakenBack_thenThePodThatWaitedIsPlaced(Cluster cluster) {
        announce(cluster, "node-1", Duration.ofMinutes(30));
        announce(cluster, "node-2", Duration.ofMinutes(30));
        Pod waiting = cluster.create(pod("waiting"));
        cluster.settle();
        assertThat(cluster.refresh(waiting).getSpec().getNodeName()).isNull();
        assertThat(cluster.events(waiting))
                .extracting(Event::getMessage)
                .anyMatch(message -> message.contains("2 node(s) are about to be serviced"));

        cluster.edit(
                cluster.get(Node.class, "node-2").orElseThrow(),
                n -> n.getMetadata().getAnnotations().remove(MaintenanceWindow.ANNOTATION));
        cluster.settle().advance(Duration.ofSeconds(10));

        assertThat(cluster.refresh(waiting).getSpec().getNodeName()).isEqualTo("node-2");
    }
}
