package io.trimtab.apiserver.protobuf;

import org.jspecify.annotations.Nullable;

/** A body that says it is protobuf, and is not, or does not fit its kind. */
public final class MalformedProtobufException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What the envelope says is in it, if it could be read: kind and version without group. */
    private final @Nullable String kind;

    private final @Nullable String version;

    MalformedProtobufException(String message) {
        this(message, null, null);
    }

    MalformedProtobufException(String message, @Nullable String kind, @Nullable String version) {
        super(message, null, false, false);
        this.kind = kind;
        this.version = version;
    }

    /** The kind of the object that could not be read; null if not even that could be. */
    public @Nullable String kind() {
        return kind;
    }

    /** The version, without group, that goes with the kind. */
    public @Nullable String version() {
        return version;
    }
}
