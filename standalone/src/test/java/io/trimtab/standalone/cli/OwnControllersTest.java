package io.trimtab.standalone.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** The commands that run a user's own controllers, with the operator of the examples in archives that the test builds. */
class OwnControllersTest {
    private static final Path OPERATOR = Path.of("..", "examples", "operator", "src", "main");
    private static final String DEFINITIONS =
            OPERATOR.resolve("resources/k8s/websites.yaml").toString();
    private static final String CLASS = "io.trimtab.examples.website.WebSiteController";
    private static final String PROVIDER = "io.trimtab.examples.website.Announced";

    private static final String SITE = """
            apiVersion: examples.trimtab.io/v1
            kind: WebSite
            metadata: {name: shop, namespace: default}
            spec: {image: nginx, replicas: 2, host: shop.example}
            """;

    @TempDir
    private static Path directory;

    private static Path first;
    /** Wants twice as many replicas. */
    private static Path second;

    private static Path announcing;
    private static String site;

    private record Ran(int code, String out, String err) {}

    @BeforeAll
    static void build() throws IOException {
        first = archive("first.jar", text -> text, Map.of());
        second = archive(
                "second.jar",
                text -> text.replace(
                        ".withReplicas(site.getSpec().replicas)", ".withReplicas(2 * site.getSpec().replicas)"),
                Map.of());
        announcing = archive(
                "announcing.jar",
                text -> text.startsWith("package io.trimtab.examples.website;")
                                && text.contains("class WebSiteOperator")
                        ? text.replaceFirst(
                                "(?s)/\\*\\* The operator as a program.*", "public final class WebSiteOperator {}\n")
                        : text,
                Map.of("META-INF/services/io.trimtab.controller.ControllerProvider", PROVIDER + "\n"));
        site = Files.writeString(directory.resolve("site.yaml"), SITE).toString();
    }

