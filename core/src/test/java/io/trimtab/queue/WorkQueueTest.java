package io.trimtab.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.trimtab.runtime.RealDriver;
import io.trimtab.runtime.VirtualDriver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

class WorkQueueTest {
    private final VirtualDriver driver = VirtualDriver.create();
    private final WorkQueue<String> queue = WorkQueue.create(driver);

    @Test
    void givenAKeyAddedTwice_whenPolled_thenItComesOnce() {
        queue.add("a");
        queue.add("b");
        queue.add("a");

        assertThat(drain()).containsExactly("a", "b");
    }

    @Test
    void givenAKeyInWork_whenAdded_thenItComesAgainAfterDone() {
        queue.add("a");
        assertThat(queue.poll()).isEqualTo("a");
        queue.add("a");
        assertThat(queue.poll()).isNull();

        queue.done("a");

        assertThat(queue.poll()).isEqualTo("a");
        queue.done("a");
        assertThat(queue.poll()).isNull();
        assertThat(queue.inWork()).isZero();
    }

    @Test
    void givenAKeyNotInWork_whenDone_thenItIsAnError() {
        queue.add("a");

        assertThatThrownBy(() -> queue.done("a")).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> queue.done("b")).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void givenPriorities_whenPolled_thenHigherComeFirst() {
        queue.add("resync", WorkQueue.LOW_PRIORITY);
        queue.add("first");
        queue.add("urgent", 10);
        queue.add("second");

        assertThat(drain()).containsExactly("urgent", "first", "second", "resync");
    }

    @Test
    void givenAWaitingKey_whenAddedAtAHigherPriority_thenItMovesUpButNeverDown() {
        queue.add("a", WorkQueue.LOW_PRIORITY);
        queue.add("b");
        queue.add("a", 1);
        queue.add("a", WorkQueue.LOW_PRIORITY);

        assertThat(drain()).containsExactly("a", "b");
    }

    @Test
    void givenALowKeyInWork_whenItFails_thenItStaysLow() {
        queue.add("low", WorkQueue.LOW_PRIORITY);
        queue.poll();
        queue.addRateLimited("low");
        queue.done("low");
        driver.advance(Duration.ofMillis(5));
        queue.add("normal");

        assertThat(drain()).containsExactly("normal", "low");
    }

    @Test
    void givenManyPriorities_whenPolled_thenOrderHolds() {
        for (int i = 0; i < 100; i++) {
            queue.add("k" + i, i % 37);
        }

        List<String> keys = drain();

        assertThat(keys).hasSize(100);
        assertThat(keys.stream().map(k -> -(Integer.parseInt(k.substring(1)) % 37)))
                .isSorted();
    }

    @Test
    void givenDelays_whenTheyAreOver_thenKeysComeInOrderOfDelay() {
        queue.addAfter("late", Duration.ofSeconds(10));
        queue.addAfter("early", Duration.ofSeconds(5));
        queue.addAfter("now", Duration.ZERO);

        assertThat(drain()).containsExactly("now");
        driver.advance(Duration.ofSeconds(5));
        assertThat(drain()).containsExactly("early");
        driver.advance(Duration.ofSeconds(5));
        assertThat(drain()).containsExactly("late");
        assertThat(driver.nextTimer()).isEmpty();
    }

    @Test
    void givenAKeyDelayedTwice_whenTheEarlierIsDue_thenItComesOnce() {
        queue.addAfter("a", Duration.ofSeconds(10));
        queue.addAfter("a", Duration.ofSeconds(2));
        queue.addAfter("a", Duration.ofSeconds(30));

        driver.advance(Duration.ofSeconds(2));
        assertThat(drain()).containsExactly("a");
        driver.advance(Duration.ofMinutes(1));
        assertThat(drain()).isEmpty();
    }

    @Test
    void givenADelayedKey_whenAddedMeanwhile_thenTheDelayStands() {
        queue.addAfter("a", Duration.ofSeconds(10));
        queue.add("a");

        assertThat(drain()).containsExactly("a");
        driver.advance(Duration.ofSeconds(10));
        assertThat(drain()).containsExactly("a");
    }

    @Test
    void givenFailures_whenAddedRateLimited_thenDelaysDoubleUntilForgotten() {
        List<Duration> delays = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            queue.addRateLimited("a");
            delays.add(Duration.between(driver.now(), driver.nextTimer().orElseThrow()));
            driver.advance(Duration.ofSeconds(1));
            drain();
        }
        assertThat(delays)
                .containsExactly(
                        Duration.ofMillis(5), Duration.ofMillis(10), Duration.ofMillis(20), Duration.ofMillis(40));
        assertThat(queue.numRequeues("a")).isEqualTo(4);

        queue.forget("a");

