package io.trimtab.apiserver.protobuf;

/** A body that says it is protobuf, and is not, or not of a known kind. */
public final class MalformedProtobufException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MalformedProtobufException(String message) {
        super(message, null, false, false);
    }
}
