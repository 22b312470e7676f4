package io.trimtab.josdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javaoperatorsdk.operator.api.config.LeaderElectionConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.MaxReconciliationInterval;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.rate.LinearRateLimiter;
import io.javaoperatorsdk.operator.processing.event.rate.RateLimited;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.polling.PerResourcePollingConfigurationBuilder;
import io.javaoperatorsdk.operator.processing.event.source.polling.PerResourcePollingEventSource;
import io.javaoperatorsdk.operator.processing.event.source.polling.PollingConfigurationBuilder;
import io.javaoperatorsdk.operator.processing.event.source.polling.PollingEventSource;
import io.javaoperatorsdk.operator.processing.event.source.timer.TimerEventSource;
import io.javaoperatorsdk.operator.processing.expectation.ExpectationManager;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What of the SDK follows the driver's clock, and that the rest is refused. */
@TrimtabCluster
class VirtualTimeTest {
    /** When it was called. */
    private abstract static class Noting implements Reconciler<WebPage> {
        final Cluster cluster;
        final List<Instant> looks = new ArrayList<>();

        Noting(Cluster cluster) {
            this.cluster = cluster;
        }

        @Override
        public UpdateControl<WebPage> reconcile(WebPage page, Context<WebPage> context) {
            looks.add(cluster.now());
            return UpdateControl.noUpdate();
        }
    }

    private static JosdkOperator.Builder operator(Cluster cluster) {
        cluster.apply(WebPage.DEFINITION).settle();
        return JosdkOperator.builder(cluster.client(), cluster.driver());
    }

    private static void run(Cluster cluster, JosdkOperator.Builder operator) {
        cluster.parts().manager().add(operator.build());
        cluster.settle();
    }

    private static WebPage page(Cluster cluster) {
        WebPage page = cluster.create(WebPage.named("hello", ""));
        cluster.settle();
        return page;
    }

    /** Asks a service for the number of visitors of all pages. */
    @ControllerConfiguration
    static final class Polling extends Noting {
        final List<Instant> polls = new ArrayList<>();

        Polling(Cluster cluster) {
            super(cluster);
        }

        @Override
        public List<EventSource<?, WebPage>> prepareEventSources(EventSourceContext<WebPage> context) {
            return List.of(new PollingEventSource<String, WebPage, String>(
                    String.class,
                    new PollingConfigurationBuilder<String, String>(this::fetch, Duration.ofMinutes(10))
                            .withResourceIDMapper(text -> "visitors")
                            .build()));
        }

        private Map<ResourceID, Set<String>> fetch() {
            polls.add(cluster.now());
            return Map.of(new ResourceID("hello", "default"), Set.of("visitors " + polls.size() / 3));
        }
    }

    @Test
    void givenAPollingSource_whenAnHourPasses_thenItHasPolledSixTimesAndToldOfWhatIsNew(Cluster cluster) {
        Polling reconciler = new Polling(cluster);
        Instant start = cluster.now();
        run(cluster, operator(cluster).register(reconciler));
        page(cluster);
        assertThat(reconciler.looks).containsExactly(start);

        cluster.advance(Duration.ofHours(1));

        assertThat(reconciler.polls)
                .containsExactlyElementsOf(java.util.stream.IntStream.rangeClosed(0, 6)
                        .mapToObj(i -> start.plusSeconds(600L * i))
                        .toList());
        assertThat(reconciler.looks).containsExactly(start, start.plusSeconds(1200), start.plusSeconds(3000));
    }

    /** Asks a service for the number of visitors of each page. */
    @ControllerConfiguration
    static final class PollingEach extends Noting {
        final List<Instant> polls = new ArrayList<>();

        PollingEach(Cluster cluster) {
            super(cluster);
        }

        @Override
        public List<EventSource<?, WebPage>> prepareEventSources(EventSourceContext<WebPage> context) {
            return List.of(new PerResourcePollingEventSource<String, WebPage, String>(
                    String.class,
                    context,
                    new PerResourcePollingConfigurationBuilder<String, WebPage, String>(
                                    page -> {
                                        polls.add(cluster.now());
                                        return Set.of("visitors " + polls.size());
                                    },
                                    Duration.ofMinutes(1))
                            .withResourceIDMapper(text -> "visitors")
                            .build()));
        }
    }

    @Test
    void givenAPollerOfEachResource_whenSixPeriodsPassAndTheResourceGoes_thenItHasPolledSixTimes(Cluster cluster) {
        PollingEach reconciler = new PollingEach(cluster);
        run(cluster, operator(cluster).register(reconciler));
        Instant start = cluster.now();
        WebPage page = page(cluster);

        cluster.advance(Duration.ofMinutes(6));
        assertThat(reconciler.polls)
                .containsExactlyElementsOf(java.util.stream.IntStream.rangeClosed(1, 6)
                        .mapToObj(i -> start.plusSeconds(60L * i))
                        .toList());
        assertThat(reconciler.looks).hasSize(7);

        cluster.delete(page).settle().advance(Duration.ofMinutes(6));
        assertThat(reconciler.polls).hasSize(6);
    }

