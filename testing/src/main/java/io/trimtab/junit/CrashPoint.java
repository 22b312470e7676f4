package io.trimtab.junit;

import org.jspecify.annotations.Nullable;

/** Where a run lets a program die: right before or right after one of the writes of all programs, counted from 1. */
record CrashPoint(int write, boolean after) {

    /** As {@code before 3} or {@code after 3}. */
    static @Nullable CrashPoint parse(String text) {
        String[] words = text.strip().split("[ :-]+");
        if (text.isBlank()) {
            return null;
        }
        if (words.length != 2 || !words[0].matches("before|after") || !words[1].matches("\\d+")) {
            throw new IllegalArgumentException(
                    "expected a place to crash such as \"before 3\" or \"after 3\", found \"" + text + "\"");
        }
        return new CrashPoint(Integer.parseInt(words[1]), words[0].equals("after"));
    }

    @Override
    public String toString() {
        return (after ? "after " : "before ") + write;
    }
}
