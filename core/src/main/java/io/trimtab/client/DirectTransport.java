package io.trimtab.client;

import io.fabric8.kubernetes.client.http.HttpHeaders;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A way to an API server in the same JVM that needs no HTTP: a request is a call, answered on the caller's stack.
 *
 * <p>A {@link FabricClient} uses it when its {@code HttpClient} implements this interface and nothing stands between the two
 * that wants to see requests. The answers are those that HTTP would bring. Safe for use by any thread.
 */
public interface DirectTransport {

    /**
     * An answer that ends.
     *
     * @param body the reader's own
     */
    record Answer(int code, HttpHeaders headers, byte[] body) {}

    /**
     * Answers a request.
     *
     * @param pathAndQuery as in a URL, escaped
     * @param contentType null without a body
     * @param body empty for none; not changed
     * @return empty if this request must go over HTTP
     * @throws IOException if there is no answer
     */
    Optional<Answer> exchange(
            String verb, String pathAndQuery, @Nullable String contentType, byte[] body, String userAgent)
            throws IOException;
}
