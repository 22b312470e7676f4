package io.trimtab.apiserver.http;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import java.util.function.Consumer;

/** Answers requests, now or later. Safe for use by any thread. */
@FunctionalInterface
public interface RequestHandler {
    /**
     * Handles a request.
     *
     * @param answer called once, by any thread of the driver, unless this throws
     */
    void handle(ApiRequest request, Consumer<ApiResponse> answer);
}
