package io.trimtab.apiserver.auth;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;

/** Rules of the roles that every cluster begins with. Stateless. */
final class DefaultRules {
    private DefaultRules() {}

    static List<PolicyRule> of(String clusterRole) {
        try (InputStream in = DefaultRules.class.getResourceAsStream("/io/trimtab/apiserver/bootstrap-objects.json")) {
            for (JsonNode role : new JsonMapper().readTree(in).path("clusterroles")) {
                if (role.path("metadata").path("name").asText().equals(clusterRole)) {
                    return PolicyRule.listOf(role.path("rules"));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("bootstrap-objects.json cannot be read: " + e.getMessage(), e);
        }
        throw new IllegalStateException("bootstrap-objects.json has no cluster role " + clusterRole);
    }
}
