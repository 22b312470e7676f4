package io.trimtab.node.simulated;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** What one run of a container has printed, line by line; old lines go when there are too many. Safe for use by any thread. */
final class ContainerLog {
    private static final int MAX_CHARACTERS = 1 << 20;

    private final Deque<Line> lines = new ArrayDeque<>();
    private final StringBuilder open = new StringBuilder();
    private final List<Follower> followers = new CopyOnWriteArrayList<>();
    private int size;
    private boolean closed;

    /**
     * A line.
     *
     * @param text Latin-1, without its end
     * @param whole false for the last one if its end has not been printed
     */
    record Line(Instant time, String text, boolean whole) {}

    /** Somebody who reads along. Called with the log's lock held: must only hand on. */
    interface Follower {
        /** Something was printed, as it was. */
        default void printed(String text, boolean error) {}

        /** A line was completed; the last may be without its end. */
        default void line(Line line) {}

        /** Nothing more will be printed. */
        void ended();
    }

    /** How much it keeps, in bytes. */
    synchronized long size() {
        return size;
    }

    void write(Instant now, String text) {
        write(now, text, false);
    }

    synchronized void write(Instant now, String text, boolean error) {
        int from = 0;
        for (int end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
            Line line = new Line(now, open + text.substring(from, end), true);
            open.setLength(0);
            lines.addLast(line);
            size += line.text().length() + 1;
            from = end + 1;
            followers.forEach(f -> f.line(line));
        }
        open.append(text, from, text.length());
        while (size > MAX_CHARACTERS && !lines.isEmpty()) {
            size -= lines.removeFirst().text().length() + 1;
        }
        followers.forEach(f -> f.printed(text, error));
    }

    synchronized List<Line> lines(Instant now) {
        List<Line> all = new ArrayList<>(lines);
        if (open.length() > 0) {
            all.add(new Line(now, open.toString(), false));
        }
        return all;
    }

    /** Lets somebody read along from now on; returns what was printed before. One that has ended is told so at once. */
    synchronized List<Line> follow(Follower follower) {
        List<Line> before = new ArrayList<>(lines);
        if (closed) {
            if (open.length() > 0) {
                before.add(new Line(Instant.MAX, open.toString(), false));
            }
            return before;
        }
        followers.add(follower);
        return before;
    }

    synchronized boolean isClosed() {
        return closed;
    }

    void leave(Follower follower) {
        followers.remove(follower);
    }

    /** The container has ended. */
    synchronized void close(Instant now) {
        if (closed) {
            return;
        }
        closed = true;
        if (open.length() > 0) {
            Line last = new Line(now, open.toString(), false);
            followers.forEach(f -> f.line(last));
        }
        followers.forEach(Follower::ended);
        followers.clear();
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
