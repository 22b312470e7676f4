package io.trimtab.standalone.cli;

import io.trimtab.encoding.GoDuration;
import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads durations as Go writes them, such as {@code 1h30m}. Stateless. */
final class DurationConverter implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
        return GoDuration.parse(text)
                .filter(duration -> !duration.isNegative())
                .orElseThrow(() -> new TypeConversionException(
                        "\"" + text + "\" is no time; give one such as 5m, 1h30m or 300ms"));
    }
}
