package io.trimtab.standalone.access;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.AccessOptions;
import io.trimtab.standalone.ApiServerInstance;
import io.trimtab.standalone.ApiServerOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A whole API server in virtual time, and short ways to come to its door: with a token, without, as somebody. */
final class LockedServer implements AutoCloseable {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final UserInfo ADMIN = UserInfo.of("admin", UserInfo.MASTERS_GROUP, UserInfo.AUTHENTICATED_GROUP);

    final VirtualDriver driver = VirtualDriver.create();
    final ApiServerInstance instance;

    record Answer(int code, String text) {
        JsonNode json() {
            return read(text);
        }

        String message() {
            return json().path("message").asText();
        }
    }

    LockedServer(AccessOptions access) {
        this(ApiServerOptions.IN_MEMORY.withAccess(access));
    }

    LockedServer(ApiServerOptions options) {
        instance = ApiServerInstance.start(options, driver);
        driver.settle();
    }

    static JsonNode read(String json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(json, e);
        }
    }

    /** Asks with a bearer token; null for none. */
    Answer withToken(@Nullable String token, String path) {
        Map<String, List<String>> headers = new LinkedHashMap<>();
        if (token != null) {
            headers.put("authorization", List.of("Bearer " + token));
        }
        return send("GET", path, "", headers, new ApiRequest.Peer("10.0.0.1", List.of(), null));
    }

    /** Who a token stands for, as {@code kubectl auth whoami} shows it. */
    JsonNode whoIs(String token) {
        Map<String, List<String>> headers =
                Map.of("authorization", List.of("Bearer " + token), "content-type", List.of("application/json"));
        return send(
                        "POST",
                        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                        "{\"kind\":\"SelfSubjectReview\",\"apiVersion\":\"authentication.k8s.io/v1\"}",
                        headers,
                        new ApiRequest.Peer("10.0.0.1", List.of(), null))
                .json()
                .path("status")
                .path("userInfo");
    }

    /** The status of a review of the token. */
    JsonNode review(String token) {
        return asAdmin(
                        "POST",
                        "/apis/authentication.k8s.io/v1/tokenreviews",
                        "{\"kind\":\"TokenReview\",\"apiVersion\":\"authentication.k8s.io/v1\",\"spec\":{\"token\":\""
                                + token + "\"}}")
                .json()
                .path("status");
    }

    Answer asAdmin(String method, String path, String body) {
        return as(ADMIN, method, path, body);
    }

    Answer as(UserInfo user, String method, String path, String body) {
        return send(
                method, path, body, Map.of("content-type", List.of("application/json")), ApiRequest.Peer.trusted(user));
    }

    private Answer send(
            String method, String path, String body, Map<String, List<String>> headers, ApiRequest.Peer peer) {
        ApiResponse.Whole whole = (ApiResponse.Whole) instance.server()
                .handle(new ApiRequest(method, path, Map.of(), headers, body.getBytes(StandardCharsets.UTF_8), peer));
        return new Answer(whole.code(), new String(whole.body(), StandardCharsets.UTF_8));
    }

    @Override
    public void close() {
        instance.close();
        driver.close();
    }
}
