package io.trimtab.apiserver.health;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.PathHandler;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.discovery.Documents;
import io.trimtab.apiserver.resource.ResourceRegistry;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Serves {@code /}: the list of paths. Safe for use by any thread. */
public final class Index implements PathHandler {
    private static final List<String> FIXED = List.of(
            "/.well-known/openid-configuration",
            "/api",
            "/apis",
            "/apis/",
            "/metrics",
            "/metrics/slis",
            "/openapi/v2",
            "/openapi/v3",
            "/openapi/v3/",
            "/openid/v1/jwks",
            "/version");

    private final ResourceRegistry registry;
    private final HealthChecks health;

    public Index(ResourceRegistry registry, HealthChecks health) {
        this.registry = registry;
        this.health = health;
    }

    @Override
    public Optional<ApiResponse> handle(ApiRequest request, UserInfo user) {
        if (!request.path().equals("/")
                && !request.path().isEmpty()
                && !request.path().equals("/index.html")) {
            return Optional.empty();
        }
        Set<String> paths = new TreeSet<>(FIXED);
        paths.addAll(health.paths());
        for (String group : registry.groups()) {
            String prefix = group.isEmpty() ? "/api" : "/apis/" + group;
            paths.add(prefix);
            registry.versions(group).forEach(version -> paths.add(prefix + "/" + version));
        }
        ObjectNode document = JsonNodeFactory.instance.objectNode();
        ArrayNode array = document.putArray("paths");
        paths.forEach(array::add);
        return Optional.of(Documents.whole("application/json", Documents.pretty(document)));
    }
}
