package io.trimtab.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.runtime.VirtualDriver;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class RateLimitersTest {
    private final VirtualDriver driver = VirtualDriver.create();

    @Test
    void givenManyFailures_whenExponential_thenTheDelayStopsAtTheMaximum() {
        RateLimiter<String> limiter = RateLimiters.exponential(Duration.ofMillis(5), Duration.ofSeconds(1000));

        for (int i = 0; i < 17; i++) {
            limiter.when("a");
        }

        assertThat(limiter.when("a")).isEqualTo(Duration.ofMillis(5L << 17)); // 655.36 s
        assertThat(limiter.when("a")).isEqualTo(Duration.ofSeconds(1000));
        for (int i = 0; i < 2000; i++) {
            limiter.when("a");
        }
        assertThat(limiter.when("a")).isEqualTo(Duration.ofSeconds(1000));
        assertThat(limiter.when("b")).isEqualTo(Duration.ofMillis(5));
    }

    @Test
    void givenABurst_whenTokensAreGone_thenEachWaitsATenthOfASecondMore() {
        RateLimiter<String> limiter = RateLimiters.tokenBucket(driver, 10, 100);

        for (int i = 0; i < 100; i++) {
            assertThat(limiter.when("k" + i)).isZero();
        }

        assertThat(limiter.when("x")).isEqualTo(Duration.ofMillis(100));
        assertThat(limiter.when("y")).isEqualTo(Duration.ofMillis(200));
        driver.advance(Duration.ofMillis(200));
        assertThat(limiter.when("z")).isEqualTo(Duration.ofMillis(100));
    }

    @Test
    void givenTheDefault_whenAKeyFails_thenTheLongerWaitCounts() {
        RateLimiter<String> limiter = RateLimiters.controllerDefault(driver);

        assertThat(limiter.when("a")).isEqualTo(Duration.ofMillis(5));
        for (int i = 0; i < 99; i++) {
            limiter.when("k" + i);
        }
        assertThat(limiter.when("b")).isEqualTo(Duration.ofMillis(100));
        assertThat(limiter.retries("a")).isEqualTo(1);
        limiter.forget("a");
        assertThat(limiter.retries("a")).isZero();
    }
}
