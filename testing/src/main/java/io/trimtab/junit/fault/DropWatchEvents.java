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
 * Instead of {@code @Test}: runs the test once as it is, then again and again with this fault: watches break off, and what happens until they are back is never told as events: informers list anew and see the last state
 * only. Finds controllers that wait for an event which may never come.
 *
 * @see Fault#DROPPED_EVENTS
 * @since 0.1
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(FaultRuns.class)
@Strikes(Fault.DROPPED_EVENTS)
public @interface DropWatchEvents {
    /** How many runs with faults there are, each of a seed of its own. */
    int runs() default 10;
}
