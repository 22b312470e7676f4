package io.trimtab.node.network;

import com.google.common.net.InetAddresses;

/** A range of IPv4 or IPv6 addresses. Immutable. */
record Cidr(byte[] base, int bits) {

    /** @throws IllegalArgumentException if this is no CIDR */
    static Cidr parse(String text) {
        int slash = text.indexOf('/');
        byte[] base = InetAddresses.forString(slash < 0 ? text : text.substring(0, slash))
                .getAddress();
        return new Cidr(base, slash < 0 ? base.length * 8 : Integer.parseInt(text.substring(slash + 1)));
    }

    /** False for what is no address, or one of the other family. */
    boolean contains(String address) {
        if (!InetAddresses.isInetAddress(address)) {
            return false;
        }
        byte[] other = InetAddresses.forString(address).getAddress();
        if (other.length != base.length) {
            return false;
        }
        for (int bit = 0; bit < bits; bit += 8) {
            int mask = bits - bit >= 8 ? 0xff : 0xff << 8 - (bits - bit) & 0xff;
            if (((base[bit / 8] ^ other[bit / 8]) & mask) != 0) {
                return false;
            }
        }
        return true;
    }
}
