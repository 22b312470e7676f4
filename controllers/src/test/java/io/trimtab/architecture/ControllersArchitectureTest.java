package io.trimtab.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ControllersArchitectureTest {
    private static final JavaClasses CONTROLLERS = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.trimtab.controllers");

    private static final Set<String> FORBIDDEN_CALLS = Set.of(
            "java.lang.Math.random",
            "java.lang.System.currentTimeMillis",
            "java.lang.System.nanoTime",
            "java.lang.Thread.<init>",
            "java.lang.Thread.sleep",
            "java.time.Instant.now",
            "java.time.LocalDateTime.now",
            "java.time.ZonedDateTime.now",
            "java.util.UUID.randomUUID",
            "java.util.Random.<init>",
            "java.util.concurrent.ThreadLocalRandom.current");

    @Test
    void controllersRunAgainstAnyApiServer() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.trimtab.apiserver..", "io.trimtab.standalone..", "io.trimtab.scheduler..")
                .because("the controllers must work with a Kubernetes API server that is not ours")
                .check(CONTROLLERS);
    }

    @Test
    void timeThreadsAndRandomnessComeInThroughTheDriver() {
        noClasses()
                .should()
                .accessTargetWhere(DescribedPredicate.describe(
                        "a clock, a thread or a source of randomness",
                        (JavaAccess<?> access) -> FORBIDDEN_CALLS.contains(
                                        access.getTargetOwner().getFullName() + "."
                                                + access.getTarget().getName())
                                || access.getTargetOwner().getFullName().equals("java.util.concurrent.Executors")))
                .because("a whole cluster must run on one thread in virtual time: take a Driver in the constructor")
                .check(CONTROLLERS);
    }

    @Test
    void packagesAreNamedAfterWhatTheyHold() {
        noClasses()
                .should()
                .resideInAnyPackage("..util..", "..utils..", "..common..", "..helpers..")
                .because("such names attract everything: name the thing instead")
                .check(CONTROLLERS);
    }
}
