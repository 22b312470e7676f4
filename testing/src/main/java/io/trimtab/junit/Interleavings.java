package io.trimtab.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Instead of {@code @Test}: runs the test once in the ordinary order, then again and again in others: another step first, the events
 * of one watch before those of another, somebody else's turn between a read and a write. A run that fails is shrunk to the
 * shortest schedule that still does, which is printed as a test.
 *
 * @since 0.1
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(FaultRuns.class)
public @interface Interleavings {
    /** How many other orders are tried. */
    int runs() default 50;
}
