package io.trimtab.apiserver.flowcontrol;

/**
 * Follows how many seats a level could use: its highest value, average and deviation over a period, and a smoothed figure that
 * rises at once and decays with a half-life of five minutes. Guarded by the lock of the level's queues.
 */
final class SeatDemand {
    /** Per adjustment of ten seconds: thirty of them halve it. */
    private static final double SMOOTHING = 0.977;

    private double value;
    private double highest;
    private long since;
    private double seconds;
    private double integral;
    private double squares;

    private double average;
    private double deviation;
    private int highWatermark;
    private double smoothed;

    SeatDemand(long now) {
        since = now;
    }

    void set(double seats, long now) {
        advance(now);
        value = seats;
        if (seats > highest) {
            highest = seats;
        }
    }

    private void advance(long now) {
        double passed = (now - since) / 1e9;
        since = now;
        seconds += passed;
        integral += value * passed;
        squares += value * value * passed;
    }

    /** Ends a period. */
    void endPeriod(long now) {
        advance(now);
        highWatermark = (int) Math.round(highest);
        if (seconds > 0) {
            average = integral / seconds;
            double variance = squares / seconds - average * average;
            deviation = variance >= 0 ? Math.sqrt(variance) : 0;
            double envelope = average + deviation;
            smoothed = Math.max(envelope, SMOOTHING * smoothed + (1 - SMOOTHING) * envelope);
        }
        seconds = 0;
        integral = 0;
        squares = 0;
        highest = value;
    }

    int highWatermark() {
        return highWatermark;
    }

    double average() {
        return average;
    }

    double deviation() {
        return deviation;
    }

    double smoothed() {
        return smoothed;
    }
}
