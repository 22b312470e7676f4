package io.trimtab.guide;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.platform.engine.discovery.ClassSelector;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** What the guide shows compiles, and its tests pass. */
class GuideTest {
    private static final Path GUIDE = Path.of("../../docs/guide");

    static Stream<Path> pages() throws IOException {
        return Files.list(GUIDE).filter(file -> file.toString().endsWith(".md")).sorted();
    }

    @ParameterizedTest
    @MethodSource("pages")
    void givenAPage_whenItsCodeIsCompiled_thenItCompilesAndItsTestsPass(Path file, @TempDir Path classes)
            throws Exception {
        Map<String, String> sources = Page.read(file).sources();
        if (sources.isEmpty()) {
            return;
        }
        compile(sources, classes);
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {classes.toUri().toURL()}, GuideTest.class.getClassLoader())) {
            run(sources.keySet().stream().filter(name -> name.endsWith("Test")).toList(), loader);
        }
    }

    private static void compile(Map<String, String> sources, Path classes) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        List<JavaFileObject> files = new ArrayList<>();
        sources.forEach((name, text) -> files.add(new Source(name, text)));
        StringWriter messages = new StringWriter();
        boolean compiled = compiler.getTask(
                        new PrintWriter(messages),
                        null,
                        null,
                        List.of("-d", classes.toString(), "-cp", System.getProperty("java.class.path"), "-proc:none"),
                        null,
                        files)
                .call();
        assertThat(compiled).as(messages.toString()).isTrue();
    }

    private static void run(List<String> tests, ClassLoader loader) throws ClassNotFoundException {
        List<ClassSelector> selectors = new ArrayList<>();
        for (String name : tests) {
            selectors.add(selectClass(loader.loadClass(name)));
        }
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectors)
                                .build(),
                        listener);
        StringWriter failures = new StringWriter();
        listener.getSummary().printFailuresTo(new PrintWriter(failures));
        assertThat(listener.getSummary().getTotalFailureCount())
                .as(failures.toString())
                .isZero();
        assertThat(listener.getSummary().getTestsFoundCount()).isGreaterThanOrEqualTo(tests.size());
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String name, String text) {
            super(URI.create("string:///" + name.replace('.', '/') + ".java"), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
