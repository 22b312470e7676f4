package io.trimtab.junit.fault;

import io.trimtab.junit.FaultRuns;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Instead of {@code @Test}: runs the test once as it is, then again and again with this fault: events of one watch come up to 5 s after those of others. Finds controllers that take two caches for one snapshot.
 *
 * @see Fault#LATE_EVENTS
 * @since 0.1
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(FaultRuns.class)
@Strikes(Fault.LATE_EVENTS)
public @interface LateWatchEvents {
    /** How many runs with faults there are, each of a seed of its own. */
    int runs() default 10;
}
