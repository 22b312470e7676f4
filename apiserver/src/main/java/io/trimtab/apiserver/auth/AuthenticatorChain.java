package io.trimtab.apiserver.auth;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Asks several authenticators, in order: the first that knows the user decides. A request whose credentials nobody accepts is
 * refused; it does not become anonymous. Safe for use by any thread.
 */
public final class AuthenticatorChain {
    private final List<Authenticator> authenticators;
    private final Predicate<ApiRequest> anonymousAllowed;

    /** @param anonymousAllowed whether requests without credentials pass, as {@link UserInfo#ANONYMOUS} */
    public AuthenticatorChain(List<Authenticator> authenticators, boolean anonymousAllowed) {
        this(authenticators, request -> anonymousAllowed);
    }

    /** @param anonymousAllowed which requests without credentials pass, as {@link UserInfo#ANONYMOUS} */
    public AuthenticatorChain(List<Authenticator> authenticators, Predicate<ApiRequest> anonymousAllowed) {
        this.authenticators = List.copyOf(authenticators);
        this.anonymousAllowed = anonymousAllowed;
    }

    /**
     * Who asks.
     *
     * @throws StatusException 401 if the credentials are bad, or there are none and such requests do not pass
     */
    public UserInfo authenticate(ApiRequest request) {
        UserInfo trusted = request.peer().trusted();
        if (trusted != null) {
            return trusted;
        }
        boolean refused = false;
        for (Authenticator authenticator : authenticators) {
            try {
                Optional<UserInfo> user = authenticator.authenticate(request);
                if (user.isPresent()) {
                    return user.get().name().equals(UserInfo.ANONYMOUS_NAME)
                            ? user.get()
                            : withGroup(user.get(), UserInfo.AUTHENTICATED_GROUP);
                }
            } catch (StatusException e) {
                if (e.code() != 401) {
                    throw e;
                }
                refused = true; // a later one may know better
            }
        }
        if (refused || !anonymousAllowed.test(request)) {
            throw Statuses.unauthorized();
        }
        return UserInfo.ANONYMOUS;
    }

    static UserInfo withGroup(UserInfo user, String group) {
        if (user.groups().contains(group)) {
            return user;
        }
        List<String> groups = new ArrayList<>(user.groups());
        groups.add(group);
        return new UserInfo(user.name(), user.uid(), groups, user.extra());
    }
}
