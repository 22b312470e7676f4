package io.trimtab.guide;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A page of the guide, as Java sources: those of its Java blocks that declare types, and a class around each of the others. */
record Page(String name, List<String> blocks) {
    /** What every block may use without saying so. Single types win where a name means two things. */
    private static final String IMPORTS = """
            import static org.assertj.core.api.Assertions.*;
            import io.fabric8.kubernetes.api.model.*;
            import io.fabric8.kubernetes.api.model.apps.*;
            import io.fabric8.kubernetes.api.model.batch.v1.*;
            import io.fabric8.kubernetes.client.CustomResource;
            import io.fabric8.kubernetes.client.KubernetesClient;
            import io.fabric8.kubernetes.client.informers.*;
            import io.fabric8.kubernetes.model.annotation.*;
            import io.javaoperatorsdk.operator.api.reconciler.Context;
            import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
            import io.trimtab.client.*;
            import io.trimtab.controller.*;
            import io.trimtab.events.*;
            import io.trimtab.informer.*;
            import io.trimtab.josdk.*;
            import io.trimtab.junit.*;
            import io.trimtab.junit.Cluster;
            import io.trimtab.junit.fault.*;
            import io.trimtab.runtime.*;
            import io.trimtab.standalone.ClusterOptions;
            import io.trimtab.webhook.*;
            import java.time.Duration;
            import java.util.*;
            import java.util.concurrent.*;
            import org.junit.jupiter.api.*;
            """;

    private static final Pattern JAVA = Pattern.compile("^```java\\n(.*?)^```", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern TYPE =
            Pattern.compile("^(?:@.*\\n)*(?:final |public )*(?:class|record|interface|enum) (\\w+)", Pattern.MULTILINE);
    private static final Pattern GIVEN = Pattern.compile("\\A// given: (.*)\\n");

    static Page read(Path file) throws IOException {
        List<String> blocks = new ArrayList<>();
        Matcher found = JAVA.matcher(Files.readString(file));
        while (found.find()) {
            blocks.add(found.group(1));
        }
        return new Page(file.getFileName().toString().replace(".md", "").replace("-", ""), List.copyOf(blocks));
    }

    /** The sources by the names of their types. */
    Map<String, String> sources() {
        Map<String, String> sources = new LinkedHashMap<>();
        for (String block : blocks) {
            Matcher type = TYPE.matcher(block);
            if (type.lookingAt()) {
                sources.put("guide." + name + "." + type.group(1), head() + block);
            } else {
                String wrapper = "Block" + sources.size();
                Matcher given = GIVEN.matcher(block);
                String parameters = given.find() ? given.group(1) : "";
                sources.put(
                        "guide." + name + "." + wrapper,
                        head() + "class " + wrapper + " {\nvoid run(" + parameters + ") throws Exception {\n" + block
                                + "}\n}\n");
            }
        }
        return sources;
    }

    private String head() {
        return "package guide." + name + ";\n" + IMPORTS;
    }
}
