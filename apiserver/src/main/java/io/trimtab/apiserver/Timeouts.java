package io.trimtab.apiserver;

import io.trimtab.encoding.GoDuration;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** How long a request may take, and what is said when it has taken longer. Stateless. */
public final class Timeouts {
    private static final String TOO_LATE =
            "{\"metadata\":{},\"status\":\"Failure\",\"message\":\"Timeout: request did not"
                    + " complete within the allotted timeout\",\"reason\":\"Timeout\",\"details\":{},\"code\":504}";

    private Timeouts() {}

    /** What the request's {@code timeout} allows, within the server's own; {@link RequestTimeout} has checked it. */
    static Duration of(ApiRequest request, Duration longest) {
        String asked = request.queryParameter("timeout");
        if (asked == null || asked.isEmpty()) {
            return longest;
        }
        Duration timeout = GoDuration.parse(asked).orElse(longest);
        return timeout.isZero() || timeout.isNegative() || timeout.compareTo(longest) > 0 ? longest : timeout;
    }

    /** The answer to a request that was not answered in time. */
    public static ApiResponse over() {
        return new ApiResponse.Whole(
                504,
                Map.of("Content-Type", List.of("text/plain; charset=utf-8")),
                TOO_LATE.getBytes(StandardCharsets.UTF_8));
    }
}
