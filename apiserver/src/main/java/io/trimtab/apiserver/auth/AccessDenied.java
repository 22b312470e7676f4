package io.trimtab.apiserver.auth;

import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import java.util.Map;

/** The refusal of a request that its user may not make. Stateless. */
public final class AccessDenied {
    private AccessDenied() {}

    /** The 403, in the words of Kubernetes; the authorizer's reason, if any, comes last. */
    public static StatusException of(UserInfo user, Authorizer.Attributes asked, String reason) {
        String why = message(user, asked);
        return Statuses.forbidden(
                asked.resourceRequest() ? asked.group() : "",
                asked.resourceRequest() ? asked.resource() : "",
                asked.resourceRequest() ? asked.name() : "",
                reason.isEmpty() ? why : why + ": " + reason);
    }

    /** The same, as the first to look at a request says it: with a header against guessing what kind of page this is. */
    public static StatusException atTheDoor(UserInfo user, Authorizer.Attributes asked, String reason) {
        return new StatusException(of(user, asked, reason).status(), Map.of("X-Content-Type-Options", "nosniff"));
    }

    private static String message(UserInfo user, Authorizer.Attributes asked) {
        String who = "User " + FieldErrors.quote(user.name());
        if (!asked.resourceRequest()) {
            return who + " cannot " + asked.verb() + " path " + FieldErrors.quote(asked.path());
        }
        String resource =
                asked.subresource().isEmpty() ? asked.resource() : asked.resource() + "/" + asked.subresource();
        String what = who + " cannot " + asked.verb() + " resource " + FieldErrors.quote(resource) + " in API group "
                + FieldErrors.quote(asked.group());
        return asked.namespace().isEmpty()
                ? what + " at the cluster scope"
                : what + " in the namespace " + FieldErrors.quote(asked.namespace());
    }
}
