package io.trimtab.apiserver.auth;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Sets of names that servers go by. Stateless. */
public final class Audiences {
    private Audiences() {}

    /** What is in both, in the order of the first. */
    public static List<String> intersect(List<String> first, List<String> second) {
        List<String> both = new ArrayList<>(first);
        both.retainAll(second);
        return both;
    }

    /** A token that names no audience itself is meant for this server only. */
    public static Optional<TokenAuthenticator.Authenticated> within(
            UserInfo user, List<String> own, List<String> asked) {
        if (asked.isEmpty() || own.isEmpty()) {
            return Optional.of(new TokenAuthenticator.Authenticated(user, own));
        }
        List<String> both = intersect(own, asked);
        return both.isEmpty() ? Optional.empty() : Optional.of(new TokenAuthenticator.Authenticated(user, both));
    }
}
