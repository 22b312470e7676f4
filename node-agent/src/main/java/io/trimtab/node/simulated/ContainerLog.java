package io.trimtab.node.simulated;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** What one run of a container has printed, line by line; old lines go when there are too many. Safe for use by any thread. */
final class ContainerLog {
    private static final int MAX_CHARACTERS = 1 << 20;

    private final Deque<Line> lines = new ArrayDeque<>();
    private final StringBuilder open = new StringBuilder();
    private int size;

    /**
     * A line.
     *
     * @param text Latin-1, without its end
     * @param whole false for the last one if its end has not been printed
     */
    record Line(Instant time, String text, boolean whole) {}

    synchronized void write(Instant now, String text) {
        int from = 0;
        for (int end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
            String line = open + text.substring(from, end);
            open.setLength(0);
            lines.addLast(new Line(now, line, true));
            size += line.length() + 1;
            from = end + 1;
        }
        open.append(text, from, text.length());
        while (size > MAX_CHARACTERS && !lines.isEmpty()) {
            size -= lines.removeFirst().text().length() + 1;
        }
    }

    synchronized List<Line> lines(Instant now) {
        List<Line> all = new ArrayList<>(lines);
        if (open.length() > 0) {
            all.add(new Line(now, open.toString(), false));
        }
        return all;
    }

    /** The end of what was printed: at most so many lines and characters. */
    String tail(Instant now, int maxLines, int maxCharacters) {
        List<Line> all = lines(now);
        StringBuilder text = new StringBuilder();
        for (Line line : all.subList(Math.max(0, all.size() - maxLines), all.size())) {
            text.append(line.text()).append(line.whole() ? "\n" : "");
        }
        return text.substring(Math.max(0, text.length() - maxCharacters));
    }
}
