package io.trimtab.apiserver.auth;

import org.jspecify.annotations.Nullable;

/** Which node a user is. Stateless. */
final class NodeIdentity {
    private static final String PREFIX = "system:node:";

    private NodeIdentity() {}

    /** Null if the user is no node; empty if it is one without a name. */
    static @Nullable String of(UserInfo user) {
        return user.name().startsWith(PREFIX) && user.groups().contains("system:nodes")
                ? user.name().substring(PREFIX.length())
                : null;
    }
}