        assertThat(queue.numRequeues("a")).isZero();
    }

    @Test
    void givenACallback_whenKeysBecomeReady_thenItIsToldEachTime() {
        AtomicInteger wakes = new AtomicInteger();
        queue.add("before");
        queue.onReady(wakes::incrementAndGet);
        assertThat(wakes).hasValue(1);

        queue.add("a");
        queue.add("a");
        assertThat(wakes).hasValue(2);
        queue.poll();
        queue.add("before");
        assertThat(wakes).hasValue(2);
        queue.done("before");
        assertThat(wakes).hasValue(3);
        queue.addAfter("later", Duration.ofSeconds(1));
        driver.advance(Duration.ofSeconds(1));
        assertThat(wakes).hasValue(4);
    }

    @Test
    void givenAShutDownQueue_whenAdded_thenOnlyWhatWaitedIsHandedOut() {
        queue.add("a");
        queue.addAfter("delayed", Duration.ofSeconds(1));
        queue.shutDown();
        queue.add("b");
        driver.advance(Duration.ofSeconds(2));

        assertThat(queue.isShutDown()).isTrue();
        assertThat(drain()).containsExactly("a");
        assertThat(queue.delayed()).isZero();
    }

    @Test
    void givenKeysInWork_whenShutDownWithDrain_thenItEndsWithTheLastOne() {
        queue.add("a");
        queue.add("b");
        queue.poll();

        CompletableFuture<Void> drained = queue.shutDownWithDrain();
        queue.done("a");
        assertThat(drained).isNotDone();
        queue.poll();
        queue.done("b");

        assertThat(drained).isCompleted();
    }

    @Test
    void givenAnIdleQueue_whenShutDownWithDrain_thenItEndsAtOnce() {
        assertThat(queue.shutDownWithDrain()).isCompleted();
    }

    @Test
    void givenMetrics_whenKeysPass_thenTheyAreCounted() {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        WorkQueue<String> measured = WorkQueue.create(
                driver, RateLimiters.controllerDefault(driver), new MicrometerQueueMetrics(registry, "test"));
        measured.add("a");
        measured.add("a");
        measured.add("b");
        driver.advance(Duration.ofSeconds(3));
        measured.poll();
        driver.advance(Duration.ofSeconds(2));

        assertThat(registry.get("workqueue.depth").gauge().value()).isEqualTo(1);
        assertThat(registry.get("workqueue.adds").functionCounter().count()).isEqualTo(2);
        assertThat(registry.get("workqueue.unfinished.work.seconds").gauge().value())
                .isEqualTo(2);
        measured.done("a");
        assertThat(registry.get("workqueue.queue.duration").timer().totalTime(TimeUnit.SECONDS))
                .isEqualTo(3);
        assertThat(registry.get("workqueue.work.duration").timer().totalTime(TimeUnit.SECONDS))
                .isEqualTo(2);
    }

    @Test
    void givenManyThreads_whenTheyAddAndWork_thenNoKeyIsLostNorWorkedOnTwiceAtOnce() throws Exception {
        int keys = 50;
        int adders = 4;
        int workers = 4;
        int addsEach = 50_000;
        AtomicIntegerArray wanted = new AtomicIntegerArray(keys); // the newest change of each key
        AtomicIntegerArray seen = new AtomicIntegerArray(keys); // the newest change that a worker saw
        AtomicIntegerArray working = new AtomicIntegerArray(keys);
        AtomicInteger overlaps = new AtomicInteger();
        try (RealDriver real = RealDriver.create("test")) {
            WorkQueue<Integer> shared = WorkQueue.create(real);
            CountDownLatch added = new CountDownLatch(adders);
            CountDownLatch ended = new CountDownLatch(workers);
            for (int t = 0; t < adders; t++) {
                int seed = t;
                real.execute(() -> {
                    for (int i = 0; i < addsEach; i++) {
                        int key = (i * 31 + seed * 17) % keys;
                        wanted.incrementAndGet(key);
                        shared.add(key, i % 3);
                    }
                    added.countDown();
                });
            }
            for (int t = 0; t < workers; t++) {
                real.execute(() -> {
                    while (true) {
                        Integer key = shared.poll();
                        if (key == null) {
                            if (shared.isShutDown()) {
                                break;
                            }
                            Thread.onSpinWait();
                            continue;
                        }
                        if (working.incrementAndGet(key) != 1) {
                            overlaps.incrementAndGet();
                        }
                        seen.set(key, wanted.get(key));
                        working.decrementAndGet(key);
                        shared.done(key);
                    }
                    ended.countDown();
                });
            }
            assertThat(added.await(60, TimeUnit.SECONDS)).isTrue();
            shared.shutDownWithDrain().get(60, TimeUnit.SECONDS);
            assertThat(ended.await(60, TimeUnit.SECONDS)).isTrue();
        }

        assertThat(overlaps).hasValue(0);
        for (int key = 0; key < keys; key++) {
            assertThat(seen.get(key)).as("key %d", key).isEqualTo(wanted.get(key));
        }
    }

    private List<String> drain() {
        List<String> keys = new ArrayList<>();
        for (String key = queue.poll(); key != null; key = queue.poll()) {
            keys.add(key);
            queue.done(key);
        }
        return keys;
    }
}
