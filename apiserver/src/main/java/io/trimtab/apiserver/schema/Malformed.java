package io.trimtab.apiserver.schema;

/** The text is no JSON, or no YAML, at all. */
final class Malformed extends DecodeException {
    private static final long serialVersionUID = 1L;

    Malformed(String message) {
        super(message);
    }
}
