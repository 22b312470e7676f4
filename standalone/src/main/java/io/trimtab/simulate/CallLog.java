package io.trimtab.simulate;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.runtime.VirtualDriver;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The writes that go through a server's door, in order. For one thread. */
final class CallLog {
    /** They tell others what goes on, and change nothing. */
    private static final Set<String> TALK = Set.of("events", "leases");

    private final VirtualDriver driver;
    private final Instant began;
    private final boolean dry;
    private final List<ControllerPlan.Call> calls = new ArrayList<>();

    /** @param dry whether the server is asked to do nothing but answer */
    CallLog(VirtualDriver driver, boolean dry) {
        this.driver = driver;
        this.began = driver.now();
        this.dry = dry;
    }

    Function<ApiRequest, ApiResponse> between(Function<ApiRequest, ApiResponse> server) {
        return request -> {
            if (!Calls.isWrite(request) || Calls.actor(request).equals("scenario")) {
                return server.apply(request);
            }
            RequestInfo info = RequestInfo.of(request);
            byte[] before = dry ? before(server, request, info) : null;
            ApiResponse answer = server.apply(dry ? dry(request) : request);
            if (info.resourceRequest() && !TALK.contains(info.resource()) && !isReview(info)) {
                note(info, request, answer, before);
            }
            return answer;
        };
    }

    private static boolean isReview(RequestInfo info) {
        return info.group().equals("authorization.k8s.io") || info.group().equals("authentication.k8s.io");
    }

    private static ApiRequest dry(ApiRequest request) {
        Map<String, List<String>> query = new LinkedHashMap<>(request.query());
        query.put("dryRun", List.of("All"));
        return new ApiRequest(
                request.method(), request.path(), query, request.headers(), request.body(), request.peer());
    }

    /** The object that would be changed; null if there is none. */
    private static byte @Nullable [] before(
            Function<ApiRequest, ApiResponse> server, ApiRequest request, RequestInfo info) {
        if (info.name().isEmpty()
                || !(request.method().equals("PATCH") || request.method().equals("PUT"))) {
            return null;
        }
        String end = info.subresource().isEmpty() ? "" : "/" + info.subresource();
        String path = request.path();
        ApiResponse answer = server.apply(new ApiRequest(
                "GET",
                path.endsWith(end) ? path.substring(0, path.length() - end.length()) : path,
                Map.of(),
                Map.of("accept", List.of("application/json")),
                new byte[0],
                request.peer()));
        return answer instanceof ApiResponse.Whole whole && whole.code() == 200 ? whole.body() : null;
    }

    private void note(RequestInfo info, ApiRequest request, ApiResponse answer, byte @Nullable [] before) {
        String name = info.name();
        String message = "";
        String changes = "";
        if (answer instanceof ApiResponse.Whole whole && whole.body().length > 0 && whole.body()[0] == '{') {
            var body = Objects.parse(whole.body());
            if (answer.code() >= 300) {
                message = body.path("message").asText("");
            } else if (name.isEmpty()) {
                name = body.path("metadata").path("name").asText("");
            }
            if (answer.code() < 300 && before != null) {
                changes = Objects.changes(Objects.parse(before), body);
            }
        }
        calls.add(new ControllerPlan.Call(
                Duration.between(began, driver.now()),
                Calls.actor(request),
                info.verb(),
                info.resource()
                        + (info.group().isEmpty() ? "" : "." + info.group())
                        + (info.subresource().isEmpty() ? "" : "/" + info.subresource()),
                info.namespace(),
                name,
                answer.code(),
                message,
                changes));
    }

    List<ControllerPlan.Call> calls() {
        return calls;
    }
}
