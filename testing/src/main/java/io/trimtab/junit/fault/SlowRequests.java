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
 * Instead of {@code @Test}: runs the test once as it is, then again and again with this fault: requests take up to 3 s, while others act. Finds decisions that are carried out when they are no longer right.
 *
 * @see Fault#SLOW_REQUESTS
 * @since 0.1
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(FaultRuns.class)
@Strikes(Fault.SLOW_REQUESTS)
public @interface SlowRequests {
    /** How many runs with faults there are, each of a seed of its own. */
    int runs() default 10;
}
