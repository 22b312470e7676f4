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
 * Instead of {@code @Test}: runs the test once as it is and counts the writes of its programs; then once for each of them with the
 * program dying right before it, and once with it dying right after. The program is started anew at once. Each run must end in
 * the state of the good one.
 *
 * <p>A failure names its run; {@code -Dtrimtab.crash="after 3"} repeats that one only.
 *
 * @since 0.1
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(FaultRuns.class)
public @interface CrashAtEveryWrite {
    /** More writes than this are not looked at. */
    int atMost() default 100;
}
