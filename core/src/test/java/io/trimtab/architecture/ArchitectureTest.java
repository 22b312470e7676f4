package io.trimtab.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
    private static final JavaClasses CORE = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.trimtab");

    @Test
    void timeThreadsAndRandomnessComeInThroughTheDriver() {
        RuntimeSeam.rule("io.trimtab.runtime..").check(CORE);
    }

    @Test
    void theRuleSeesWhoBreaksIt() {
        assertThatThrownBy(() -> RuntimeSeam.rule("nobody..").check(CORE))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("RealDriver.nanoTime()")
                .hasMessageContaining("StepThreads");
    }

    @Test
    void theRuntimeNeedsNothing() {
        classes()
                .that()
                .resideInAPackage("io.trimtab.runtime..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "java..",
                        "org.slf4j..",
                        "org.jspecify..",
                        "com.google.errorprone.annotations..",
                        "io.trimtab.runtime..")
                .because("everything else stands on the runtime, the API server included, which takes no client")
                .check(CORE);
    }

    @Test
    void theSelectorEngineNeedsNothing() {
        classes()
                .that()
                .resideInAPackage("io.trimtab.selector")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage("java..", "org.jspecify..", "io.trimtab.selector")
                .because("the API server uses the engine on trees and bytes: it must not pull in the client's model;"
                        + " what reads the model is in io.trimtab.selector.model")
                .check(CORE);
    }

    @Test
    void packagesDependOneWay() {
        slices().matching("io.trimtab.(*)..")
                .should()
                .beFreeOfCycles()
                .because("a reader must be able to understand a package without those that use it")
                .check(CORE);
    }

    @Test
    void theClientKnowsNothingOfCachesAndControllers() {
        noClasses()
                .that()
                .resideInAPackage("io.trimtab.client..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.trimtab.informer..", "io.trimtab.controller..", "io.trimtab.queue..")
                .because("data goes round one way: nobody calls upstream")
                .check(CORE);
    }

    @Test
    void packagesAreNamedAfterWhatTheyHold() {
        noClasses()
                .should()
                .resideInAnyPackage("..util..", "..utils..", "..common..", "..helpers..")
                .because("such names attract everything: name the thing instead")
                .check(CORE);
    }
}
