package io.trimtab.apiserver.flowcontrol;

/**
 * What has become of the requests of one FlowSchema at one level. Guarded by the lock of the level's queues.
 */
final class FlowStats {
    static final double[] DURATIONS = {0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30};
    static final double[] LENGTHS = {0, 10, 25, 50, 100, 250, 500, 1000};
    static final double[] SEATS = {1, 2, 4, 8, 16, 32, 64, 100};
    static final double[] WATCHES = {0, 1, 10, 100, 1000, 10000};

    /** Counts observations by upper bounds. */
    static final class Histogram {
        private final double[] bounds;
        final long[] counts;
        double sum;

        Histogram(double[] bounds) {
            this.bounds = bounds;
            this.counts = new long[bounds.length + 1];
        }

        void observe(double value) {
            int i = 0;
            while (i < bounds.length && value > bounds[i]) {
                i++;
            }
            counts[i]++;
            sum += value;
        }

        double[] bounds() {
            return bounds;
        }
    }

    final String schema;
    int executing;
    int seatsInUse;
    int waiting;
    int seatsWaiting;
    long dispatched;
    long rejectedFull;
    long rejectedLimit;
    long rejectedTimeout;
    long notAccommodated;
    final Histogram waitedThenExecuted = new Histogram(DURATIONS);
    final Histogram waitedInVain = new Histogram(DURATIONS);
    final Histogram executed = new Histogram(DURATIONS);
    final Histogram watchStarted = new Histogram(DURATIONS);
    final Histogram queueLengths = new Histogram(LENGTHS);
    final Histogram estimatedSeats = new Histogram(SEATS);
    final Histogram watchCounts = new Histogram(WATCHES);

    FlowStats(String schema) {
        this.schema = schema;
    }
}
