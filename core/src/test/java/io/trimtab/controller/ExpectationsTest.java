package io.trimtab.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.runtime.VirtualDriver;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ExpectationsTest {
    private final VirtualDriver driver = VirtualDriver.create();
    private final Expectations expectations = new Expectations(driver);
    private final Request web = new Request("shop", "web");

    @Test
    void givenNothingExpected_whenAsked_thenTheControllerMayAct() {
        assertThat(expectations.isSatisfied(web)).isTrue();
        expectations.creationObserved(web);
        expectations.deletionObserved(web, "shop/web-1");
        assertThat(expectations.isSatisfied(web)).isTrue();
    }

    @Test
    void givenExpectedCreations_whenAllAreSeenOrFailed_thenTheControllerMayAct() {
        expectations.expectCreations(web, 3);

        expectations.creationObserved(web);
        assertThat(expectations.isSatisfied(web)).isFalse();
        expectations.lowerCreations(web, 2);

        assertThat(expectations.isSatisfied(web)).isTrue();
    }

    @Test
    void givenTrackedDeletions_whenOneIsToldTwice_thenItCountsOnce() {
        expectations.expectDeletions(web, List.of("shop/a", "shop/b"));

        expectations.deletionObserved(web, "shop/a");
        expectations.deletionObserved(web, "shop/a");
        expectations.deletionObserved(web, "shop/other");
        assertThat(expectations.isSatisfied(web)).isFalse();
        expectations.deletionObserved(web, "shop/b");

        assertThat(expectations.isSatisfied(web)).isTrue();
    }

    @Test
    void givenAnEventThatNeverComes_whenFiveMinutesHavePassed_thenTheControllerMayAct() {
        expectations.expectCreations(web, 1);

        driver.advance(Duration.ofMinutes(5));
        assertThat(expectations.isSatisfied(web)).isFalse();
        driver.advance(Duration.ofNanos(1));

        assertThat(expectations.isSatisfied(web)).isTrue();
    }

    @Test
    void givenADeletedOwner_whenForgotten_thenItsSuccessorStartsClean() {
        expectations.expect(web, 2, 1);

        expectations.forget(web);

        assertThat(expectations.isSatisfied(web)).isTrue();
    }
}
