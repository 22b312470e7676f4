package io.trimtab.apiserver.health;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.Accept;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.PathHandler;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.rest.Representation;
import io.trimtab.apiserver.tokens.OpenIdDocuments;
import io.trimtab.apiserver.tokens.TokenKeys;
import io.trimtab.apiserver.tokens.TokenSettings;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Serves the documents by which others check tokens of service accounts. Safe for use by any thread. */
public final class WellKnown implements PathHandler {
    private final TokenSettings settings;
    private final TokenKeys keys;
    private final Supplier<String> externalAddress;

    /** @param externalAddress host and port at which clients reach this server */
    public WellKnown(TokenSettings settings, TokenKeys keys, Supplier<String> externalAddress) {
        this.settings = settings;
        this.keys = keys;
        this.externalAddress = externalAddress;
    }

    @Override
    public Optional<ApiResponse> handle(ApiRequest request, UserInfo user) {
        String path = request.path();
        boolean configuration = isPath(path, OpenIdDocuments.CONFIGURATION_PATH);
        if (!configuration && !isPath(path, OpenIdDocuments.KEYS_PATH)) {
            return Optional.empty();
        }
        if (!request.method().equals("GET")) {
            throw Statuses.methodNotAllowed();
        }
        String type = configuration ? "application/json" : "application/jwk-set+json";
        Representation.route(Accept.of(request), List.of(type));
        ObjectNode document =
                configuration ? OpenIdDocuments.configuration(settings, keys, externalAddress.get()) : keys.jwks();
        Map<String, List<String>> headers = new LinkedHashMap<>();
        headers.put("Cache-Control", List.of("public, max-age=3600"));
        headers.put("Content-Type", List.of(type));
        return Optional.of(
                new ApiResponse.Whole(200, headers, document.toString().getBytes(StandardCharsets.UTF_8)));
    }

    private static boolean isPath(String path, String known) {
        return path.equals(known) || path.equals(known + "/");
    }
}
