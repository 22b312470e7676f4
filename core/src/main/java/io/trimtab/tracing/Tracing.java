package io.trimtab.tracing;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Scope;
import io.trimtab.client.Client;
import io.trimtab.controller.DefaultManager;
import io.trimtab.controller.ReconcileObserver;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Traces a manager: a span for each reconcile, current on its thread, and below it one for each request to the API server. What
 * user code traces meanwhile becomes a child too. Safe for use by any thread.
 *
 * <pre>{@code
 * Tracing.of(openTelemetry).trace(DefaultManager.builder(driver, connection)).build();
 * }</pre>
 *
 * @since 0.1
 */
public final class Tracing implements ReconcileObserver {
    static final AttributeKey<String> CONTROLLER = AttributeKey.stringKey("controller");
    static final AttributeKey<String> NAMESPACE = AttributeKey.stringKey("k8s.namespace.name");
    static final AttributeKey<String> NAME = AttributeKey.stringKey("k8s.object.name");
    static final AttributeKey<String> CLUSTER = AttributeKey.stringKey("k8s.cluster.name");
    static final AttributeKey<String> RESULT = AttributeKey.stringKey("reconcile.result");

    private record Open(Span span, Scope scope) {}

    private final Tracer tracer;
    /** A stack: in virtual time a thread that waits in a reconcile may run another one. */
    private final ThreadLocal<Deque<Open>> open = ThreadLocal.withInitial(ArrayDeque::new);

    private Tracing(Tracer tracer) {
        this.tracer = tracer;
    }

    /** Traces into this SDK, or into nothing if it is the no-op. */
    public static Tracing of(OpenTelemetry telemetry) {
        return new Tracing(telemetry.getTracer("io.trimtab"));
    }

    /** The manager's builder, told to trace. */
    public DefaultManager.Builder trace(DefaultManager.Builder builder) {
        return builder.observer(this).wrapClients(this::client);
    }

    /** A client whose requests are spans. */
    public Client client(Client client) {
        return new TracedClient(client, tracer);
    }

    @Override
    @SuppressWarnings("MustBeClosedChecker") // closed by after(), which follows on the same thread
    public void before(String controller, Request request) {
        Span span = tracer.spanBuilder("reconcile " + controller)
                .setAttribute(CONTROLLER, controller)
                .setAttribute(NAME, request.name())
                .startSpan();
        if (!request.namespace().isEmpty()) {
            span.setAttribute(NAMESPACE, request.namespace());
        }
        if (!request.cluster().isEmpty()) {
            span.setAttribute(CLUSTER, request.cluster());
        }
        open.get().push(new Open(span, span.makeCurrent()));
    }

    @Override
    public void after(
            String controller, Request request, @Nullable Result result, @Nullable Throwable failure, Duration took) {
        Open ended = open.get().pollFirst();
        if (ended == null) {
            return;
        }
        ended.scope().close();
        if (failure != null) {
            ended.span().recordException(failure);
            ended.span().setStatus(StatusCode.ERROR, String.valueOf(failure.getMessage()));
        }
        ended.span()
                .setAttribute(
                        RESULT,
                        failure != null || result == null
                                ? "error"
                                : result.requeue() ? "requeue" : result.after() != null ? "requeue_after" : "success");
        ended.span().end();
    }
}