    /** Compiles the operator, perhaps changed, and puts it into an archive. */
    private static Path archive(String name, UnaryOperator<String> changed, Map<String, String> more)
            throws IOException {
        Path sources = Files.createDirectories(directory.resolve(name + ".src"));
        Path classes = Files.createDirectories(directory.resolve(name + ".classes"));
        List<String> args =
                new ArrayList<>(List.of("-d", classes.toString(), "-proc:none", "-nowarn", "-cp", classPath()));
        try (Stream<Path> files = Files.walk(OPERATOR.resolve("java"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
                Path to = sources.resolve(file.getFileName().toString());
                Files.writeString(to, changed.apply(Files.readString(file)));
                args.add(to.toString());
            }
        }
        if (!more.isEmpty()) {
            Path to = sources.resolve("Announced.java");
            Files.writeString(to, """
                    package io.trimtab.examples.website;
                    public final class Announced implements io.trimtab.controller.ControllerProvider {
                        @Override
                        public io.trimtab.controller.Controller controller(io.trimtab.controller.Manager manager) {
                            return WebSiteController.controller(manager);
                        }
                    }
                    """);
            args.add(to.toString());
        }
        int result = ToolProvider.getSystemJavaCompiler().run(null, null, null, args.toArray(String[]::new));
        assertThat(result).as("javac of " + name).isZero();
        Path jar = directory.resolve(name);
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out);
                Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                put(
                        entries,
                        classes.relativize(file).toString().replace(File.separatorChar, '/'),
                        Files.readAllBytes(file));
            }
            for (var entry : more.entrySet()) {
                put(entries, entry.getKey(), entry.getValue().getBytes(StandardCharsets.UTF_8));
            }
        }
        return jar;
    }

    private static void put(JarOutputStream entries, String name, byte[] content) throws IOException {
        entries.putNextEntry(new JarEntry(name));
        entries.write(content);
        entries.closeEntry();
    }

    /** Surefire starts the JVM with an archive that names the others. */
    private static String classPath() {
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }

    private static Ran run(Object... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] texts = Stream.of(args).map(String::valueOf).toArray(String[]::new);
        CommandLine line =
                Trimtab.commandLine(texts).setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        return new Ran(line.execute(texts), out.toString(), err.toString().strip());
    }

    private static String told(Object... args) {
        Ran ran = run(args);
        assertThat(ran.code()).as(ran.err()).isZero();
        return ran.out();
    }

    @Test
    void givenAnArchive_whenSimulated_thenItsControllerWorksBesideTheOthers() throws Exception {
        assertThat(getClass().getClassLoader().getResource(CLASS.replace('.', '/') + ".class"))
                .as("only the archive has the controller")
                .isNull();

        JsonNode told = new ObjectMapper()
                .readTree(told(
                        "simulate",
                        "--jar",
                        first,
                        "--controller-class",
                        CLASS,
                        "-f",
                        DEFINITIONS,
                        "-f",
                        site,
                        "--nodes",
                        3,
                        "--for",
                        "2m",
                        "-o",
                        "json"));

        assertThat(told.path("counts").path("ready").asInt()).isEqualTo(2);
        assertThat(told.path("unfinished")).isEmpty();
        assertThat(told.path("writes")
                        .path("website-operator")
                        .path("patch deployments")
                        .asInt())
                .isPositive();
        assertThat(told.path("differences").findValuesAsText("name")).contains("shop", "default.shop");
    }

    @Test
    void givenTwoArchives_whenCompared_thenWhatTheChangeDoesIsMarked() {
        String compared = told(
                "simulate",
                "--controller-class",
                CLASS,
                "-f",
                DEFINITIONS,
                "-f",
                site,
                "--nodes",
                3,
                "--for",
                "2m",
                "--compare",
                first,
                second);

        assertThat(compared)
                .contains("first.jar")
                .contains("second.jar")
                .containsPattern("\\* pods created +2 +4")
                .contains("~ deployments.apps default/shop\n    - spec.replicas: 2\n    + spec.replicas: 4");
    }

    @Test
    void givenARecording_whenReplayedBeforeTwoVersions_thenTheirCallsAreTold() {
        Path recording = directory.resolve("history.jsonl.gz");
        String text = told(
                "simulate",
                "--jar",
                first,
                "--controller-class",
                CLASS,
                "-f",
                DEFINITIONS,
                "-f",
                site,
                "--nodes",
                3,
                "--for",
                "2m",
                "--record",
                recording);
        assertThat(text).contains("deployment default/shop").contains("website-operator");

        String same = told("replay", recording, "--jar", first, "--controller-class", CLASS);
        String other = told("simulate", "--replay", recording, "--jar", second, "--controller-class", CLASS);
        String nobody = told("replay", recording);

        String begin = "What the controllers would have written";
        assertThat(nobody).contains("deployment default/shop").doesNotContain(begin);
        for (String told : List.of(same, other)) {
            assertThat(told).startsWith(nobody.stripTrailing());
            assertThat(told.substring(told.indexOf(begin))).contains("patch configmaps hosts/default.shop: nothing");
        }
        assertThat(same)
                .contains("patch deployments.apps default/shop: nothing")
                .doesNotContain("2 -> 4");
        assertThat(other).contains("patch deployments.apps default/shop: spec.replicas 2 -> 4");
    }

    @Test
    void givenAnArchive_whenPlanned_thenDiffAndCallsOfItsController() throws Exception {
        String text = told("plan", "--jar", first, "--controller-class", CLASS, "-f", DEFINITIONS, "-f", site);
        JsonNode json = new ObjectMapper()
                .readTree(told("plan", "--jar", announcing, "-f", DEFINITIONS, "-f", site, "-o", "json"));

        assertThat(text)
                .contains("+ deployments.apps default/shop")
                .contains("+ services default/shop")
                .contains("+ configmaps hosts/default.shop")
                .contains("patch deployments.apps default/shop");
        assertThat(json.path("calls").findValuesAsText("resource"))
                .contains("deployments.apps", "services", "configmaps");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "simulate --jar /nowhere.jar | --jar /nowhere.jar does not exist",
                "simulate --controller-class x.Y | there is no class x.Y; give the archive that has it by --jar FILE",
                "plan --jar FIRST --controller-class io.trimtab.examples.website.WebSite | expected a class that implements",
                "plan --jar FIRST | whose plan? give --controller NAME, or --jar FILE and --controller-class CLASS",
                "simulate --compare FIRST /nowhere.jar --controller-class CLASS --for 1s | /nowhere.jar does not exist",
                "replay /nowhere.jsonl | /nowhere.jsonl",
            })
    void givenAMistake_whenTheCommandRuns_thenOneLineNamesIt(String args, String words) {
        Ran ran = run((Object[])
                args.replace("FIRST", first.toString()).replace("CLASS", CLASS).split(" "));

        assertThat(ran.code()).isNotZero();
        assertThat(ran.err()).contains(words).startsWith("trimtab").hasLineCount(1);
    }
}
