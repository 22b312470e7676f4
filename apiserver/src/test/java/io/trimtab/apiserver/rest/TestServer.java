package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.ApiServer;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.storage.EventSource;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.runtime.VirtualDriver;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** A server in virtual time, and short ways to ask it. */
public final class TestServer {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final UserInfo ADMIN = UserInfo.of("admin", UserInfo.MASTERS_GROUP, UserInfo.AUTHENTICATED_GROUP);

    public final VirtualDriver driver = VirtualDriver.create();
    public final ApiServer server;

    /** An answer, read to its end. */
    public record Answer(int code, Map<String, List<String>> headers, String body) {
        public JsonNode json() {
            try {
                return JSON.readTree(body);
            } catch (IOException e) {
                throw new UncheckedIOException(body, e);
            }
        }

        public String message() {
            return json().path("message").asText();
        }

        /** A value in the body, as text. */
        public String at(String pointer) {
            return json().at(pointer).asText();
        }
    }

    public TestServer() {
        this(b -> b);
    }

    public TestServer(UnaryOperator<ApiServer.Builder> options) {
        server = options.apply(ApiServer.builder().driver(driver).store(MemoryStore.create()))
                .build();
    }

    public Answer get(String path) {
        return send("GET", path, Map.of(), "");
    }

    public Answer post(String path, String body) {
        return send("POST", path, Map.of("content-type", "application/json"), body);
    }

    public Answer put(String path, String body) {
        return send("PUT", path, Map.of("content-type", "application/json"), body);
    }

    public Answer patch(String path, String type, String body) {
        return send("PATCH", path, Map.of("content-type", "application/" + type), body);
    }

    public Answer delete(String path) {
        return send("DELETE", path, Map.of(), "");
    }

    public Answer delete(String path, String body) {
        return send("DELETE", path, Map.of("content-type", "application/json"), body);
    }

    public Answer send(String method, String pathAndQuery, Map<String, String> headers, String body) {
        return send(ADMIN, method, pathAndQuery, headers, body);
    }

    public Answer send(UserInfo user, String method, String pathAndQuery, Map<String, String> headers, String body) {
        ApiResponse response = server.handle(request(user, method, pathAndQuery, headers, body));
        return new Answer(response.code(), response.headers(), text(response));
    }

    /** Opens a watch. */
    public Watch watch(String pathAndQuery) {
        return watch(pathAndQuery, Map.of());
    }

    public Watch watch(String pathAndQuery, Map<String, String> headers) {
        ApiResponse response = server.handle(request(ADMIN, "GET", pathAndQuery, headers, ""));
        if (response instanceof ApiResponse.Watch watch) {
            return new Watch(watch);
        }
        throw new AssertionError("no watch: " + text(response));
    }

    /** A watch that is read by hand. */
    public final class Watch {
        private final ApiResponse.Watch response;

        private Watch(ApiResponse.Watch response) {
            this.response = response;
        }

        /** The lines that are there now. */
        public List<String> lines() {
            driver.settle();
            List<String> lines = new ArrayList<>();
            for (EventSource.Event e = response.events().poll();
                    e != null;
                    e = response.events().poll()) {
                byte[] frame = response.framing().frame(e);
                if (frame != null) {
                    lines.add(new String(frame, StandardCharsets.UTF_8).strip());
                }
            }
            return lines;
        }

        /** Each line as its type and the object's name. */
        public List<String> events() {
            return lines().stream()
                    .map(l -> {
                        try {
                            JsonNode event = JSON.readTree(l);
                            return event.path("type").asText() + " "
                                    + event.at("/object/metadata/name").asText();
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    })
                    .toList();
        }

        public boolean ended() {
            return response.events().isEnded();
        }
    }

    public void advance(Duration time) {
        driver.advance(time);
    }

    private static ApiRequest request(
            UserInfo user, String method, String pathAndQuery, Map<String, String> headers, String body) {
        int mark = pathAndQuery.indexOf('?');
        String path = mark < 0 ? pathAndQuery : pathAndQuery.substring(0, mark);
        Map<String, List<String>> query = new LinkedHashMap<>();
        if (mark >= 0) {
            for (String pair : pathAndQuery.substring(mark + 1).split("&")) {
                int eq = pair.indexOf('=');
                String name = eq < 0 ? pair : pair.substring(0, eq);
                query.computeIfAbsent(name, n -> new ArrayList<>()).add(eq < 0 ? "" : pair.substring(eq + 1));
            }
        }
        Map<String, List<String>> all = new LinkedHashMap<>();
        headers.forEach((k, v) -> all.put(k, List.of(v)));
        return new ApiRequest(
                method, path, query, all, body.getBytes(StandardCharsets.UTF_8), ApiRequest.Peer.trusted(user));
    }

    private static String text(ApiResponse response) {
        if (response instanceof ApiResponse.Whole whole) {
            return new String(whole.body(), StandardCharsets.UTF_8);
        }
        if (response instanceof ApiResponse.Pieces pieces) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            pieces.pieces().forEachRemaining(out::writeBytes);
            return out.toString(StandardCharsets.UTF_8);
        }
        return "";
    }
}
