package io.trimtab.scheduler.plugins;

import io.trimtab.scheduler.framework.ScorePlugin;
import java.util.Arrays;

/** Brings raw scores into the range of the framework. Pure, but for the array it is given. */
final class Normalize {
    private Normalize() {}

    /** Scales to the highest score; reversed if less is better. */
    static void byMax(long[] scores, boolean reverse) {
        long max = 0;
        for (long score : scores) {
            max = Math.max(max, score);
        }
        if (max == 0) {
            if (reverse) {
                Arrays.fill(scores, ScorePlugin.MAX_SCORE);
            }
            return;
        }
        for (int i = 0; i < scores.length; i++) {
            long scaled = ScorePlugin.MAX_SCORE * scores[i] / max;
            scores[i] = reverse ? ScorePlugin.MAX_SCORE - scaled : scaled;
        }
    }
}
