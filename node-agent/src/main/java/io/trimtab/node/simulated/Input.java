package io.trimtab.node.simulated;

/** What comes in by a program's standard input: all there already, or still being typed. Safe for use by any thread. */
final class Input {
    private static final int MAX_CHARACTERS = 64 << 20;

    private final StringBuilder waiting = new StringBuilder();
    private boolean closed;
    private Runnable reader = () -> {};

    /** An input that is there as a whole. */
    static Input of(String text) {
        Input input = new Input();
        input.waiting.append(text);
        input.closed = true;
        return input;
    }

    /** Sets who is told that more has come, or that no more will. */
    synchronized void onMore(Runnable told) {
        reader = told;
    }

    void add(String text) {
        Runnable told;
        synchronized (this) {
            if (closed || waiting.length() + text.length() > MAX_CHARACTERS) {
                return;
            }
            waiting.append(text);
            told = reader;
        }
        told.run();
    }

    void close() {
        Runnable told;
        synchronized (this) {
            closed = true;
            told = reader;
        }
        told.run();
    }

    synchronized boolean isClosed() {
        return closed;
    }

    synchronized boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** Whether a line can be read, or will never be longer. */
    synchronized boolean hasLine() {
        return closed || waiting.indexOf("\n") >= 0;
    }

    synchronized boolean hasSome() {
        return closed || !waiting.isEmpty();
    }

    /** What is there, which stays there. */
    synchronized String look() {
        return waiting.toString();
    }

    synchronized String take() {
        String all = waiting.toString();
        waiting.setLength(0);
        return all;
    }

    /** The next line without its end; what is left if there is no end. */
    synchronized String takeLine() {
        int end = waiting.indexOf("\n");
        String line = end < 0 ? waiting.toString() : waiting.substring(0, end);
        waiting.delete(0, end < 0 ? waiting.length() : end + 1);
        return line;
    }
}
