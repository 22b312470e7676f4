package io.trimtab.apiserver.callout;

/** A call that got no answer. The message is Go's, without the URL: {@code dial tcp 127.0.0.1:1: connect: connection refused}. */
public final class CalloutException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final boolean timedOut;

    public CalloutException(String message) {
        this(message, false);
    }

    private CalloutException(String message, boolean timedOut) {
        super(message, null, false, false);
        this.timedOut = timedOut;
    }

    /** The time for the call is over. */
    public static CalloutException timeout() {
        return new CalloutException("context deadline exceeded", true);
    }

    /** Whether the other side was too slow. */
    public boolean timedOut() {
        return timedOut;
    }

    /** Never null. */
    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
