package io.trimtab.apiserver.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.apiserver.ApiResponse;
import io.trimtab.runtime.RealDriver;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a client that means no good, or is broken, cannot do to the server. */
class LimitsTest {
    private final RealDriver driver = RealDriver.create("limits");
    private final AtomicInteger handled = new AtomicInteger();
    private final HttpFrontend frontend = HttpFrontend.start(
            HttpOptions.insecure(0).withRequestTimeout(Duration.ofMillis(300)),
            (request, then) -> {
                handled.incrementAndGet();
                if (request.path().equals("/never")) {
                    later = then;
                } else {
                    then.accept(text("fine"));
                }
            },
            driver);

    private volatile Consumer<ApiResponse> later = answer -> {};

    @AfterEach
    void close() {
        frontend.close();
        driver.close();
    }

    private static ApiResponse text(String text) {
        return new ApiResponse.Whole(
                200, Map.of("Content-Type", List.of("text/plain")), text.getBytes(StandardCharsets.UTF_8));
    }

    private String exchange(String sent) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", frontend.insecurePort())) {
            socket.setSoTimeout(15_000);
            socket.getOutputStream().write(sent.getBytes(StandardCharsets.ISO_8859_1));
            socket.getOutputStream().flush();
            InputStream in = socket.getInputStream();
            StringBuilder answer = new StringBuilder();
            byte[] buffer = new byte[4096];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                answer.append(new String(buffer, 0, n, StandardCharsets.ISO_8859_1));
            }
            return answer.toString();
        }
    }

    @Test
    void givenHeadersLargerThanTheLimit_whenSent_thenTheyAreRefusedUnread() throws Exception {
        String answer = exchange("GET / HTTP/1.1\r\nHost: x\r\nX-Big: " + "a".repeat(1_100_000) + "\r\n\r\n");

        assertThat(answer).contains(" 431 ");
        assertThat(handled).hasValue(0);
    }

    @Test
    void givenARequestLineLargerThanTheLimit_whenSent_thenItIsRefused() throws Exception {
        String answer = exchange("GET /" + "a".repeat(1_100_000) + " HTTP/1.1\r\nHost: x\r\n\r\n");

        assertThat(answer).contains(" 431 ");
        assertThat(handled).hasValue(0);
    }

    @Test
    void givenABodyThatNeverComes_whenTheTimeIsUp_thenTheRequestEnds() throws Exception {
        String answer = exchange("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");

        assertThat(answer).startsWith("HTTP/1.1 504");
        assertThat(answer)
                .endsWith("{\"metadata\":{},\"status\":\"Failure\",\"message\":\"Timeout: request did not complete"
                        + " within the allotted timeout\",\"reason\":\"Timeout\",\"details\":{},\"code\":504}");
        assertThat(handled).hasValue(0);
    }

    @Test
    void givenAnAnswerThatComesTooLate_whenTheTimeIsUp_thenTheClientIsToldAndTheAnswerDropped() throws Exception {
        String answer = exchange("GET /never HTTP/1.1\r\nHost: x\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 504");
        later.accept(text("late"));
        assertThat(exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                .endsWith("fine");
    }
}
