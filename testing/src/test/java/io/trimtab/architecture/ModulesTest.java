package io.trimtab.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The arrows between modules. This module is the only one that sees all classes, so the test is here. */
class ModulesTest {
    private static final String APISERVER = "io.trimtab.apiserver..";
    private static final String CONTROLLERS = "io.trimtab.controllers..";
    private static final String SCHEDULER = "io.trimtab.scheduler..";
    private static final String NODE = "io.trimtab.node..";
    private static final String STANDALONE = "io.trimtab.standalone..";
    private static final String SIMULATE = "io.trimtab.simulate..";
    private static final String JUNIT = "io.trimtab.junit..";

    private static JavaClasses all;

    @BeforeAll
    static void read() {
        all = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("io.trimtab");
    }

    private static void hold(ArchRule rule) {
        rule.check(all);
    }

    @Test
    void givenAllModules_whenRead_thenNoneIsMissing() {
        assertThat(all.stream().map(JavaClass::getPackageName))
                .contains(
                        "io.trimtab.apiserver",
                        "io.trimtab.controllers",
                        "io.trimtab.scheduler",
                        "io.trimtab.node",
                        "io.trimtab.standalone",
                        "io.trimtab.junit",
                        "io.trimtab.controller");
    }

    @Test
    void givenControllersSchedulerAndNodes_whenTheyImport_thenNeverTheApiServer() {
        hold(noClasses()
                .that()
                .resideInAnyPackage(CONTROLLERS, SCHEDULER, NODE)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(APISERVER)
                .because("they run against any API server, so they may know ours by its protocol only"));
    }

    @Test
    void givenControllersSchedulerAndNodes_whenTheyImport_thenNeverEachOther() {
        hold(noClasses()
                .that()
                .resideInAPackage(CONTROLLERS)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(SCHEDULER, NODE)
                .because("components meet in the API server: each must be replaceable by the real one"));
        hold(noClasses()
                .that()
                .resideInAPackage(SCHEDULER)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(CONTROLLERS, NODE)
                .because("components meet in the API server: each must be replaceable by the real one"));
        hold(noClasses()
                .that()
                .resideInAPackage(NODE)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(CONTROLLERS, SCHEDULER)
                .because("components meet in the API server: each must be replaceable by the real one"));
    }

    @Test
    void givenTheApiServer_whenItImportsCore_thenNothingThatKnowsClients() {
        hold(noClasses()
                .that()
                .resideInAPackage(APISERVER)
                .and()
                .resideOutsideOfPackage("io.trimtab.apiserver.injvm..")
                .should()
                .dependOnClassesThat(JavaClass.Predicates.resideInAPackage("io.trimtab..")
                        .and(JavaClass.Predicates.resideOutsideOfPackages(
                                APISERVER,
                                "io.trimtab.selector..",
                                "io.trimtab.runtime..",
                                "io.trimtab.features..",
                                "io.trimtab.encoding..")))
                .because("a server that knew its clients' library would begin to trust it"));
        hold(noClasses()
                .that()
                .resideInAPackage("io.trimtab.apiserver.injvm..")
                .should()
                .dependOnClassesThat(JavaClass.Predicates.resideInAPackage("io.trimtab..")
                        .and(JavaClass.Predicates.resideOutsideOfPackages(
                                APISERVER,
                                "io.trimtab.selector..",
                                "io.trimtab.runtime..",
                                "io.trimtab.features..",
                                "io.trimtab.encoding..",
                                "io.trimtab.client..")))
                .because("the way without a socket implements the client's seam, and nothing above it"));
    }

    @Test
    void givenCore_whenItImports_thenNothingOfOtherModules() {
        hold(noClasses()
                .that()
                .resideInAnyPackage(
                        "io.trimtab.client..",
                        "io.trimtab.controller..",
                        "io.trimtab.events..",
                        "io.trimtab.informer..",
                        "io.trimtab.leader..",
                        "io.trimtab.ownership..",
                        "io.trimtab.queue..",
                        "io.trimtab.runtime..",
                        "io.trimtab.selector..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(APISERVER, CONTROLLERS, SCHEDULER, NODE, STANDALONE, SIMULATE, JUNIT)
                .because("core is what users put into their own programs: it brings no cluster along"));
    }

    @Test
    void givenStandalone_whenImported_thenOnlyByTests() {
        hold(classes()
                .that()
                .resideInAPackage(STANDALONE)
                .should()
                .onlyHaveDependentClassesThat()
                .resideInAnyPackage(STANDALONE, SIMULATE, JUNIT, "io.trimtab.benchmarks..")
                .because("it puts the parts together; a part that knew the whole could not be had alone"));
    }
}
