package io.trimtab.apiserver.auth;

import java.util.List;
import java.util.Map;

/** Who asks. Immutable. */
public record UserInfo(String name, String uid, List<String> groups, Map<String, List<String>> extra) {
    public static final String ANONYMOUS_NAME = "system:anonymous";
    public static final String AUTHENTICATED_GROUP = "system:authenticated";
    public static final String UNAUTHENTICATED_GROUP = "system:unauthenticated";
    public static final String MASTERS_GROUP = "system:masters";

    /** Nobody in particular. */
    public static final UserInfo ANONYMOUS = new UserInfo(ANONYMOUS_NAME, "", List.of(UNAUTHENTICATED_GROUP), Map.of());

    /** The API server itself, for its own loopback requests. */
    public static final UserInfo SELF =
            new UserInfo("system:apiserver", "", List.of(AUTHENTICATED_GROUP, MASTERS_GROUP), Map.of());

    public UserInfo {
        groups = List.copyOf(groups);
        extra = Map.copyOf(extra);
    }

    public static UserInfo of(String name, String... groups) {
        return new UserInfo(name, "", List.of(groups), Map.of());
    }
}
