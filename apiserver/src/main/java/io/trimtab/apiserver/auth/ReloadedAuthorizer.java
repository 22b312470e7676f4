package io.trimtab.apiserver.auth;

/** A chain of authorizers that may be exchanged for another while requests come. Safe for use by any thread. */
public final class ReloadedAuthorizer implements Authorizer, RuleResolver {
    private volatile AuthorizerChain current;

    public ReloadedAuthorizer(AuthorizerChain first) {
        this.current = first;
    }

    /** Asks these from now on. */
    public void exchange(AuthorizerChain others) {
        current = others;
    }

    @Override
    public Decision authorize(UserInfo user, Attributes attributes) {
        return current.authorize(user, attributes);
    }

    @Override
    public Rules rulesFor(UserInfo user, String namespace) {
        return current.rulesFor(user, namespace);
    }
}
