package io.trimtab.apiserver.flowcontrol;

/**
 * What a request is expected to cost. Immutable.
 *
 * @param initialSeats taken while it is served
 * @param finalSeats taken by what it causes afterwards, such as events to watchers
 * @param additionalNanos how long that lasts
 */
record Work(int initialSeats, int finalSeats, long additionalNanos) {
    static final Work ONE = new Work(1, 0, 0);

    /** Seats are reserved for both phases at once. */
    int maxSeats() {
        return Math.max(initialSeats, finalSeats);
    }

    /** In seat-seconds, if serving takes as long as estimated. */
    double total(double serviceSeconds) {
        return initialSeats * serviceSeconds + finalSeats * (additionalNanos / 1e9);
    }

    /** The same amount of final work on fewer seats, for longer. */
    Work narrowedTo(int seats) {
        return finalSeats <= seats
                ? this
                : new Work(initialSeats, seats, Math.round((double) additionalNanos * finalSeats / seats));
    }
}
