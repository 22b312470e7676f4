package io.trimtab.controllers.cronjob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScheduleTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "* * * * * | 2026-01-01T00:00:30Z | 2026-01-01T00:01:00Z",
                "*/15 * * * * | 2026-01-01T00:50:00Z | 2026-01-01T01:00:00Z",
                "30 6 * * mon-fri | 2026-01-02T06:30:00Z | 2026-01-05T06:30:00Z",
                "0 0 29 feb * | 2026-01-01T00:00:00Z | 2028-02-29T00:00:00Z",
                "0 0 13 * 5 | 2026-01-03T00:00:00Z | 2026-01-09T00:00:00Z",
                "0 12 * * 7 | 2026-01-01T00:00:00Z | 2026-01-04T12:00:00Z",
                "@hourly | 2026-01-01T00:00:00Z | 2026-01-01T01:00:00Z",
                "@every 1h30m | 2026-01-01T00:00:00Z | 2026-01-01T01:30:00Z",
                "TZ=Europe/Berlin 0 8 * * * | 2026-01-01T00:00:00Z | 2026-01-01T07:00:00Z",
            })
    void givenASchedule_whenAskedForTheNextTime_thenTheFirstAfter(String text, String after, String next) {
        assertThat(Schedule.parse(text, ZoneOffset.UTC).next(Instant.parse(after)))
                .isEqualTo(Instant.parse(next));
    }

    @Test
    void givenClocksThatLeaveAnHourOut_whenAsked_thenThatDayIsSkipped() {
        Schedule schedule = Schedule.parse("30 2 * * *", ZoneId.of("Europe/Berlin"));

        assertThat(schedule.next(Instant.parse("2026-03-28T12:00:00Z"))).isEqualTo("2026-03-30T00:30:00Z");
    }

    @Test
    void givenMissedTimes_whenCounted_thenTheLatestIsKnown() {
        Schedule.Due due = Schedule.parse("*/10 * * * *", ZoneOffset.UTC)
                .due(Instant.parse("2026-01-01T00:00:00Z"), Instant.parse("2026-01-01T01:05:00Z"));

        assertThat(due.latest()).isEqualTo("2026-01-01T01:00:00Z");
        assertThat(due.count()).isEqualTo(6);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "* * * *", "60 * * * *", "* * 0 * *", "5-1 * * * *", "*/0 * * * *", "@never", "a * * * *"})
    void givenNonsense_whenRead_thenRefused(String text) {
        assertThatThrownBy(() -> Schedule.parse(text, ZoneOffset.UTC)).isInstanceOf(IllegalArgumentException.class);
    }
}
