package io.trimtab.scheduler.framework;

/**
 * A port of the node that a container takes. Immutable.
 *
 * @param ip {@code 0.0.0.0} for every address
 * @param protocol TCP, UDP or SCTP
 * @param port from 1 to 65535
 */
public record HostPort(String ip, String protocol, int port) {
    static final String ANY = "0.0.0.0";

    /** True if the two cannot be on one node. */
    public boolean clashes(HostPort other) {
        return port == other.port
                && protocol.equals(other.protocol)
                && (ip.equals(ANY) || other.ip.equals(ANY) || ip.equals(other.ip));
    }
}
