package io.trimtab.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RealDriverTest extends RuntimeContract {

    @Override
    Driver create() {
        return RealDriver.create("test");
    }

    @Test
    void givenABlockedStep_whenTheDriverCloses_thenItIsInterrupted() throws Exception {
        RealDriver driver = RealDriver.create("test");
        CountDownLatch started = new CountDownLatch(1);
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        driver.execute(() -> {
            started.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.complete(true);
            }
        });
        started.await();

        driver.close();

        assertThat(interrupted.get(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void givenMoreBlockedStepsThanProcessors_whenAnotherComes_thenItStillRuns() throws Exception {
        try (RealDriver driver = RealDriver.create("test")) {
            CountDownLatch release = new CountDownLatch(1);
            for (int i = 0; i < 100; i++) {
                driver.execute(() -> {
                    try {
                        release.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
            }
            CompletableFuture<Void> ran = new CompletableFuture<>();

            driver.execute(() -> ran.complete(null));

            driver.await(ran, Duration.ofSeconds(20));
            release.countDown();
        }
    }

    @Test
    void givenMoreStepsThanThreads_whenHandedInAtOnce_thenAllRun() throws Exception {
        try (RealDriver driver = RealDriver.create("test")) {
            CountDownLatch all = new CountDownLatch(50_000);

            for (int i = 0; i < 50_000; i++) {
                driver.execute(all::countDown);
            }

            assertThat(all.await(20, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void givenAStepThatDoesNotEnd_whenBackgroundStepsCome_thenTheyRunInOrderAllTheSame() throws Exception {
        try (RealDriver driver = RealDriver.create("test")) {
            CountDownLatch release = new CountDownLatch(1);
            driver.execute(() -> {
                try {
                    release.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            List<Integer> ran = new CopyOnWriteArrayList<>();
            CompletableFuture<Void> last = new CompletableFuture<>();
            Driver.Lane one = driver.backgroundLane("one");
            Driver.Lane other = driver.backgroundLane("other");

            for (int i = 0; i < 4; i++) {
                int number = i;
                (i % 2 == 0 ? one : other).execute(() -> ran.add(number));
            }
            other.execute(() -> last.complete(null));

            driver.await(last, Duration.ofSeconds(20));
            release.countDown();
            assertThat(ran).containsExactly(0, 1, 2, 3);
        }
    }

    @Test
    void givenNothingElseToDo_whenManyBackgroundStepsCome_thenNoneWaitsForItsTurn() throws Exception {
        try (RealDriver driver = RealDriver.create("test")) {
            CompletableFuture<Void> last = new CompletableFuture<>();
            Driver.Lane lane = driver.backgroundLane("events");
            long start = driver.nanoTime();

            for (int i = 0; i < 5_000; i++) {
                lane.execute(() -> {});
            }
            lane.execute(() -> last.complete(null));

            driver.await(last, Duration.ofSeconds(60));
            // At the pace that they have beside other steps it would be 100 s.
            assertThat(Duration.ofNanos(driver.nanoTime() - start)).isLessThan(Duration.ofSeconds(50));
        }
    }

    @Test
    void givenSeveralDraws_whenRandomIsAsked_thenTheyDiffer() {
        try (RealDriver driver = RealDriver.create("test")) {
            assertThat(driver.random().nextLong()).isNotEqualTo(driver.random().nextLong());
        }
    }
}
