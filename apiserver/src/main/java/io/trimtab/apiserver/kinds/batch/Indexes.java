package io.trimtab.apiserver.kinds.batch;

import io.trimtab.apiserver.errors.FieldErrors;
import java.util.ArrayList;
import java.util.List;

/**
 * A compressed list of indexes, such as {@code 0,3-5,7}.
 *
 * @param intervals first and last of each
 * @param total how many indexes there are
 * @param wrong what is wrong with the text; empty if nothing is
 */
record Indexes(List<long[]> intervals, long total, String wrong) {

    static Indexes parse(String text, long completions) {
        List<long[]> intervals = new ArrayList<>();
        if (text.isEmpty()) {
            return new Indexes(intervals, 0, "");
        }
        long total = 0;
        Long previous = null;
        for (String interval : text.split(",", -1)) {
            String[] ends = interval.split("-", -1);
            if (ends.length > 2) {
                return broken(
                        "the fragment " + FieldErrors.quote(interval)
                                + " violates the requirement that an index interval can have at most two parts separated by '-'");
            }
            long[] numbers = new long[2];
            for (int i = 0; i < ends.length; i++) {
                try {
                    numbers[i] = Long.parseLong(ends[i]);
                } catch (NumberFormatException e) {
                    return broken("cannot convert string to integer for index: " + FieldErrors.quote(ends[i]));
                }
                if (numbers[i] >= completions) {
                    return broken("too large index: " + FieldErrors.quote(ends[i]));
                }
            }
            if (ends.length == 1) {
                numbers[1] = numbers[0];
            } else if (numbers[0] >= numbers[1]) {
                return broken("non-increasing order, previous: " + numbers[0] + ", current: " + numbers[1]);
            }
            if (previous != null && previous >= numbers[0]) {
                return broken("non-increasing order, previous: " + previous + ", current: " + numbers[0]);
            }
            previous = numbers[1];
            total += numbers[1] - numbers[0] + 1;
            intervals.add(numbers);
        }
        return new Indexes(intervals, total, "");
    }

    private static Indexes broken(String why) {
        return new Indexes(List.of(), 0, why);
    }

    /** The first index that is in both, or -1. */
    long overlap(Indexes other) {
        for (long[] a : intervals) {
            for (long[] b : other.intervals) {
                if (a[0] <= b[1] && b[0] <= a[1]) {
                    return Math.max(a[0], b[0]);
                }
            }
        }
        return -1;
    }
}
