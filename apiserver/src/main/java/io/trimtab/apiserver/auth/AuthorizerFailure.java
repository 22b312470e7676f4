package io.trimtab.apiserver.auth;

/** An authorizer could not decide, though it should; others may. */
public final class AuthorizerFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public AuthorizerFailure(String message) {
        super(message, null, false, false);
    }

    /** Never null. */
    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
