package io.trimtab.apiserver.auth;

import java.util.ArrayList;
import java.util.List;

/**
 * Asks several authorizers, in order: the first with an opinion decides. Members of {@code system:masters} may do everything,
 * whoever else is asked. Safe for use by any thread.
 */
public final class AuthorizerChain implements Authorizer, RuleResolver {
    private final List<Authorizer> authorizers;

    public AuthorizerChain(List<Authorizer> authorizers) {
        this.authorizers = List.copyOf(authorizers);
    }

    /** Lets everybody do everything: mode {@code AlwaysAllow}. */
    public static Authorizer alwaysAllow() {
        return Everything.INSTANCE;
    }

    /** Lets nobody do anything: mode {@code AlwaysDeny}. */
    public static Authorizer alwaysDeny() {
        return (user, attributes) -> new Decision(Verdict.NO_OPINION, "Everything is forbidden.");
    }

    @Override
    public Decision authorize(UserInfo user, Attributes attributes) {
        if (user.groups().contains(UserInfo.MASTERS_GROUP)) {
            return new Decision(Verdict.ALLOW, "");
        }
        List<String> reasons = new ArrayList<>();
        AuthorizerFailure failure = null;
        for (Authorizer authorizer : authorizers) {
            Decision decision;
            try {
                decision = authorizer.authorize(user, attributes);
            } catch (AuthorizerFailure e) {
                if (e.denies()) {
                    throw e;
                }
                failure = e; // the others may know better
                continue;
            }
            if (decision.verdict() != Verdict.NO_OPINION) {
                return decision;
            }
            if (!decision.reason().isEmpty()) {
                reasons.add(decision.reason());
            }
        }
        if (failure != null) {
            throw failure;
        }
        return new Decision(Verdict.NO_OPINION, String.join("\n", reasons));
    }

    @Override
    public Rules rulesFor(UserInfo user, String namespace) {
        Rules all = Rules.NONE;
        for (Authorizer authorizer : authorizers) {
            if (authorizer instanceof RuleResolver resolver) {
                all = all.and(resolver.rulesFor(user, namespace));
            }
        }
        return all;
    }

    private enum Everything implements Authorizer, RuleResolver {
        INSTANCE;

        @Override
        public Decision authorize(UserInfo user, Attributes attributes) {
            return new Decision(Verdict.ALLOW, "");
        }

        @Override
        public Rules rulesFor(UserInfo user, String namespace) {
            List<String> star = List.of("*");
            return new Rules(
                    List.of(new PolicyRule(star, star, star, List.of(), List.of())),
                    List.of(new PolicyRule(star, List.of(), List.of(), List.of(), star)),
                    false,
                    "");
        }
    }
}
