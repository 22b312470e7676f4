package io.trimtab.controllers.garbagecollector;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OwnerGraphTest {
    private final List<String> woken = new ArrayList<>();
    private final OwnerGraph graph = new OwnerGraph(woken::add);

    @Test
    void givenADependentOfSomebodyUnknown_whenSeen_thenTheOwnerIsToBeChecked() {
        graph.observed("v1", "ConfigMap", object("child", "owner"));

        assertThat(woken).contains("owner");
    }

    @Test
    void givenAnOwnerIsDeleted_whenItIsGone_thenItsDependentsAreWoken() {
        graph.observed("v1", "ConfigMap", object("owner"));
        graph.observed("v1", "ConfigMap", object("child", "owner"));
        woken.clear();

        graph.deleted("owner");

        assertThat(woken).contains("child");
    }

    @Test
    void givenAReferenceIsTakenAway_whenSeen_thenTheFormerOwnerIsWoken() {
        graph.observed("v1", "ConfigMap", object("owner"));
        graph.observed("v1", "ConfigMap", object("child", "owner"));
        woken.clear();

        graph.observed("v1", "ConfigMap", object("child"));

        assertThat(woken).contains("owner");
    }

    private static ConfigMap object(String name, String... owners) {
        ConfigMapBuilder builder = new ConfigMapBuilder()
                .withNewMetadata()
                .withNamespace("default")
                .withName(name)
                .withUid(name)
                .endMetadata();
        ConfigMap object = builder.build();
        List<io.fabric8.kubernetes.api.model.OwnerReference> references = new ArrayList<>();
        for (String owner : owners) {
            references.add(new OwnerReferenceBuilder()
                    .withApiVersion("v1")
                    .withKind("ConfigMap")
                    .withName(owner)
                    .withUid(owner)
                    .withBlockOwnerDeletion(true)
                    .build());
        }
        object.getMetadata().setOwnerReferences(references);
        return object;
    }
}
