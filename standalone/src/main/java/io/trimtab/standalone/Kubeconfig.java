package io.trimtab.standalone;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.trimtab.apiserver.certificates.Credential;
import io.trimtab.apiserver.certificates.KeyFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/** Writes the file by which kubectl and every other client finds a cluster and proves who they are. */
final class Kubeconfig {
    private static final String NAME = "trimtab";

    private Kubeconfig() {}

    /**
     * The text of a kubeconfig with one cluster, one user and one context.
     *
     * @param server the URL
     * @param authority what the server is trusted by, in PEM form
     */
    static String text(String server, String authority, String user, Credential credential) {
        ObjectNode root = JsonMapper.builder().build().createObjectNode();
        root.put("apiVersion", "v1").put("kind", "Config");
        ObjectNode cluster = root.putArray("clusters").addObject();
        cluster.put("name", NAME)
                .putObject("cluster")
                .put("server", server)
                .put("certificate-authority-data", base64(authority));
        ObjectNode person = root.putArray("users").addObject();
        person.put("name", user)
                .putObject("user")
                .put("client-certificate-data", base64(credential.chainPem()))
                .put("client-key-data", base64(credential.privateKeyPem()));
        ObjectNode context = root.putArray("contexts").addObject();
        context.put("name", NAME).putObject("context").put("cluster", NAME).put("user", user);
        root.put("current-context", NAME);
        try {
            return new YAMLMapper().writeValueAsString(root);
        } catch (IOException e) {
            throw new IllegalStateException("a kubeconfig cannot be written", e);
        }
    }

    /** Writes it so that only its owner can read it: it holds a key. */
    static void write(Path file, String text) {
        try {
            Path parent = file.toAbsolutePath().getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            KeyFiles.write(file, text);
        } catch (IOException | RuntimeException e) {
            throw new StartException(
                    "--kubeconfig " + file + " cannot be written: " + e.getMessage() + "; give another file", e);
        }
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
    }
}
