package io.trimtab.node.network;

/**
 * Who has connected, as the server sees it.
 *
 * @param address its IP, or that of a node that stands in for it
 * @param localAddress where it has connected to, at the server itself
 */
public record Peer(String address, int port, String localAddress, int localPort) {}
