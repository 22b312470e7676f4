package io.trimtab.josdk;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.api.reconciler.Workflow;
import io.javaoperatorsdk.operator.api.reconciler.dependent.Dependent;
import io.javaoperatorsdk.operator.processing.dependent.kubernetes.CRUDKubernetesDependentResource;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Surroundings;
import io.trimtab.junit.TrimtabCluster;
import io.trimtab.junit.fault.CrashAtEveryWrite;
import java.util.Map;

/** An operator of the SDK as a process that may die at any write. */
@TrimtabCluster(nodes = 0, scheduler = false, controllers = "garbage-collector-controller")
class OperatorUnderFaultsTest {

    /** A page. */
    @Workflow(dependents = @Dependent(name = "page", type = Page.class))
    static final class Pages implements Reconciler<WebPage> {
        @Override
        public UpdateControl<WebPage> reconcile(WebPage page, Context<WebPage> context) {
            return UpdateControl.noUpdate();
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

    private static AutoCloseable start(Surroundings process) {
        JosdkOperator operator = JosdkOperator.builder(process.client(), process.driver())
                .register(new Pages())
                .build();
        operator.start();
        return operator;
    }

    @CrashAtEveryWrite
    void givenAnOperator_whenItDiesAtAnyWrite_thenItsPageIsThereInTheEnd(Cluster cluster) {
        cluster.apply(WebPage.DEFINITION).settle();
        cluster.run("pages", OperatorUnderFaultsTest::start).settle();

        cluster.create(WebPage.named("hello", "<h1>hello</h1>"));
        cluster.settle();

        assertThat(cluster.get(ConfigMap.class, "default", "hello")).isPresent();
    }
}
