package io.trimtab.apiserver.cel;

/** An evaluation that found no value: a key that is missing, an overflow, arguments that no function takes. Without a stack. */
final class CelException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CelException(String message) {
        super(message, null, false, false);
    }

    static CelException noOverload() {
        return new CelException("no such overload");
    }

    static CelException noKey(Object key) {
        return new CelException("no such key: " + Values.text(key));
    }
}
