package io.trimtab.junit;

import static io.trimtab.junit.Workloads.service;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.testkit.engine.EventConditions.event;
import static org.junit.platform.testkit.engine.EventConditions.finishedWithFailure;
import static org.junit.platform.testkit.engine.TestExecutionResultConditions.instanceOf;

import io.fabric8.kubernetes.api.model.Service;
import io.trimtab.client.Client;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Events;

/** The search for an order of steps that fails, how it is shrunk, and how it is told. */
class InterleavingsTest {
    private static final ResourceType<Service> SERVICES = ResourceType.of(Service.class);

    /** Reads, and then writes all of what it has read: right, as long as nobody else has a turn in between. */
    private static Controller stamper(Manager manager) {
        Client client = manager.client("stamper");
        return Controller.of("stamper", Service.class).reconcile(request -> {
            Service service =
                    client.get(SERVICES, request.namespace(), request.name()).orElse(null);
            if (service != null
                    && !request.name().equals("kubernetes")
                    && !service.getMetadata().getAnnotations().containsKey("stamp")) {
                service.getMetadata().getAnnotations().put("stamp", "yes");
                service.getMetadata().setResourceVersion(null);
                client.update(SERVICES, service);
            }
            return Result.done();
        });
    }

    private static void play(Cluster cluster) {
        Service web = service("web");
        cluster.run(InterleavingsTest::stamper).settle().apply(web);
        Service labelled = service("web");
        labelled.getMetadata().setLabels(Map.of("team", "blue"));
        cluster.driver().execute(() -> cluster.apply(labelled));
        cluster.settle();
    }

    @Test
    void givenARaceOfTwoSteps_whenOrdersAreTried_thenTheShortestScheduleIsFoundAndReplays() {
        Trials trials = Trials.small().interleavings(200);

        Trials.Failure failure = trials.find(InterleavingsTest::play).orElseThrow();

        assertThat(failure.oracle()).contains(Oracle.NO_LOST_UPDATE);
        assertThat(failure.schedule().split(" ")).hasSizeLessThanOrEqualTo(2);
        assertThat(trials.replay(failure)
                        .find(InterleavingsTest::play)
                        .orElseThrow()
                        .cause())
                .hasMessage(failure.cause().getMessage());
    }

    @Test
    void givenATest_whenAnOrderFails_thenItIsTheOnlyFailureAndPrintedAsATest() throws Exception {
        Path timelines = Files.createTempDirectory("timelines");
        System.setProperty("trimtab.timelines", timelines.toString());
        try {
            Events tests = EngineTestKit.engine("junit-jupiter")
                    .selectors(DiscoverySelectors.selectClass(Raced.class))
                    .execute()
                    .testEvents();

            assertThat(tests.failed().count()).isEqualTo(1);
            tests.failed()
                    .assertThatEvents()
                    .haveExactly(1, event(finishedWithFailure(instanceOf(OracleViolation.class))));
            Throwable failure = tests.failed().stream()
                    .flatMap(e -> e.getPayload(org.junit.platform.engine.TestExecutionResult.class).stream())
                    .flatMap(r -> r.getThrowable().stream())
                    .findFirst()
                    .orElseThrow();
            assertThat(failure.getMessage()).contains("no lost update", "How it came to that", "-Dtrimtab.schedule=");
            assertThat(failure.getSuppressed()[0].toString())
                    .contains("@Seed(value = 1, schedule = \"", "void raced_inThisOrder(Cluster cluster)");
            try (var files = Files.list(timelines)) {
                assertThat(files.map(f -> read(f)).toList())
                        .singleElement()
                        .asString()
                        .contains("<table>", "stamper");
            }
        } finally {
            System.clearProperty("trimtab.timelines");
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Run by the test above only: its name is not one that builds look for. */
    @TrimtabCluster(nodes = 0, scheduler = false, controllers = "garbage-collector-controller,namespace-controller")
    static class Raced {
        @Interleavings(runs = 200)
        void raced(Cluster cluster) {
            play(cluster);
        }
    }
}
