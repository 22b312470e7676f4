package io.trimtab.apiserver.callout;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.trimtab.apiserver.certificates.Credential;
import io.trimtab.apiserver.certificates.Pem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A webhook that a kubeconfig file leads to: the server of its current context, and the credentials of its user. Immutable.
 *
 * @param headers that say who we are; empty if a client certificate does, or nothing
 */
public record WebhookServer(Target target, Map<String, List<String>> headers) {

    public WebhookServer {
        headers = Map.copyOf(headers);
    }

    /**
     * Reads a kubeconfig file; files that it names are beside it, unless their names are absolute.
     *
     * @throws IllegalArgumentException if it cannot be read, or leads nowhere; the message says what is missing
     */
    public static WebhookServer read(Path file) {
        JsonNode config;
        try {
            config = new ObjectMapper(new YAMLFactory()).readTree(Files.readString(file));
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be read: " + e.getMessage(), e);
        }
        Path beside = Objects.requireNonNullElse(file.toAbsolutePath().getParent(), Path.of("/"));
        String current = config.path("current-context").asText("");
        JsonNode context = named(config.path("contexts"), current).path("context");
        JsonNode cluster = named(
                        config.path("clusters"), context.path("cluster").asText(""))
                .path("cluster");
        JsonNode user =
                named(config.path("users"), context.path("user").asText("")).path("user");
        String url = cluster.path("server").asText("");
        if (url.isEmpty()) {
            throw new IllegalArgumentException(
                    file + ": no server: give current-context, a context of that name, and its cluster's server");
        }
        Target.Trust trust = Target.Trust.SYSTEM;
        String authorities = data(cluster, "certificate-authority", beside);
        if (cluster.path("insecure-skip-tls-verify").asBoolean()) {
            trust = Target.Trust.anything();
        } else if (!authorities.isEmpty()) {
            trust = Target.Trust.of(Pem.certificates(authorities));
        }
        String serverName = cluster.path("tls-server-name").asText("");
        trust = new Target.Trust(
                trust.authorities(),
                trust.insecure(),
                serverName.isEmpty() ? null : serverName,
                credential(user, beside));
        return new WebhookServer(Target.of(url, trust), headers(user, beside));
    }

    private static @Nullable Credential credential(JsonNode user, Path beside) {
        String certificate = data(user, "client-certificate", beside);
        String key = data(user, "client-key", beside);
        return certificate.isEmpty() || key.isEmpty()
                ? null
                : new Credential(Pem.privateKey(key), Pem.certificates(certificate));
    }

    private static Map<String, List<String>> headers(JsonNode user, Path beside) {
        String token = user.path("token").asText("");
        String tokenFile = user.path("tokenFile").asText("");
        if (token.isEmpty() && !tokenFile.isEmpty()) {
            token = file(beside.resolve(tokenFile)).strip();
        }
        if (!token.isEmpty()) {
            return Map.of("Authorization", List.of("Bearer " + token));
        }
        String name = user.path("username").asText("");
        if (name.isEmpty()) {
            return Map.of();
        }
        String pair = name + ":" + user.path("password").asText("");
        return Map.of(
                "Authorization",
                List.of("Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8))));
    }

    /** What stands in the file as base64, or in another file; empty if neither. */
    private static String data(JsonNode object, String field, Path beside) {
        String inline = object.path(field + "-data").asText("");
        if (!inline.isEmpty()) {
            return new String(Base64.getMimeDecoder().decode(inline), StandardCharsets.ISO_8859_1);
        }
        String name = object.path(field).asText("");
        return name.isEmpty() ? "" : file(beside.resolve(name));
    }

    private static String file(Path path) {
        try {
            return Files.readString(path, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new IllegalArgumentException(path + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static JsonNode named(JsonNode list, String name) {
        for (JsonNode entry : list) {
            if (entry.path("name").asText("").equals(name)) {
                return entry;
            }
        }
        return com.fasterxml.jackson.databind.node.MissingNode.getInstance();
    }
}
