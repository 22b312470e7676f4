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
 * Instead of {@code @Test}: runs the test once as it is, then again and again with this fault: the program cannot reach the API server for up to 20 s. Finds programs that give up.
 *
 * @see Fault#PARTITIONS
 * @since 0.1
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(FaultRuns.class)
@Strikes(Fault.PARTITIONS)
public @interface Partitions {
    /** How many runs with faults there are, each of a seed of its own. */
    int runs() default 10;
}
