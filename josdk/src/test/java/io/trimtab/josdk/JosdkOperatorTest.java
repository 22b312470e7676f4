package io.trimtab.josdk;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.javaoperatorsdk.operator.api.reconciler.Cleaner;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.DeleteControl;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.api.reconciler.Workflow;
import io.javaoperatorsdk.operator.api.reconciler.dependent.Dependent;
import io.javaoperatorsdk.operator.processing.dependent.kubernetes.CRUDKubernetesDependentResource;
import io.javaoperatorsdk.operator.processing.retry.GenericRetry;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Operators of the SDK in a cluster whose time is virtual. */
@TrimtabCluster
class JosdkOperatorTest {
    private static JosdkOperator.Builder operator(Cluster cluster) {
        cluster.apply(WebPage.DEFINITION).settle();
        return JosdkOperator.builder(cluster.client(), cluster.driver());
    }

    private static void run(Cluster cluster, JosdkOperator.Builder operator) {
        cluster.parts().manager().add(operator.build());
        cluster.settle();
    }

    /** A page and its password: the password first. */
    @Workflow(
            dependents = {
                @Dependent(name = "password", type = Password.class),
                @Dependent(name = "page", type = Page.class, dependsOn = "password")
            })
    static final class WithDependents implements Reconciler<WebPage> {
        @Override
        public UpdateControl<WebPage> reconcile(WebPage page, Context<WebPage> context) {
            page.getStatus().page = context.getSecondaryResource(ConfigMap.class)
                    .map(map -> map.getMetadata().getName())
                    .orElse("none");
            return UpdateControl.patchStatus(page);
        }
    }

    static final class Page extends CRUDKubernetesDependentResource<ConfigMap, WebPage> {
        @Override
        protected ConfigMap desired(WebPage page, Context<WebPage> context) {
            return new ConfigMapBuilder()
                    .withNewMetadata()
                    .withName(page.getMetadata().getName())
                    .withNamespace(page.getMetadata().getNamespace())
                    .endMetadata()
                    .withData(Map.of("index.html", page.getSpec().html))
                    .build();
        }
    }

    static final class Password extends CRUDKubernetesDependentResource<Secret, WebPage> {
        @Override
        protected Secret desired(WebPage page, Context<WebPage> context) {
            return new SecretBuilder()
                    .withNewMetadata()
                    .withName(page.getMetadata().getName())
                    .withNamespace(page.getMetadata().getNamespace())
                    .endMetadata()
                    .withStringData(Map.of("password", "x"))
                    .build();
        }
    }

    @Test
    void givenDependents_whenAResourceComesChangesAndGoes_thenTheyDoToo(Cluster cluster) {
        run(cluster, operator(cluster).register(new WithDependents()));

        WebPage page = cluster.create(WebPage.named("hello", "<h1>hello</h1>"));
        cluster.settle();
        ConfigMap map = cluster.get(ConfigMap.class, "default", "hello").orElseThrow();
        assertThat(map.getData()).containsEntry("index.html", "<h1>hello</h1>");
        assertThat(cluster.get(Secret.class, "default", "hello")).isPresent();
        assertThat(cluster.refresh(page).getStatus().page).isEqualTo("hello");

        cluster.edit(page, p -> p.getSpec().html = "<h1>bye</h1>");
        cluster.settle();
        assertThat(cluster.refresh(map).getData()).containsEntry("index.html", "<h1>bye</h1>");

        cluster.delete(map).settle();
        assertThat(cluster.get(ConfigMap.class, "default", "hello"))
                .as("made again")
                .isPresent();

        // The garbage collector looks for new kinds every half minute.
        cluster.delete(page).advance(Duration.ofMinutes(1));
        assertThat(cluster.get(ConfigMap.class, "default", "hello"))
                .as("collected")
                .isEmpty();
    }

    static final class WithCleanup implements Reconciler<WebPage>, Cleaner<WebPage> {
        final List<String> cleaned = new ArrayList<>();

        @Override
        public UpdateControl<WebPage> reconcile(WebPage page, Context<WebPage> context) {
            return UpdateControl.noUpdate();
        }

        @Override
        public DeleteControl cleanup(WebPage page, Context<WebPage> context) {
            cleaned.add(page.getMetadata().getName());
            return DeleteControl.defaultDelete();
        }
    }

