package io.trimtab.apiserver.auth;

import io.trimtab.apiserver.ApiRequest;
import java.util.Optional;

/** Finds out who asks. Safe for use by any thread. */
public interface Authenticator {
    /**
     * The user that the request's credentials prove, or empty if it has none of the sort this authenticator reads.
     *
     * @throws io.trimtab.apiserver.errors.StatusException 401 if it has credentials of that sort and they are bad
     */
    Optional<UserInfo> authenticate(ApiRequest request);
}
