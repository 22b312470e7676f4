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
 * Instead of {@code @Test}: runs the test once as it is, then again and again with this fault: an object that the test has made is deleted and made anew under the same name while nobody watches. Finds programs that know
 * objects by name: the new one has another UID.
 *
 * @see Fault#RECREATED_OBJECTS
 * @since 0.1
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(FaultRuns.class)
@Strikes(Fault.RECREATED_OBJECTS)
public @interface RecreatedObjects {
    /** How many runs with faults there are, each of a seed of its own. */
    int runs() default 10;
}
