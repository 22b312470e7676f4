package io.trimtab.informer;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Result;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** An informer whose definition goes, and comes back. */
@TrimtabCluster(nodes = 0, scheduler = false, controllers = "", checked = false)
class VanishingDefinitionTest {
    private static final ResourceType<GenericKubernetesResource> SITES =
            ResourceType.dynamic("example.com", "v1", "sites", "Site", true);

    private static final String DEFINITION = """
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: {name: sites.example.com}
            spec:
              group: example.com
              scope: Namespaced
              names: {plural: sites, singular: site, kind: Site}
              versions:
              - name: v1
                served: true
                storage: true
                schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
            """;

    private final List<String> reconciled = new ArrayList<>();
    private Manager manager;

    private Controller controller(Manager made) {
        manager = made;
        return Controller.named("sites")
                .watches(
                        SITES,
                        WatchScope.ALL,
                        (change, queue) -> queue.add(io.trimtab.controller.Request.of(change.latest())))
                .reconcile(request -> {
                    boolean there = made.informers()
                            .informer(SITES)
                            .lister()
                            .get(request.namespace(), request.name())
                            .isPresent();
                    reconciled.add((there ? "+" : "-") + request.name());
                    return Result.done();
                });
    }

    private static GenericKubernetesResource site(String name) {
        return new GenericKubernetesResourceBuilder()
                .withApiVersion("example.com/v1")
                .withKind("Site")
                .withNewMetadata()
                .withName(name)
                .withNamespace("default")
                .endMetadata()
                .withAdditionalProperties(Map.of("spec", Map.of("pages", 1)))
                .build();
    }

    @Test
    void givenAController_whenItsDefinitionGoesForADayAndComesBack_thenItIsQuietAndGoesOn(Cluster cluster) {
        cluster.apply(DEFINITION).settle();
        cluster.run(this::controller).settle();
        cluster.api().create(SITES, site("a"));
        cluster.settle();
        assertThat(reconciled).containsExactly("+a");
        SharedInformer<GenericKubernetesResource> informer = manager.informers().informer(SITES);
        assertThat(informer.lag()).isZero();

        PrintStream console = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            cluster.delete(cluster.get(CustomResourceDefinition.class, "sites.example.com")
                            .orElseThrow())
                    .advance(Duration.ofDays(1));
        } finally {
            System.setErr(console);
        }
        assertThat(reconciled).as("its objects went with it").containsExactly("+a", "-a");
        assertThat(informer.lister().list()).isEmpty();
        assertThat(said.toString(StandardCharsets.UTF_8)
                        .lines()
                        .filter(line -> line.contains("Reflector") && line.contains("sites.example.com")))
                .as("lines of log in a day without the definition")
                .hasSizeBetween(1, 4);
        assertThat(informer.lag()).as("it says that it is behind").isGreaterThan(Duration.ofHours(23));

        cluster.apply(DEFINITION).settle();
        cluster.api().create(SITES, site("b"));
        cluster.advance(Duration.ofMinutes(2));

        assertThat(reconciled).containsExactly("+a", "-a", "+b");
        assertThat(informer.lag()).isZero();
    }
}
