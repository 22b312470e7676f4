package io.trimtab.apiserver.streaming;

import java.util.List;

/**
 * Connections to a pod's ports. Immutable.
 *
 * @param ports those that the request names, in order; a SPDY client names them later
 * @param connector opens connections
 */
public record PortForward(List<Integer> ports, Connector connector) {
    public PortForward {
        ports = List.copyOf(ports);
    }

    /** Opens connections. Safe for use by any thread. */
    public interface Connector {
        /** Opens a connection; what goes wrong is told to the output. */
        Input open(int port, Output output);
    }

    /** Where a connection puts what the client is to have. Safe for use by any thread. */
    public interface Output {
        void data(byte[] bytes);

        /** The other side sends no more. */
        void end();

        void error(String message);
    }

    /** What the client does. One call at a time. */
    public interface Input {
        void data(byte[] bytes);

        /** The client sends no more, or has gone. */
        void end();
    }
}
