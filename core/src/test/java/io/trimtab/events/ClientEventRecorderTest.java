package io.trimtab.events;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.client.MemoryClient;
import io.trimtab.client.ResourceType;
import io.trimtab.runtime.VirtualDriver;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ClientEventRecorderTest {
    private static final ResourceType<Event> EVENTS = ResourceType.of(Event.class);

    private final VirtualDriver driver = VirtualDriver.create();
    private final MemoryClient server = new MemoryClient();
    private final ClientEventRecorder recorder = new ClientEventRecorder(driver, server, "replicaset-controller");
    private final Pod pod = new PodBuilder()
            .withNewMetadata()
            .withNamespace("shop")
            .withName("web-1")
            .withUid("u1")
            .endMetadata()
            .build();

    @AfterEach
    void noStepFailed() {
        assertThat(driver.failures()).isEmpty();
    }

    private List<Event> events() {
        driver.settle();
        return server.all(EVENTS);
    }

    @Test
    void givenAnEvent_whenRecorded_thenItIsWrittenAsClientGoWould() {
        recorder.normal(pod, "SuccessfulCreate", "Created pod: web-1");

        assertThat(events()).singleElement().satisfies(e -> {
            assertThat(e.getMetadata().getNamespace()).isEqualTo("shop");
            assertThat(e.getMetadata().getName())
                    .isEqualTo("web-1." + Long.toHexString(driver.now().getEpochSecond() * 1_000_000_000L));
            assertThat(e.getInvolvedObject().getKind()).isEqualTo("Pod");
            assertThat(e.getInvolvedObject().getUid()).isEqualTo("u1");
            assertThat(e.getType()).isEqualTo("Normal");
            assertThat(e.getReason()).isEqualTo("SuccessfulCreate");
            assertThat(e.getCount()).isEqualTo(1);
            assertThat(e.getFirstTimestamp()).isEqualTo("2026-01-01T00:00:00Z");
            assertThat(e.getLastTimestamp()).isEqualTo("2026-01-01T00:00:00Z");
            assertThat(e.getSource().getComponent()).isEqualTo("replicaset-controller");
            assertThat(e.getReportingComponent()).isEqualTo("replicaset-controller");
        });
    }

    @Test
    void givenAClusterScopedObject_whenRecorded_thenTheEventIsInDefault() {
        Node node =
                new NodeBuilder().withNewMetadata().withName("n1").endMetadata().build();

        recorder.warning(node, "Rebooted", "Node n1 has been rebooted");

        assertThat(events().get(0).getMetadata().getNamespace()).isEqualTo("default");
    }

    @Test
    void givenEqualEvents_whenRecorded_thenOneIsCounted() {
        recorder.normal(pod, "Pulled", "same");
        driver.advance(Duration.ofSeconds(30));
        recorder.normal(pod, "Pulled", "same");
        recorder.normal(pod, "Pulled", "same");

        assertThat(events()).singleElement().satisfies(e -> {
            assertThat(e.getCount()).isEqualTo(3);
            assertThat(e.getFirstTimestamp()).isEqualTo("2026-01-01T00:00:00Z");
            assertThat(e.getLastTimestamp()).isEqualTo("2026-01-01T00:00:30Z");
        });
        assertThat(server.calls.get(1)).contains("{\"count\":2,\"lastTimestamp\":\"2026-01-01T00:00:30Z\"");
    }

    @Test
    void givenDifferentEventsInOneInstant_whenRecorded_thenEachHasAName() {
        recorder.normal(pod, "Scheduled", "a");
        recorder.normal(pod, "Pulled", "b");
        new ClientEventRecorder(driver, server, "kubelet", "n1").normal(pod, "Started", "c");

        assertThat(events()).hasSize(3);
        assertThat(recorder.dropped()).isZero();
    }

    @Test
    void givenTenSimilarEvents_whenRecorded_thenTheTenthAndLaterAreCombined() {
        for (int i = 0; i < 12; i++) {
            recorder.warning(pod, "FailedScheduling", "message " + i);
            driver.advance(Duration.ofSeconds(1));
        }

        assertThat(events()).hasSize(10).last().satisfies(e -> {
            assertThat(e.getMessage()).isEqualTo("(combined from similar events): message 11");
            assertThat(e.getCount()).isEqualTo(3);
        });
    }

    @Test
    void givenAFlood_whenTwentyFiveAreWritten_thenOneFollowsEveryFiveMinutes() {
        for (int i = 0; i < 100; i++) {
            recorder.normal(pod, "Reason" + i, "m");
        }
        assertThat(events()).hasSize(25);

        driver.advance(Duration.ofMinutes(5));
        recorder.normal(pod, "Later", "m");
        recorder.normal(pod, "Latest", "m");

        assertThat(events()).hasSize(26);
    }

    @Test
    void givenNoAnswer_whenTheServerComesBack_thenAllIsWrittenInOrder() {
        server.failNext(MemoryClient.noAnswer(), MemoryClient.noAnswer());
        recorder.normal(pod, "First", "m");
        recorder.normal(pod, "Second", "m");
        assertThat(events()).isEmpty();

        driver.advance(Duration.ofSeconds(20));

        assertThat(events()).extracting(Event::getReason).containsExactlyInAnyOrder("First", "Second");
        assertThat(server.calls.get(2)).startsWith("create events shop/web-1.");
        assertThat(server.calls).hasSize(4);
    }

    @Test
    void givenNoAnswerForLong_whenTwelveTriesFailed_thenTheEventIsGivenUp() {
        ApiException[] failures = new ApiException[12];
        Arrays.setAll(failures, i -> MemoryClient.noAnswer());
        server.failNext(failures);
        recorder.normal(pod, "First", "m");
        recorder.normal(pod, "Second", "m");

        driver.advance(Duration.ofMinutes(3));

        assertThat(events()).extracting(Event::getReason).containsExactly("Second");
        assertThat(recorder.dropped()).isEqualTo(1);
    }

    @Test
    void givenARefusal_whenRecorded_thenItIsNotTriedAgain() {
        server.failNext(MemoryClient.refusal(403, "Forbidden"));
        recorder.normal(pod, "First", "m");

        driver.advance(Duration.ofMinutes(3));

        assertThat(server.calls).hasSize(1);
        assertThat(recorder.dropped()).isEqualTo(1);
    }

    @Test
    void givenMoreThanFit_whenNobodyWrites_thenTheRestIsDroppedAndCounted() {
        for (int i = 0; i < 10_200; i++) {
            recorder.normal(pod, "Reason" + i, "m");
        }

        assertThat(recorder.dropped()).isEqualTo(200);
    }

    @Test
    void givenAnEventTheServerForgot_whenItRepeats_thenItIsCreatedAnew() {
        recorder.normal(pod, "Pulled", "same");
        Event first = events().get(0);
        server.delete(EVENTS, "shop", first.getMetadata().getName(), new DeleteOptions());

        recorder.normal(pod, "Pulled", "same");

        assertThat(events())
                .singleElement()
                .satisfies(e -> assertThat(e.getCount()).isEqualTo(2));
    }
}
