package io.trimtab.apiserver.streaming;

import java.util.function.Function;

/**
 * A command, or a container's own program, that a client talks to. Immutable.
 *
 * @param stdin whether the client types anything
 * @param tty whether that is by a terminal, which has no stream of errors
 * @param start begins; called once, when the client's streams are there
 */
public record RemoteCommand(boolean stdin, boolean stdout, boolean stderr, boolean tty, Function<Output, Input> start) {

    /** Where the command puts what the client is to see. Safe for use by any thread. */
    public interface Output {
        void stdout(byte[] bytes);

        void stderr(byte[] bytes);

        /**
         * That was all.
         *
         * @param status a Status, as JSON
         */
        void end(byte[] status);
    }

    /** What the client does. One call at a time. */
    public interface Input {
        void stdin(byte[] bytes);

        void endStdin();

        /** The client has gone. */
        void gone();
    }
}