    @RateLimited(maxReconciliations = 2, within = 10, unit = TimeUnit.MINUTES)
    static final class Limited extends Noting {
        Limited(Cluster cluster) {
            super(cluster);
        }
    }

    @Test
    void givenALimit_whenAResourceChangesOften_thenTheRestWaitsForTheNextPeriod(Cluster cluster) {
        Limited reconciler = new Limited(cluster);
        run(cluster, operator(cluster).register(reconciler));
        Instant start = cluster.now();
        WebPage page = page(cluster);
        for (int i = 0; i < 5; i++) {
            String html = "version " + i;
            cluster.edit(page, p -> p.getSpec().html = html);
            cluster.settle();
        }
        assertThat(reconciler.looks).containsExactly(start, start);

        cluster.advance(Duration.ofMinutes(9));
        assertThat(reconciler.looks).hasSize(2);

        cluster.advance(Duration.ofMinutes(15));
        assertThat(reconciler.looks).hasSize(3);
        assertThat(reconciler.looks.get(2)).isAfter(start.plusSeconds(600));
    }

    @MaxReconciliationInterval(interval = 10, timeUnit = TimeUnit.MINUTES)
    @ControllerConfiguration(
            maxReconciliationInterval = @MaxReconciliationInterval(interval = 10, timeUnit = TimeUnit.MINUTES))
    static final class Often extends Noting {
        Often(Cluster cluster) {
            super(cluster);
        }
    }

    @Test
    void givenALongestInterval_whenAnHourPasses_thenItHasLookedSixTimesMore(Cluster cluster) {
        Often reconciler = new Often(cluster);
        run(cluster, operator(cluster).register(reconciler));
        page(cluster);
        cluster.advance(Duration.ofHours(1));

        assertThat(reconciler.looks).hasSize(7);
    }

    /** Sets a timer of its own. */
    @ControllerConfiguration
    static final class WithTimer extends Noting {
        private final TimerEventSource<WebPage> timer = new TimerEventSource<>("timer", false);

        WithTimer(Cluster cluster) {
            super(cluster);
        }

        @Override
        public List<EventSource<?, WebPage>> prepareEventSources(EventSourceContext<WebPage> context) {
            @SuppressWarnings({"unchecked", "rawtypes"}) // as the SDK has it
            EventSource<?, WebPage> source = (EventSource) timer;
            return List.of(source);
        }

        @Override
        public UpdateControl<WebPage> reconcile(WebPage page, Context<WebPage> context) {
            if (looks.isEmpty()) {
                timer.scheduleOnce(page, Duration.ofMinutes(30).toMillis());
            }
            return super.reconcile(page, context);
        }
    }

    @Test
    void givenATimerSource_whenItsTimeComes_thenTheReconcilerLooksAgain(Cluster cluster) {
        WithTimer reconciler = new WithTimer(cluster);
        run(cluster, operator(cluster).register(reconciler));
        Instant start = cluster.now();
        page(cluster);
        cluster.advance(Duration.ofHours(1));

        assertThat(reconciler.looks).containsExactly(start, start.plusSeconds(1800));
    }

    static final class Expecting extends Noting {
        final ExpectationManager<WebPage> expectations = new ExpectationManager<>();

        Expecting(Cluster cluster) {
            super(cluster);
        }
    }

    static final class OwnLimiter extends LinearRateLimiter {}

    static final class Plain extends Noting {
        Plain(Cluster cluster) {
            super(cluster);
        }
    }

    @Test
    void givenWhatFollowsTheWallClock_whenAnOperatorStarts_thenItIsRefused(Cluster cluster) {
        assertThatThrownBy(() -> operator(cluster)
                        .register(new Plain(cluster))
                        .configure(c ->
                                c.withLeaderElectionConfiguration(new LeaderElectionConfiguration("me", "default")))
                        .build()
                        .start())
                .hasMessageContaining("leader election follows the wall clock");
        assertThatThrownBy(() -> operator(cluster)
                        .register(new Expecting(cluster))
                        .build()
                        .start())
                .hasMessageContaining("Expecting.expectations: expectations time out by the wall clock");
        assertThatThrownBy(() -> operator(cluster)
                        .register(new Plain(cluster), c -> c.withRateLimiter(new OwnLimiter()))
                        .build()
                        .start())
                .hasMessageContaining("OwnLimiter counts by the wall clock");
    }
}
