package io.trimtab.apiserver.rest;

import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.auth.AccessDenied;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.StatusException;

/** Asks whether a request may be served, and refuses what may not. Stateless. */
public final class Authorization {
    private Authorization() {}

    /**
     * Lets an allowed request pass.
     *
     * @throws StatusException 403
     */
    public static void check(Authorizer authorizer, UserInfo user, Authorizer.Attributes asked) {
        Authorizer.Decision decision = authorizer.authorize(user, asked);
        if (decision.verdict() != Authorizer.Verdict.ALLOW) {
            throw AccessDenied.of(user, asked, decision.reason());
        }
    }

    /** What a request asks for. */
    public static Authorizer.Attributes attributes(RequestInfo info, String fieldSelector, String labelSelector) {
        if (!info.resourceRequest()) {
            return Authorizer.Attributes.path(info.verb(), info.path());
        }
        return new Authorizer.Attributes(
                info.verb(),
                info.group(),
                info.version(),
                info.resource(),
                info.subresource(),
                info.namespace(),
                info.name(),
                true,
                info.path(),
                fieldSelector,
                labelSelector);
    }

    /** Some requests do more than their method says: an update that creates must be allowed to. */
    static void require(Call call, String verb) {
        RequestInfo info = call.info;
        check(
                call.env.authorizer(),
                call.user,
                Authorizer.Attributes.resource(
                        verb,
                        info.group(),
                        info.version(),
                        info.resource(),
                        info.subresource(),
                        info.namespace(),
                        info.name()));
    }
}
