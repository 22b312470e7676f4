package io.trimtab.josdk;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

class ArrowsTest {
    @Test
    void givenThisModule_whenItImportsOthers_thenOnlyCore() {
        noClasses()
                .that()
                .resideInAPackage("io.trimtab.josdk")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.trimtab.apiserver..",
                        "io.trimtab.controllers..",
                        "io.trimtab.scheduler..",
                        "io.trimtab.node..",
                        "io.trimtab.standalone..",
                        "io.trimtab.junit..")
                .because("a reconciler of the SDK runs against any API server")
                .check(new ClassFileImporter()
                        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                        .importPackages("io.trimtab.josdk"));
    }
}
