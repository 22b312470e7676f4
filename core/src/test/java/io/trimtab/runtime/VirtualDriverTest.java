package io.trimtab.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class VirtualDriverTest extends RuntimeContract {

    @Override
    Driver create() {
        return VirtualDriver.create();
    }

    @Test
    void givenADayOfTimers_whenTimeAdvances_thenEachFiresAtItsMoment() {
        VirtualDriver driver = VirtualDriver.create();
        List<Duration> fired = new ArrayList<>();
        Runnable[] tick = new Runnable[1];
        tick[0] = () -> {
            fired.add(Duration.between(VirtualDriver.DEFAULT_START, driver.now()));
            driver.schedule(Duration.ofHours(1), tick[0]);
        };
        driver.schedule(Duration.ofHours(1), tick[0]);

        driver.advance(Duration.ofHours(3).plusMinutes(30));

        assertThat(fired).containsExactly(Duration.ofHours(1), Duration.ofHours(2), Duration.ofHours(3));
        assertThat(driver.now()).isEqualTo(VirtualDriver.DEFAULT_START.plus(Duration.ofMinutes(210)));
    }

    @Test
    void givenStepsDueNow_whenSettled_thenTimeDoesNotMove() {
        VirtualDriver driver = VirtualDriver.create();
        AtomicInteger ran = new AtomicInteger();
        driver.execute(() -> driver.execute(ran::incrementAndGet));
        driver.schedule(Duration.ofSeconds(1), ran::incrementAndGet);

        driver.settle();

        assertThat(ran).hasValue(1);
        assertThat(driver.now()).isEqualTo(VirtualDriver.DEFAULT_START);
        assertThat(driver.pending()).singleElement().asString().contains("PT1S");
    }

    @Test
    void givenACondition_whenItHolds_thenTimeStopsThere() {
        VirtualDriver driver = VirtualDriver.create();
        AtomicInteger ticks = new AtomicInteger();
        Runnable[] tick = new Runnable[1];
        tick[0] = () -> {
            ticks.incrementAndGet();
            driver.schedule(Duration.ofSeconds(1), tick[0]);
        };
        driver.execute(tick[0]);

        assertThat(driver.runUntil(() -> ticks.get() == 5, Duration.ofMinutes(1)))
                .isTrue();
        assertThat(driver.nanoTime()).isEqualTo(Duration.ofSeconds(4).toNanos());
        assertThat(driver.runUntil(() -> false, Duration.ofSeconds(10))).isFalse();
        assertThat(driver.nanoTime()).isEqualTo(Duration.ofSeconds(14).toNanos());
    }

    @Test
    void givenStepsThatBreedSteps_whenSettled_thenTheLivelockIsNamed() {
        VirtualDriver driver = VirtualDriver.create(VirtualDriver.Options.DEFAULT.withMaxStepsPerInstant(20_000));
        Driver.Lane lane = driver.lane("hot");
        Runnable[] again = new Runnable[1];
        again[0] = () -> lane.execute(again[0]);
        lane.execute(again[0]);

        assertThatThrownBy(driver::settle)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("livelock")
                .hasMessageContaining("lane hot: io.trimtab.runtime.VirtualDriverTest");
    }

    @Test
    void givenAFailingStep_whenSettled_thenTheFailureIsKept() {
        VirtualDriver driver = VirtualDriver.create();
        driver.lane("broken").execute(() -> {
            throw new IllegalStateException("expected by the test");
        });

        driver.settle();

        assertThat(driver.failures()).singleElement().satisfies(f -> {
            assertThat(f.lane()).isEqualTo("broken");
            assertThat(f.cause()).hasMessage("expected by the test");
        });
    }

    @Test
    void givenAStepThatAwaits_whenItsLaneHasMore_thenTheyRunAfterItOnly() {
        VirtualDriver driver = VirtualDriver.create();
        Driver.Lane lane = driver.lane("a");
        List<String> seen = new ArrayList<>();
        CompletableFuture<Void> wake = new CompletableFuture<>();
        lane.execute(() -> {
            seen.add("first begins");
            try {
                driver.await(wake, Duration.ofMinutes(1));
            } catch (TimeoutException e) {
                throw new AssertionError(e);
            }
            seen.add("first ends");
        });
        lane.execute(() -> seen.add("second"));
        lane.execute(() -> seen.add("third"));
        driver.schedule(Duration.ofSeconds(5), () -> {
            seen.add("wake");
            wake.complete(null);
        });

        driver.settle();

        assertThat(seen).containsExactly("first begins", "wake", "first ends", "second", "third");
        assertThat(driver.failures()).isEmpty();
    }

    @Test
    void givenAStep_whenItDrives_thenItIsToldNotTo() {
        VirtualDriver driver = VirtualDriver.create();
        driver.execute(driver::settle);

        driver.settle();

        assertThat(driver.failures())
                .singleElement()
                .satisfies(f -> assertThat(f.cause()).hasMessageContaining("await"));
    }

    @Test
    void givenShuffle_whenLanesRun_thenOrdersDifferBySeedButNotWithinALane() {
        List<String> one = shuffled(1);
        assertThat(shuffled(1)).isEqualTo(one);
        assertThat(shuffled(2)).isNotEqualTo(one);
    }

    private static List<String> shuffled(long seed) {
        VirtualDriver driver = VirtualDriver.create(
                VirtualDriver.Options.DEFAULT.withSeed(seed).withShuffle(true));
        List<String> seen = new ArrayList<>();
        for (String name : List.of("a", "b", "c")) {
            Driver.Lane lane = driver.lane(name);
            for (int i = 0; i < 20; i++) {
                String step = name + i;
                lane.execute(() -> seen.add(step));
            }
        }
        driver.settle();
        for (String name : List.of("a", "b", "c")) {
            assertThat(seen.stream().filter(s -> s.startsWith(name)).map(s -> Integer.valueOf(s.substring(1))))
                    .isSorted()
                    .hasSize(20);
        }
        return seen;
    }

    @Test
    void givenAForeignThread_whenItHandsInASteps_thenTheDrivingThreadRunsThem() throws Exception {
        VirtualDriver driver = VirtualDriver.create();
        AtomicInteger ran = new AtomicInteger();
        Thread foreign = new Thread(
                () -> {
                    for (int i = 0; i < 10_000; i++) {
                        driver.execute(() -> {
                            assertThat(Thread.currentThread().getName()).isNotEqualTo("foreign");
                            ran.incrementAndGet();
                        });
                    }
                },
                "foreign");
        foreign.start();
        while (foreign.isAlive()) {
            driver.settle();
        }
        foreign.join();

        driver.settle();

        assertThat(ran).hasValue(10_000);
        assertThat(driver.failures()).isEmpty();
    }

    @Test
    void givenManyCancelledTimers_whenTimePasses_thenTheOthersFire() {
        VirtualDriver driver = VirtualDriver.create();
        AtomicInteger fired = new AtomicInteger();
        List<Driver.Timer> timers = new ArrayList<>();
        for (int i = 1; i <= 10_000; i++) {
            timers.add(driver.schedule(Duration.ofMillis(i), fired::incrementAndGet));
        }
        for (int i = 0; i < timers.size(); i++) {
            if (i % 10 != 0) {
                timers.get(i).cancel();
            }
        }

        driver.advance(Duration.ofSeconds(20));

        assertThat(fired).hasValue(1000);
        assertThat(driver.nextTimer()).isEmpty();
    }

    @Test
    void givenEqualSeeds_whenRandomIsDrawn_thenTheRunsAreEqual() {
        assertThat(VirtualDriver.seeded(7).random().nextLong())
                .isEqualTo(VirtualDriver.seeded(7).random().nextLong());
        assertThat(VirtualDriver.seeded(7).random().nextLong())
                .isNotEqualTo(VirtualDriver.seeded(8).random().nextLong());
    }
}
