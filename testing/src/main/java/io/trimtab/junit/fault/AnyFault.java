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
 * Instead of {@code @Test}: runs the test once as it is, then again and again with up to three kinds of faults at a time, which the
 * seed of the run picks. The end state must always be that of the good run.
 *
 * @since 0.1
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(FaultRuns.class)
public @interface AnyFault {
    /** Among which faults; all if empty. */
    Fault[] value() default {};

    /** How many runs with faults there are. */
    int runs() default 30;
}
