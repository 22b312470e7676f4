package io.trimtab.standalone.extensions;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.callout.LocalCallouts;
import io.trimtab.apiserver.storage.EventSource;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.ApiServerInstance;
import io.trimtab.standalone.ApiServerOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A whole API server in virtual time, and short ways to ask it. */
final class ExtendedServer implements AutoCloseable {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final UserInfo ADMIN = UserInfo.of("admin", UserInfo.MASTERS_GROUP, UserInfo.AUTHENTICATED_GROUP);

    final VirtualDriver driver = VirtualDriver.create(
            VirtualDriver.Options.DEFAULT.withStart(java.time.Instant.now().plusSeconds(60)));
    final ApiServerInstance instance = ApiServerInstance.start(ApiServerOptions.IN_MEMORY, driver);

    record Answer(int code, Map<String, List<String>> headers, String text) {
        JsonNode json() {
            return read(text);
        }

        String message() {
            return json().path("message").asText();
        }
    }

    ExtendedServer() {
        driver.settle();
    }

    static JsonNode read(String json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(json, e);
        }
    }

    LocalCallouts callouts() {
        return instance.callouts();
    }

    Answer get(String path) {
        return send("GET", path, "", Map.of());
    }

    Answer post(String path, String body) {
        return send("POST", path, body, Map.of("content-type", List.of("application/json")));
    }

    Answer put(String path, String body) {
        return send("PUT", path, body, Map.of("content-type", List.of("application/json")));
    }

    Answer merge(String path, String body) {
        return send("PATCH", path, body, Map.of("content-type", List.of("application/merge-patch+json")));
    }

    Answer delete(String path) {
        return send("DELETE", path, "", Map.of());
    }

    Answer send(String method, String target, String body, Map<String, List<String>> headers) {
        ApiResponse response = handle(method, target, body, headers);
        if (response instanceof ApiResponse.Whole whole) {
            return new Answer(whole.code(), whole.headers(), new String(whole.body(), StandardCharsets.UTF_8));
        }
        if (response instanceof ApiResponse.Pieces pieces) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            pieces.pieces().forEachRemaining(out::writeBytes);
            return new Answer(pieces.code(), pieces.headers(), out.toString(StandardCharsets.UTF_8));
        }
        ApiResponse.Watch watch = (ApiResponse.Watch) response;
        StringBuilder text = new StringBuilder();
        watch.events().onReady(() -> {});
        driver.settle();
        for (EventSource.Event event = watch.events().poll();
                event != null;
                event = watch.events().poll()) {
            byte[] frame = watch.framing().frame(event);
            text.append(frame == null ? "" : new String(frame, StandardCharsets.UTF_8));
            driver.settle();
        }
        watch.events().close();
        return new Answer(watch.code(), watch.headers(), text.toString());
    }

    private ApiResponse handle(String method, String target, String body, Map<String, List<String>> headers) {
        int mark = target.indexOf('?');
        Map<String, List<String>> query = new LinkedHashMap<>();
        if (mark >= 0) {
            for (String pair : target.substring(mark + 1).split("&")) {
                int eq = pair.indexOf('=');
                query.computeIfAbsent(pair.substring(0, eq), k -> new ArrayList<>())
                        .add(pair.substring(eq + 1));
            }
        }
        return instance.server()
                .handle(new ApiRequest(
                        method,
                        mark < 0 ? target : target.substring(0, mark),
                        query,
                        headers,
                        body.getBytes(StandardCharsets.UTF_8),
                        ApiRequest.Peer.trusted(ADMIN)));
    }

    @Override
    public void close() {
        instance.close();
        driver.close();
    }
}
