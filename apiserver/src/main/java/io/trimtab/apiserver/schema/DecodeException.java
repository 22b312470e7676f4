package io.trimtab.apiserver.schema;

/** A body or tree does not fit the type; the message is the bare cause in the words of Kubernetes' decoder. */
public class DecodeException extends Exception {
    private static final long serialVersionUID = 1L;

    public DecodeException(String message) {
        super(message, null, false, false);
    }

    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
