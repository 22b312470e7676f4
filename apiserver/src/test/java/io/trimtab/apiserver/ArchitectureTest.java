package io.trimtab.apiserver;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
    private static final JavaClasses SERVER = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.trimtab.apiserver");

    private static final Set<String> FORBIDDEN_OWNERS = Set.of(
            "java.util.Random",
            "java.util.Timer",
            "java.util.concurrent.Executors",
            "java.util.concurrent.ForkJoinPool",
            "java.util.concurrent.ScheduledThreadPoolExecutor",
            "java.util.concurrent.ThreadLocalRandom",
            "java.util.concurrent.ThreadPoolExecutor");

    private static final Set<String> FORBIDDEN_CALLS = Set.of(
            "java.lang.Math.random",
            "java.lang.System.currentTimeMillis",
            "java.lang.System.nanoTime",
            "java.lang.Thread.<init>",
            "java.lang.Thread.sleep",
            "java.lang.Thread.start",
            "java.time.Clock.systemDefaultZone",
            "java.time.Clock.systemUTC",
            "java.time.Instant.now",
            "java.time.LocalDateTime.now",
            "java.time.OffsetDateTime.now",
            "java.time.ZonedDateTime.now",
            "java.util.UUID.randomUUID",
            "java.util.concurrent.CompletableFuture.orTimeout",
            "java.util.concurrent.CompletableFuture.runAsync",
            "java.util.concurrent.CompletableFuture.supplyAsync");

    @Test
    void timeThreadsAndRandomnessComeInThroughTheDriver() {
        noClasses()
                .should()
                .accessTargetWhere(DescribedPredicate.describe(
                        "a clock, a thread or a source of randomness", access -> {
                            String owner = access.getTargetOwner().getFullName();
                            return FORBIDDEN_OWNERS.contains(owner)
                                    || FORBIDDEN_CALLS.contains(
                                            owner + "." + access.getTarget().getName());
                        }))
                .because("a whole cluster must run on one thread in virtual time, and the same seed give the same run:"
                        + " take a Driver in the constructor")
                .check(SERVER);
    }

    @Test
    void secretsAreDrawnByCertificatesTokensAndEncryptionOnly() {
        noClasses()
                .that()
                .resideOutsideOfPackages(
                        "io.trimtab.apiserver.certificates..",
                        "io.trimtab.apiserver.tokens..",
                        "io.trimtab.apiserver.encryption..")
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.security.SecureRandom")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.security.KeyPairGenerator")
                .because("keys must not be guessed, so they cannot come from a seed; all else must come from one")
                .check(SERVER);
    }

    @Test
    void theServerTakesOnlyTheSelectorEngineAndTheRuntimeFromCore() {
        noClasses()
                .that()
                .resideOutsideOfPackage("io.trimtab.apiserver.injvm..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.trimtab.client..",
                        "io.trimtab.controller..",
                        "io.trimtab.events..",
                        "io.trimtab.informer..",
                        "io.trimtab.leader..",
                        "io.trimtab.ownership..",
                        "io.trimtab.queue..",
                        "io.trimtab.selector.model..")
                .because(
                        "the server must not know who calls it; the in-JVM client, which serves core, is the one exception")
                .check(SERVER);
    }
}
