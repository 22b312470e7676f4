package io.trimtab.junit;

import io.fabric8.crdv2.generator.CRDGenerator;
import io.fabric8.kubernetes.client.CustomResource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** CustomResourceDefinitions of Java classes, by Fabric8's generator, if that is on the class path. Stateless. */
final class CustomResources {
    private CustomResources() {}

    /** The definitions as YAML, one for each class. */
    @SafeVarargs
    static List<String> of(Class<? extends CustomResource<?, ?>>... classes) {
        try {
            Path directory = Files.createTempDirectory("trimtab-crds");
            try {
                new CRDGenerator()
                        .customResourceClasses(classes)
                        .forCRDVersions("v1")
                        .inOutputDir(directory.toFile())
                        .detailedGenerate();
                List<String> texts = new ArrayList<>();
                try (Stream<Path> files = Files.list(directory)) {
                    for (Path file : files.sorted().toList()) {
                        texts.add(Files.readString(file, StandardCharsets.UTF_8));
                        Files.delete(file);
                    }
                }
                return texts;
            } finally {
                Files.delete(directory);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
