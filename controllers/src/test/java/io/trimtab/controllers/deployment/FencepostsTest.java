package io.trimtab.controllers.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.IntOrString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FencepostsTest {

    @ParameterizedTest
    @CsvSource({
        "0%, 0%, 0, 0, 1",
        "39%, 39%, 10, 4, 3",
        ", 39%, 10, 0, 3",
        "39%, , 10, 4, 0",
        ", , 10, 0, 1",
        "25%, 25%, 1, 1, 0",
        "25%, 25%, 4, 1, 1",
        "25%, 25%, 10, 3, 2",
        "2, 1, 10, 2, 1",
    })
    void givenLimits_whenResolved_thenSurgeRoundsUpAndUnavailableDown(
            String surge, String unavailable, int desired, int wantSurge, int wantUnavailable) {
        assertThat(Fenceposts.resolve(value(surge), value(unavailable), desired))
                .isEqualTo(new Fenceposts(wantSurge, wantUnavailable));
    }

    @Test
    void givenNoNumber_whenResolved_thenRefused() {
        assertThatThrownBy(() -> Fenceposts.resolve(new IntOrString("oops"), new IntOrString("39%"), 10))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Fenceposts.resolve(new IntOrString("39%"), new IntOrString("oops"), 10))
                .isInstanceOf(IllegalArgumentException.class);
    }

    static IntOrString value(String text) {
        if (text == null) {
            return null;
        }
        return text.endsWith("%") ? new IntOrString(text) : new IntOrString(Integer.valueOf(text));
    }
}
