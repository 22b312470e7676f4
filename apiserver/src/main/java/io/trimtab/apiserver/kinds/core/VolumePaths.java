package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Trees;
import java.util.ArrayList;
import java.util.List;

/** Warns of files in a pod's volumes that hide one another. Stateless. */
final class VolumePaths {
    private VolumePaths() {}

    private record File(String path, String source) {
        @Override
        public String toString() {
            return FieldErrors.quote(path) + (source.isEmpty() ? "" : " (" + source + ")");
        }
    }

    static void warn(JsonNode spec, List<String> warnings) {
        for (JsonNode volume : Trees.items(spec, "volumes")) {
            String name = FieldErrors.quote(Trees.text(volume, "name"));
            JsonNode map = Trees.child(volume, "configMap");
            overlaps(files(map, ""), name, "ConfigMap " + FieldErrors.quote(Trees.text(map, "name")), warnings);
            JsonNode secret = Trees.child(volume, "secret");
            overlaps(
                    files(secret, ""), name, "Secret " + FieldErrors.quote(Trees.text(secret, "secretName")), warnings);
            overlaps(files(Trees.child(volume, "downwardAPI"), ""), name, "DownwardAPI", warnings);
            List<File> projected = new ArrayList<>();
            for (JsonNode source : Trees.items(Trees.child(volume, "projected"), "sources")) {
                if (source.isEmpty()) {
                    warnings.add("volume " + name + " (Projected) has no sources provided");
                } else {
                    add(source, projected);
                }
            }
            overlaps(projected, name, "Projected", warnings);
        }
    }

    private static void add(JsonNode source, List<File> files) {
        if (Trees.has(Trees.child(source, "configMap"), "items")) {
            JsonNode map = source.get("configMap");
            files.addAll(files(map, "ConfigMap " + FieldErrors.quote(Trees.text(map, "name"))));
        } else if (Trees.has(Trees.child(source, "secret"), "items")) {
            JsonNode secret = source.get("secret");
            files.addAll(files(secret, "Secret " + FieldErrors.quote(Trees.text(secret, "name"))));
        } else if (Trees.has(Trees.child(source, "downwardAPI"), "items")) {
            files.addAll(files(source.get("downwardAPI"), "DownwardAPI"));
        } else if (Trees.has(source, "serviceAccountToken")) {
            files.add(new File(Trees.text(source.get("serviceAccountToken"), "path"), "ServiceAccountToken"));
        } else if (Trees.has(source, "clusterTrustBundle")) {
            JsonNode bundle = source.get("clusterTrustBundle");
            String of = Trees.text(bundle, Trees.has(bundle, "name") ? "name" : "signerName");
            files.add(new File(Trees.text(bundle, "path"), "ClusterTrustBundle " + FieldErrors.quote(of)));
        }
    }

    private static List<File> files(JsonNode source, String shown) {
        List<File> files = new ArrayList<>();
        for (JsonNode item : Trees.items(source, "items")) {
            files.add(new File(Trees.text(item, "path"), shown));
        }
        return files;
    }

    private static void overlaps(List<File> files, String volume, String source, List<String> warnings) {
        List<File> before = new ArrayList<>();
        for (File each : files) {
            File file = new File(each.path().replaceAll("/+$", ""), each.source());
            for (File other : before) {
                boolean overlap = !file.path().isEmpty()
                        && !other.path().isEmpty()
                        && ((other.path() + "/").startsWith(file.path() + "/")
                                || (file.path() + "/").startsWith(other.path() + "/"));
                if (overlap) {
                    warnings.add(
                            "volume " + volume + " (" + source + "): overlapping paths: " + file + " with " + other);
                }
            }
            before.add(file);
        }
    }
}
