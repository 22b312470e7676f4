package io.trimtab.apiserver.flowcontrol;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Divides the server's seats among levels: each gets the same fraction of what it could use, within its bounds. Pure.
 *
 * <p>The fraction is found by raising it from zero: between two bounds the sum of all shares grows linearly.
 */
final class SeatAllocation {
    /** So that nothing is divided by zero. */
    private static final double LEAST_TARGET = 0.001;

    private static final double EPSILON = 1e-7;

    /** One level. {@code target >= lower >= 0}, {@code upper >= lower}. */
    record Item(double lower, double upper, double target) {}

    /**
     * @param shares one for each item, in their order
     * @param fraction of its target that an item has if no bound holds it
     */
    record Result(double[] shares, double fraction) {}

    private SeatAllocation() {}

    /** @throws IllegalArgumentException if the bounds leave no way to reach the sum */
    static Result compute(int sum, List<Item> items) {
        double lowest = items.stream().mapToDouble(Item::lower).sum();
        double highest = items.stream().mapToDouble(Item::upper).sum();
        if (lowest - sum > EPSILON || sum - highest > EPSILON) {
            throw new IllegalArgumentException(
                    "cannot divide " + sum + " seats: the bounds add up to " + lowest + " and " + highest);
        }
        // Where a share leaves its lower bound, and where it meets its upper one.
        record Bound(double at, double slope) {}
        List<Bound> bounds = new ArrayList<>();
        for (Item item : items) {
            double target = Math.max(item.target(), LEAST_TARGET);
            bounds.add(new Bound(item.lower() / target, target));
            bounds.add(new Bound(item.upper() / target, -target));
        }
        bounds.sort(Comparator.comparingDouble(Bound::at));
        double fraction = bounds.isEmpty() ? 0 : bounds.get(0).at();
        double reached = lowest;
        double slope = 0;
        for (Bound bound : bounds) {
            double next = reached + (bound.at() - fraction) * slope;
            if (next >= sum && slope > EPSILON) {
                break;
            }
            reached = next;
            fraction = bound.at();
            slope += bound.slope();
            if (reached >= sum - EPSILON) {
                break;
            }
        }
        if (reached < sum && slope > EPSILON) {
            fraction += (sum - reached) / slope;
        }
        double[] shares = new double[items.size()];
        for (int i = 0; i < shares.length; i++) {
            Item item = items.get(i);
            shares[i] =
                    Math.max(item.lower(), Math.min(item.upper(), fraction * Math.max(item.target(), LEAST_TARGET)));
        }
        return new Result(shares, fraction);
    }
}
