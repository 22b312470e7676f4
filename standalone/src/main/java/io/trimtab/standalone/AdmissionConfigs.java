package io.trimtab.standalone;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Reads an {@code apiserver.config.k8s.io/v1} AdmissionConfiguration. Stateless. */
final class AdmissionConfigs {
    private AdmissionConfigs() {}

    /**
     * The configuration of one plugin, in line or in the file that is named beside it; null if there is none.
     *
     * @throws StartException if a file cannot be read, or is no such configuration
     */
    static @Nullable String of(Path file, String plugin) {
        try {
            ObjectMapper yaml = new ObjectMapper(new YAMLFactory());
            JsonNode config = yaml.readTree(Files.readString(file));
            if (!config.path("kind").asText("").equals("AdmissionConfiguration")) {
                throw new StartException("--admission-control-config-file " + file + ": kind is \""
                        + config.path("kind").asText("") + "\", expected AdmissionConfiguration");
            }
            for (JsonNode one : config.path("plugins")) {
                if (one.path("name").asText("").equals(plugin)) {
                    String path = one.path("path").asText("");
                    return path.isEmpty()
                            ? one.path("configuration").toString()
                            : Files.readString(file.toAbsolutePath().resolveSibling(path));
                }
            }
            return null;
        } catch (IOException e) {
            throw new StartException(
                    "--admission-control-config-file " + file + " cannot be read: " + e.getMessage(), e);
        }
    }
}
