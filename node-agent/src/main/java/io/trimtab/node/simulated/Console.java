package io.trimtab.node.simulated;

/** Whoever watches a program in a container. Bytes are Latin-1 text. Called from any thread; must only hand on. */
public interface Console {
    void output(String text);

    void error(String text);

    /** The program has ended, or the container. */
    void ended(int code);

    /** What the watcher does to the program. Safe for use by any thread. */
    interface Keys {
        void type(String text);

        /** Nothing more will be typed. */
        void endInput();

        /** The watcher has gone. */
        void leave();
    }
}
