package io.trimtab.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every driver promises. */
abstract class RuntimeContract {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private Driver driver;

    abstract Driver create();

    @BeforeEach
    void open() {
        driver = create();
    }

    @AfterEach
    void close() {
        driver.close();
    }

    @Test
    void givenAStep_whenExecuted_thenItRunsButNotOnTheCallersStack() throws Exception {
        CompletableFuture<StackTraceElement[]> ran = new CompletableFuture<>();

        Thread caller = Thread.currentThread();
        AtomicBoolean returned = new AtomicBoolean();
        driver.execute(() -> {
            if (Thread.currentThread() == caller) {
                assertThat(returned).isTrue();
            }
            ran.complete(new StackTraceElement[0]);
        });
        returned.set(true);

        driver.await(ran, LIMIT);
    }

    @Test
    void givenAFailingStep_whenOthersFollow_thenTheyRun() throws Exception {
        Driver.Lane lane = driver.lane("test");
        CompletableFuture<String> ran = new CompletableFuture<>();

        lane.execute(() -> {
            throw new IllegalStateException("expected by the test");
        });
        lane.execute(() -> ran.complete("yes"));

        assertThat(driver.await(ran, LIMIT)).isEqualTo("yes");
    }

    @Test
    void givenManySteps_whenHandedToALane_thenTheyRunInOrderOneAtATime() throws Exception {
        Driver.Lane lane = driver.lane("test");
        List<Integer> seen = new ArrayList<>(); // unguarded on purpose: the lane makes it safe
        AtomicInteger inside = new AtomicInteger();
        CompletableFuture<Void> done = new CompletableFuture<>();

        for (int i = 0; i < 5000; i++) {
            int number = i;
            lane.execute(() -> {
                assertThat(inside.incrementAndGet()).isEqualTo(1);
                seen.add(number);
                inside.decrementAndGet();
            });
        }
        lane.execute(() -> done.complete(null));

        driver.await(done, LIMIT);
        assertThat(seen).isEqualTo(IntStream.range(0, 5000).boxed().toList());
    }

    @Test
    void givenTimers_whenTheyAreDue_thenTheyRunInOrderOfDueTime() throws Exception {
        List<String> seen = Collections.synchronizedList(new ArrayList<>());
        CompletableFuture<Void> done = new CompletableFuture<>();
        long before = driver.nanoTime();
        Instant wallBefore = driver.now();

        driver.schedule(Duration.ofMillis(120), () -> done.complete(null));
        driver.schedule(Duration.ofMillis(70), () -> seen.add("second"));
        driver.schedule(Duration.ofMillis(20), () -> seen.add("first"));
        driver.await(done, LIMIT);

        assertThat(seen).containsExactly("first", "second");
        assertThat(driver.nanoTime() - before)
                .isGreaterThanOrEqualTo(Duration.ofMillis(120).toNanos());
        assertThat(driver.now()).isAfterOrEqualTo(wallBefore.plusMillis(100));
    }

    @Test
    void givenATimer_whenCancelledInTime_thenItNeverRuns() throws Exception {
        AtomicBoolean ran = new AtomicBoolean();
        CompletableFuture<Void> later = new CompletableFuture<>();

        Driver.Timer timer = driver.schedule(Duration.ofMillis(30), () -> ran.set(true));
        assertThat(timer.cancel()).isTrue();
        assertThat(timer.cancel()).isFalse();
        driver.schedule(Duration.ofMillis(80), () -> later.complete(null));
        driver.await(later, LIMIT);

        assertThat(ran).isFalse();
    }

    @Test
    void givenATimerThatRan_whenCancelled_thenItSaysNo() throws Exception {
        CompletableFuture<Void> ran = new CompletableFuture<>();

        Driver.Timer timer = driver.schedule(Duration.ofMillis(1), () -> ran.complete(null));
        driver.await(ran, LIMIT);

        assertThat(timer.cancel()).isFalse();
    }

    @Test
    void givenADelayOfZeroOrLess_whenScheduled_thenItRunsAtOnce() throws Exception {
        CompletableFuture<Void> zero = new CompletableFuture<>();
        CompletableFuture<Void> negative = new CompletableFuture<>();

        driver.schedule(Duration.ZERO, () -> zero.complete(null));
        driver.schedule(Duration.ofSeconds(-5), () -> negative.complete(null));

        driver.await(CompletableFuture.allOf(zero, negative), LIMIT);
    }

    @Test
    void givenNobodyCompletes_whenAwaited_thenItTimesOut() {
        assertThatThrownBy(() -> driver.await(new CompletableFuture<>(), Duration.ofMillis(30)))
                .isInstanceOf(TimeoutException.class);
    }

    @Test
    void givenAFailedFuture_whenAwaited_thenTheCauseIsThrown() {
        CompletableFuture<Void> failed = CompletableFuture.failedFuture(new IllegalArgumentException("why"));

        assertThatThrownBy(() -> driver.await(failed, LIMIT))
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void givenStepsOfSeveralLanes_whenOneAwaitsAnother_thenBothEnd() throws Exception {
        CompletableFuture<String> inner = new CompletableFuture<>();
        CompletableFuture<String> outer = new CompletableFuture<>();

        driver.lane("outer").execute(() -> {
            try {
                outer.complete(driver.await(inner, LIMIT));
            } catch (TimeoutException e) {
                outer.completeExceptionally(e);
            }
        });
        driver.lane("inner").execute(() -> inner.complete("done"));

        assertThat(driver.await(outer, LIMIT)).isEqualTo("done");
    }

    @Test
    void givenAClosedDriver_whenStepsAreHandedIn_thenTheyAreDropped() {
        Driver.Lane lane = driver.lane("test");
        driver.close();

        driver.execute(() -> {});
        driver.schedule(Duration.ofMillis(1), () -> {}).cancel();
        lane.execute(() -> {});
    }
}