    @Test
    void givenACleaner_whenAResourceIsDeleted_thenItsFinalizerHoldsItUntilItIsClean(Cluster cluster) {
        WithCleanup reconciler = new WithCleanup();
        run(cluster, operator(cluster).register(reconciler));
        WebPage page = cluster.create(WebPage.named("hello", ""));
        cluster.settle();
        assertThat(cluster.refresh(page).getMetadata().getFinalizers()).hasSize(1);

        cluster.delete(page).settle();

        assertThat(reconciler.cleaned).containsExactly("hello");
        assertThat(cluster.exists(page)).isFalse();
    }

    /** Fails a few times, then looks every ten minutes. */
    static final class Late implements Reconciler<WebPage> {
        private final Cluster cluster;
        private final int failures;
        final List<Instant> looks = new ArrayList<>();

        Late(Cluster cluster, int failures) {
            this.cluster = cluster;
            this.failures = failures;
        }

        @Override
        public UpdateControl<WebPage> reconcile(WebPage page, Context<WebPage> context) {
            looks.add(cluster.now());
            if (looks.size() <= failures) {
                throw new IllegalStateException("not yet");
            }
            return UpdateControl.<WebPage>noUpdate().rescheduleAfter(10, TimeUnit.MINUTES);
        }
    }

    @Test
    void givenAReconcilerThatFails_whenTimePasses_thenItIsRetriedInVirtualTime(Cluster cluster) {
        Late reconciler = new Late(cluster, 3);
        run(
                cluster,
                operator(cluster)
                        .register(
                                reconciler,
                                configuration -> configuration.withRetry(new GenericRetry()
                                        .setInitialInterval(60_000)
                                        .setMaxInterval(600_000)
                                        .setIntervalMultiplier(2)
                                        .setMaxAttempts(5))));
        Instant start = cluster.now();
        cluster.create(WebPage.named("hello", ""));
        cluster.settle();
        assertThat(reconciler.looks).containsExactly(start);

        cluster.advance(Duration.ofMinutes(5));

        assertThat(reconciler.looks)
                .containsExactly(start, start.plusSeconds(60), start.plusSeconds(120), start.plusSeconds(240));
    }

    @Test
    void givenAReconcilerThatReschedules_whenAnHourPasses_thenItHasLookedSixTimesMore(Cluster cluster) {
        Late reconciler = new Late(cluster, 0);
        run(cluster, operator(cluster).register(reconciler));
        cluster.create(WebPage.named("hello", ""));
        cluster.settle().advance(Duration.ofHours(1));

        assertThat(reconciler.looks).hasSize(7);
    }

    @Test
    void givenBothCaches_whenTheClusterIsAtRest_thenTheyHoldTheSame(Cluster cluster) {
        List<String> seen = new ArrayList<>();
        Reconciler<ConfigMap> reconciler = (map, context) -> {
            seen.add(map.getMetadata().getResourceVersion());
            return UpdateControl.noUpdate();
        };
        cluster.apply(WebPage.DEFINITION).settle();
        run(cluster, JosdkOperator.builder(cluster.client(), cluster.driver()).register(new Watching(reconciler)));
        ConfigMap map = cluster.create(new ConfigMapBuilder()
                .withNewMetadata()
                .withName("same")
                .withNamespace("default")
                .endMetadata()
                .build());
        cluster.settle();

        assertThat(seen).endsWith(map.getMetadata().getResourceVersion());
        assertThat(cluster.parts()
                        .manager()
                        .informers()
                        .informer(ConfigMap.class)
                        .lister()
                        .get("default", "same"))
                .map(HasMetadata::getMetadata)
                .hasValueSatisfying(
                        metadata -> assertThat(metadata.getResourceVersion()).isEqualTo(seen.get(seen.size() - 1)));
    }

    /** The SDK finds the kind by the class: a lambda has none. */
    static final class Watching implements Reconciler<ConfigMap> {
        private final Reconciler<ConfigMap> actual;

        Watching(Reconciler<ConfigMap> actual) {
            this.actual = actual;
        }

        @Override
        public UpdateControl<ConfigMap> reconcile(ConfigMap map, Context<ConfigMap> context) throws Exception {
            return actual.reconcile(map, context);
        }
    }
}
