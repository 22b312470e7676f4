package io.trimtab;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.PodTemplate;
import io.fabric8.kubernetes.api.model.PodTemplateBuilder;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.trimtab.client.Clients;
import io.trimtab.client.FabricClient;
import io.trimtab.client.ResourceType;
import io.trimtab.events.ClientEventRecorder;
import io.trimtab.leader.LeaderCallbacks;
import io.trimtab.leader.LeaderElectionConfig;
import io.trimtab.leader.LeaderElector;
import io.trimtab.ownership.Claims;
import io.trimtab.ownership.OwnerReferences;
import io.trimtab.runtime.RealDriver;
import io.trimtab.selector.LabelSelectors;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** Runs election, events and claims in real time against whatever server a kubeconfig names. */
@EnabledIfEnvironmentVariable(named = "TRIMTAB_TEST_KUBECONFIG", matches = ".+")
class AnyServerPartsTest {
    private static final ResourceType<Namespace> NAMESPACES = ResourceType.of(Namespace.class);
    private static final ResourceType<Lease> LEASES = ResourceType.of(Lease.class);
    private static final ResourceType<Event> EVENTS = ResourceType.of(Event.class);
    private static final ResourceType<PodTemplate> TEMPLATES = ResourceType.of(PodTemplate.class);
    private static final ResourceType<ReplicaSet> SETS = ResourceType.of(ReplicaSet.class);

    private final RealDriver driver = RealDriver.create("test");
    private final FabricClient client =
            Clients.connect(Clients.kubeconfig(Path.of(System.getenv("TRIMTAB_TEST_KUBECONFIG"))), driver);
    private String namespace = "";

    @BeforeEach
    void makeNamespace() {
        namespace = client.create(
                        NAMESPACES,
                        new NamespaceBuilder()
                                .withNewMetadata()
                                .withGenerateName("any-server-parts-")
                                .endMetadata()
                                .build())
                .getMetadata()
                .getName();
    }

    @AfterEach
    void close() {
        client.delete(NAMESPACES, null, namespace, new DeleteOptions());
        client.close();
        driver.close();
    }

    @Test
    void givenAServer_whenAnElectionIsHeld_thenTheLeaseIsTakenRenewedAndGivenUp() throws Exception {
        CompletableFuture<Void> leads = new CompletableFuture<>();
        LeaderElector elector = new LeaderElector(
                driver,
                client,
                new LeaderElectionConfig(
                        namespace,
                        "test",
                        "me",
                        Duration.ofSeconds(3),
                        Duration.ofSeconds(2),
                        Duration.ofMillis(300),
                        true),
                new LeaderCallbacks() {
                    @Override
                    public void onStartedLeading() {
                        leads.complete(null);
                    }

                    @Override
                    public void onStoppedLeading() {}
                },
                null);
        elector.start();
        leads.get(20, TimeUnit.SECONDS);
        Lease first = client.get(LEASES, namespace, "test").orElseThrow();
        CompletableFuture<Void> later = new CompletableFuture<>();
        driver.schedule(Duration.ofSeconds(1), () -> later.complete(null));
        later.get(20, TimeUnit.SECONDS);
        Lease second = client.get(LEASES, namespace, "test").orElseThrow();

        elector.close();

        assertThat(first.getSpec().getHolderIdentity()).isEqualTo("me");
        assertThat(second.getSpec().getRenewTime()).isAfter(first.getSpec().getRenewTime());
        assertThat(second.getSpec().getAcquireTime()).isEqualTo(first.getSpec().getAcquireTime());
        assertThat(client.get(LEASES, namespace, "test").orElseThrow().getSpec().getHolderIdentity())
                .isNullOrEmpty();
    }

    @Test
    void givenAServer_whenEventsRepeat_thenItCountsThem() throws Exception {
        PodTemplate about = client.create(TEMPLATES, template("about"));
        ClientEventRecorder recorder = new ClientEventRecorder(driver, client, "any-server");
        recorder.normal(about, "Tested", "the same");
        recorder.normal(about, "Tested", "the same");
        recorder.warning(about, "Failed", "another");

        long deadline = driver.nanoTime() + Duration.ofSeconds(20).toNanos();
        List<Event> events = List.of();
        while (driver.nanoTime() < deadline
                && (events.size() < 2 || events.stream().noneMatch(e -> e.getCount() == 2))) {
            events = client.list(EVENTS, namespace, new ListOptions()).items();
        }

        assertThat(events).hasSize(2);
        assertThat(events).anySatisfy(e -> {
            assertThat(e.getCount()).isEqualTo(2);
            assertThat(e.getReason()).isEqualTo("Tested");
        });
        assertThat(recorder.dropped()).isZero();
    }

    @Test
    void givenAServer_whenOrphansAreClaimed_thenTheyAreAdoptedAndReleased() {
        ReplicaSet owner = client.create(
                SETS,
                new ReplicaSetBuilder()
                        .withNewMetadata()
                        .withNamespace(namespace)
                        .withName("owner")
                        .endMetadata()
                        .withNewSpec()
                        .withReplicas(0)
                        .withNewSelector()
                        .addToMatchLabels("app", "none")
                        .endSelector()
                        .withNewTemplate()
                        .withNewMetadata()
                        .addToLabels("app", "none")
                        .endMetadata()
                        .withNewSpec()
                        .addNewContainer()
                        .withName("c")
                        .withImage("i")
                        .endContainer()
                        .endSpec()
                        .endTemplate()
                        .endSpec()
                        .build());
        PodTemplate orphan = client.create(TEMPLATES, template("orphan"));
        Claims<PodTemplate> claims = new Claims<>(client, TEMPLATES);

        List<PodTemplate> claimed = claims.claim(SETS, owner, LabelSelectors.parse("app=web"), List.of(orphan));
        assertThat(claimed).singleElement().matches(t -> OwnerReferences.isControlledBy(t, owner));
        assertThat(claims.claim(SETS, owner, LabelSelectors.parse("app=other"), claimed))
                .isEmpty();

        assertThat(OwnerReferences.isOrphan(
                        client.get(TEMPLATES, namespace, "orphan").orElseThrow()))
                .isTrue();
    }

    private PodTemplate template(String name) {
        return new PodTemplateBuilder()
                .withNewMetadata()
                .withNamespace(namespace)
                .withName(name)
                .addToLabels("app", "web")
                .endMetadata()
                .withNewTemplate()
                .withNewSpec()
                .addNewContainer()
                .withName("c")
                .withImage("i")
                .endContainer()
                .endSpec()
                .endTemplate()
                .build();
    }
}
