package io.trimtab.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Set;

/** The rule that time, threads and randomness come in through the driver only. Needs nothing but ArchUnit, so that any module can keep it. */
public final class RuntimeSeam {

    private static final Set<String> FORBIDDEN_OWNERS = Set.of(
            "java.util.Random",
            "java.util.SplittableRandom",
            "java.util.Timer",
            "java.util.concurrent.Executors",
            "java.util.concurrent.ForkJoinPool",
            "java.util.concurrent.ScheduledThreadPoolExecutor",
            "java.util.concurrent.ThreadLocalRandom",
            "java.util.concurrent.ThreadPoolExecutor",
            "java.security.SecureRandom",
            "java.security.KeyPairGenerator");

    private static final Set<String> FORBIDDEN_CALLS = Set.of(
            "java.lang.Math.random",
            "java.lang.System.currentTimeMillis",
            "java.lang.System.nanoTime",
            "java.lang.Thread.<init>",
            "java.lang.Thread.sleep",
            "java.lang.Thread.start",
            "java.time.Clock.systemDefaultZone",
            "java.time.Clock.systemUTC",
            "java.time.Clock.system",
            "java.time.Instant.now",
            "java.time.LocalDate.now",
            "java.time.LocalDateTime.now",
            "java.time.OffsetDateTime.now",
            "java.time.ZonedDateTime.now",
            "java.util.UUID.randomUUID",
            "java.util.concurrent.CompletableFuture.completeOnTimeout",
            "java.util.concurrent.CompletableFuture.delayedExecutor",
            "java.util.concurrent.CompletableFuture.orTimeout",
            "java.util.concurrent.CompletableFuture.runAsync",
            "java.util.concurrent.CompletableFuture.supplyAsync");

    private RuntimeSeam() {}

    /**
     * The rule.
     *
     * @param exempt packages that may break it, as ArchUnit writes them
     */
    public static ArchRule rule(String... exempt) {
        return noClasses()
                .that()
                .resideOutsideOfPackages(exempt)
                .should()
                .accessTargetWhere(breaksTheSeam())
                .as("time, threads and randomness come in through io.trimtab.runtime.Driver")
                .because("a whole cluster must run on one thread in virtual time, and the same seed give the same run:"
                        + " take a Driver in the constructor, and use its now(), schedule(), lane() and random()");
    }

    private static DescribedPredicate<JavaAccess<?>> breaksTheSeam() {
        return DescribedPredicate.describe("a clock, a thread or a source of randomness", access -> {
            String owner = access.getTargetOwner().getFullName();
            return FORBIDDEN_OWNERS.contains(owner)
                    || FORBIDDEN_CALLS.contains(owner + "." + access.getTarget().getName());
        });
    }
}
