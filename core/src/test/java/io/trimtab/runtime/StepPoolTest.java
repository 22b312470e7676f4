package io.trimtab.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class StepPoolTest {
    private static final int AT_A_TIME = 3;

    private final ScheduledThreadPoolExecutor watch = new ScheduledThreadPoolExecutor(1);
    private final AtomicInteger names = new AtomicInteger();
    private final StepPool pool = new StepPool(AT_A_TIME, () -> "test-" + names.getAndIncrement(), watch);

    @AfterEach
    void close() {
        pool.shutdownNow();
        watch.shutdownNow();
    }

    @Test
    void givenManySteps_whenNoneWaits_thenFewThreadsRunThemAll() throws Exception {
        CountDownLatch done = new CountDownLatch(10_000);
        for (int i = 0; i < 10_000; i++) {
            pool.execute(done::countDown);
        }
        done.await();
        assertThat(names.get()).isLessThanOrEqualTo(AT_A_TIME);
    }

    @Test
    void givenOneThread_whenStepsCome_thenTheyRunInTheirOrder() throws Exception {
        StepPool one = new StepPool(1, () -> "one", watch);
        List<Integer> order = new ArrayList<>();
        CountDownLatch done = new CountDownLatch(100);
        for (int i = 0; i < 100; i++) {
            int number = i;
            one.execute(() -> {
                order.add(number);
                done.countDown();
            });
        }
        done.await();
        assertThat(order).hasSize(100).isSorted();
        one.shutdownNow();
    }

    @Test
    void givenAsManyStepsThatWaitAsThereMayBeThreads_whenWhatTheyWaitForIsAStep_thenAllGoOn() throws Exception {
        CompletableFuture<Void> released = new CompletableFuture<>();
        int waiters = StepPool.MAX_THREADS - 1;
        CountDownLatch waiting = new CountDownLatch(waiters);
        CountDownLatch done = new CountDownLatch(waiters);
        for (int i = 0; i < waiters; i++) {
            pool.execute(() -> {
                StepPool.beginWait();
                try {
                    waiting.countDown();
                    released.join();
                } finally {
                    StepPool.endWait();
                }
                done.countDown();
            });
        }
        waiting.await();
        pool.execute(() -> released.complete(null));
        done.await();
    }

    @Test
    void givenStepsThatBlockAndDoNotSaySo_whenOthersCome_thenTheyAreLetInAfterAWhile() throws Exception {
        CountDownLatch released = new CountDownLatch(1);
        for (int i = 0; i < 5 * AT_A_TIME; i++) {
            pool.execute(() -> {
                try {
                    released.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
        }
        CountDownLatch ran = new CountDownLatch(1);
        pool.execute(ran::countDown);
        ran.await();
        released.countDown();
    }

    @Test
    void givenStepsThatRun_whenThePoolIsShutDown_thenTheyAreInterruptedAndItEnds() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        pool.execute(() -> {
            begun.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
        });
        begun.await();
        pool.shutdownNow();
        interrupted.await();
        assertThat(pool.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
        assertThat(pool.isTerminated()).isTrue();
    }
}
