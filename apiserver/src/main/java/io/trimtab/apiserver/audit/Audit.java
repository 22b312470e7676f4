package io.trimtab.apiserver.audit;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.runtime.Driver;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Makes events of requests, as the policy wants them, and hands them to the sinks. Safe for use by any thread. */
public final class Audit implements AutoCloseable {
    private final AuditPolicy policy;
    private final List<AuditSink> sinks;
    private final Driver driver;
    private final LongAdder events = new LongAdder();

    public Audit(AuditPolicy policy, List<AuditSink> sinks, Driver driver) {
        this.policy = policy;
        this.sinks = List.copyOf(sinks);
        this.driver = driver;
    }

    /**
     * The record of a request that has come in; null if the policy keeps nothing of it.
     *
     * @param id of the request, in or out
     * @param user who asks, before impersonation; null if that is not known
     */
    public @Nullable AuditRecord begin(ApiRequest request, RequestInfo info, @Nullable UserInfo user, String id) {
        AuditPolicy.Verdict verdict = policy.evaluate(info, user);
        return verdict.level() == AuditLevel.NONE ? null : new AuditRecord(this, verdict, request, info, user, id);
    }

    void emit(com.fasterxml.jackson.databind.node.ObjectNode event) {
        events.increment();
        for (AuditSink sink : sinks) {
            sink.take(event);
        }
    }

    Driver driver() {
        return driver;
    }

    /** How many events were made. */
    public long events() {
        return events.sum();
    }

    @Override
    public void close() throws Exception {
        for (AuditSink sink : sinks) {
            sink.close();
        }
    }
}
