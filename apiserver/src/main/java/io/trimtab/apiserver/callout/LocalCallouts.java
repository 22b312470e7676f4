package io.trimtab.apiserver.callout;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * Answers calls to some servers by functions of this JVM, on the caller's stack, and hands on all others. So a webhook can be
 * tested in virtual time, without a socket or a certificate. Safe for use by any thread.
 */
public final class LocalCallouts implements CalloutTransport {
    private final CalloutTransport others;
    private final Map<String, Function<Request, Reply>> handlers = new ConcurrentHashMap<>();

    /** @param others carries the calls to servers that are not here; closed with this */
    public LocalCallouts(CalloutTransport others) {
        this.others = others;
    }

    /**
     * Answers calls to a server from now on, in place of an earlier function for it.
     *
     * @param authority host and port of the URL, such as {@code localhost:9443}, or {@code name.namespace.svc} for all ports of a
     *     Service, which then need not exist
     * @param handler may throw {@link CalloutException}, which the caller sees as a server that cannot be reached
     * @return ends it
     */
    public AutoCloseable register(String authority, Function<Request, Reply> handler) {
        handlers.put(authority, handler);
        return () -> handlers.remove(authority, handler);
    }

    /** A function that reads and writes JSON, as most webhooks do. */
    public static Function<Request, Reply> json(Function<byte[], byte[]> review) {
        return request ->
                new Reply(200, Map.of("content-type", List.of("application/json")), review.apply(request.body()));
    }

    @Override
    public Pending start(Request request) {
        Optional<Function<Request, Reply>> local = find(request.target());
        return local.isPresent() ? () -> local.get().apply(request) : others.start(request);
    }

    @Override
    public Stream stream(Request request) {
        return find(request.target()).isPresent() ? CalloutTransport.super.stream(request) : others.stream(request);
    }

    @Override
    public String located(Target target) {
        return find(target).isPresent() ? target.url("") : others.located(target);
    }

    @Override
    public boolean isLocal(Target target) {
        return find(target).isPresent();
    }

    private Optional<Function<Request, Reply>> find(Target target) {
        if (handlers.isEmpty()) {
            return Optional.empty();
        }
        Function<Request, Reply> handler = handlers.get(target.authority());
        if (handler == null) {
            handler = handlers.get(target.host() + ":" + target.port());
        }
        if (handler == null) {
            handler = handlers.get(target.host());
        }
        return Optional.ofNullable(handler);
    }

    @Override
    public void close() {
        others.close();
    }
}
