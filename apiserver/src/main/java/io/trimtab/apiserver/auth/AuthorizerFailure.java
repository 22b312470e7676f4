package io.trimtab.apiserver.auth;

/** An authorizer could not decide, though it should; others may, unless that is to count as a no. */
public final class AuthorizerFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final boolean denies;

    public AuthorizerFailure(String message) {
        this(message, false);
    }

    /** @param denies whether nobody else is to be asked */
    public AuthorizerFailure(String message, boolean denies) {
        super(message, null, false, false);
        this.denies = denies;
    }

    /** Whether nobody else is to be asked. */
    public boolean denies() {
        return denies;
    }

    /** Never null. */
    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
