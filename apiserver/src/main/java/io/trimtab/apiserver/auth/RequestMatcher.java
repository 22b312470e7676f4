package io.trimtab.apiserver.auth;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Says which requests an authorizer is asked about. Safe for use by any thread. */
@FunctionalInterface
public interface RequestMatcher {
    /** All requests. */
    RequestMatcher EVERYTHING = spec -> true;

    /**
     * Whether this request is meant.
     *
     * @param spec of a SubjectAccessReview of version v1, with all its texts, also empty ones
     * @throws AuthorizerFailure if that cannot be told
     */
    boolean matches(ObjectNode spec);
}
