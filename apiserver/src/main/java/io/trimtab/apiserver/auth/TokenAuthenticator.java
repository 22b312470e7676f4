package io.trimtab.apiserver.auth;

import java.util.List;
import java.util.Optional;

/** Knows one sort of bearer token. Safe for use by any thread. */
public interface TokenAuthenticator {

    /**
     * Whom the token stands for, or empty if it is not of this sort.
     *
     * @param audiences whom the token is shown to; the result says which of them it is meant for
     * @throws BadToken if the token is of this sort, and no good
     */
    Optional<Authenticated> authenticate(String token, List<String> audiences);

    /** A user, and the audiences for which the token proves it. */
    record Authenticated(UserInfo user, List<String> audiences) {
        public Authenticated {
            audiences = List.copyOf(audiences);
        }
    }

    /** The token is no good; the message says why. It is told only to those who may review tokens. */
    final class BadToken extends RuntimeException {
        private static final long serialVersionUID = 1L;

        public BadToken(String message) {
            super(message, null, false, false);
        }
    }
}
