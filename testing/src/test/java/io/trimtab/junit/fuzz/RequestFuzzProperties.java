package io.trimtab.junit.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.storage.EventSource;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.ApiServerInstance;
import io.trimtab.standalone.ApiServerOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;

/**
 * Any request is answered, and never with 500. {@code -Dtrimtab.fuzz.requests=100000} asks for more of each seed than the
 * build does.
 */
class RequestFuzzProperties {
    private static final int REQUESTS = Integer.getInteger("trimtab.fuzz.requests", 300);
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Answers take milliseconds; what takes this long would not end. */
    private static final Duration TOO_LONG = Duration.ofSeconds(20);

    @Property(tries = 10, shrinking = ShrinkingMode.OFF)
    void anyRequestIsAnsweredAndNeverWithAnInternalError(@ForAll long seed) {
        List<AssertionError> failures = new ArrayList<>();
        try (VirtualDriver driver = VirtualDriver.create();
                ApiServerInstance instance = ApiServerInstance.start(ApiServerOptions.IN_MEMORY, driver)) {
            for (RequestFuzzer.Seed sound : RequestFuzzer.seeds()) {
                ApiResponse made = instance.server().handle(RequestFuzzer.creation(sound));
                assertThat(made.code()).as(() -> sound + "\n" + text(made)).isIn(201, 200, 422, 403, 409);
                driver.settle();
            }
            RequestFuzzer fuzzer = new RequestFuzzer(seed);
            for (int i = 0; i < REQUESTS; i++) {
                ApiRequest request = fuzzer.next();
                try {
                    check(instance, request, driver);
                } catch (AssertionError e) {
                    failures.add(e);
                }
            }
        }
        if (!failures.isEmpty()) {
            AssertionError first = failures.get(0);
            failures.stream().skip(1).forEach(first::addSuppressed);
            throw first;
        }
    }

    static void check(ApiServerInstance instance, ApiRequest request, VirtualDriver driver) {
        long begin = System.nanoTime();
        ApiResponse response;
        String body;
        try {
            response = instance.server().handle(request);
            body = text(response);
        } catch (Throwable e) {
            throw new AssertionError("threw: " + show(request), e);
        }
        driver.settle();
        assertThat(Duration.ofNanos(System.nanoTime() - begin))
                .as(() -> show(request))
                .isLessThan(TOO_LONG);
        if (response.code() == 500 && body.contains("InternalError") && !isKubernetesOwn(body)) {
            throw new AssertionError(show(request) + "\n-> " + body);
        }
        if (response.code() >= 400 && body.startsWith("{") && request.path().startsWith("/api")) {
            try {
                JsonNode status = JSON.readTree(body);
                assertThat(status.path("kind").asText())
                        .as(() -> show(request) + "\n" + body)
                        .isEqualTo("Status");
            } catch (IOException e) {
                throw new AssertionError("no JSON: " + show(request) + "\n" + body, e);
            }
        }
    }

    /** Kubernetes answers these so, too; others of its 500s have no reason, and those of a bug have this one. */
    private static boolean isKubernetesOwn(String body) {
        return body.contains("impersonat");
    }

    private static String text(ApiResponse response) {
        if (response instanceof ApiResponse.Whole whole) {
            return new String(whole.body(), StandardCharsets.UTF_8);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        if (response instanceof ApiResponse.Pieces pieces) {
            pieces.pieces().forEachRemaining(out::writeBytes);
        } else if (response instanceof ApiResponse.Watch watch) {
            try (EventSource events = watch.events()) {
                for (EventSource.Event e = events.poll(); e != null; e = events.poll()) {
                    byte[] frame = watch.framing().frame(e);
                    if (frame != null) {
                        out.writeBytes(frame);
                    }
                }
            }
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    private static String show(ApiRequest request) {
        String body = new String(request.body(), StandardCharsets.UTF_8);
        return request.method() + " " + request.path() + " " + request.query() + " " + request.headers() + "\n"
                + body.substring(0, Math.min(body.length(), 3000));
    }
}
