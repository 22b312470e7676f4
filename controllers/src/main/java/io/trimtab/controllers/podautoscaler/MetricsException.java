package io.trimtab.controllers.podautoscaler;

/** A count of replicas cannot be computed; the message says why, in the words that go into conditions and events. */
final class MetricsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MetricsException(String message) {
        super(message);
    }
}
