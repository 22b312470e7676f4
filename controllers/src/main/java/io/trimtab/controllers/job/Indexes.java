package io.trimtab.controllers.job;

import java.util.BitSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Sets of completion indexes, as their text has them: {@code 1,3-5,7}. Pure functions. */
final class Indexes {
    private static final Pattern INTERVAL = Pattern.compile("(\\d{1,9})(?:-(\\d{1,9}))?");

    private Indexes() {}

    /** @param size indexes from here on are left out; what cannot be read, too */
    static BitSet parse(@Nullable String text, int size) {
        BitSet set = new BitSet();
        if (text == null || text.isEmpty()) {
            return set;
        }
        for (String part : text.split(",", -1)) {
            Matcher matcher = INTERVAL.matcher(part);
            if (matcher.matches()) {
                int first = Integer.parseInt(matcher.group(1));
                int last = matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
                if (first < size) {
                    set.set(first, Math.min(last, size - 1) + 1);
                }
            }
        }
        return set;
    }

    static String text(BitSet set) {
        StringBuilder text = new StringBuilder();
        for (int first = set.nextSetBit(0); first >= 0; ) {
            int end = set.nextClearBit(first);
            if (text.length() > 0) {
                text.append(',');
            }
            text.append(first);
            // Two in a row are written as a pair, as in Kubernetes.
            if (end - first == 2) {
                text.append(',').append(end - 1);
            } else if (end - first > 2) {
                text.append('-').append(end - 1);
            }
            first = set.nextSetBit(end);
        }
        return text.toString();
    }
}
