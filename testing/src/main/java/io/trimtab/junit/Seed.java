package io.trimtab.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Repeats one run: everything that is random in it comes from this seed. On a test with faults, only the run of this seed is made
 * (after the good one). The system properties {@code trimtab.seed}, {@code trimtab.crash} and {@code trimtab.schedule} override
 * it.
 *
 * @since 0.1
 */
@Documented
@Inherited
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
public @interface Seed {
    long value();

    /** Where a program dies, such as {@code after 3}; empty for nowhere. */
    String crash() default "";

    /** In which order steps run, as a failed search has printed it: {@code 531:2 577:1}; empty for the ordinary one. */
    String schedule() default "";
}
