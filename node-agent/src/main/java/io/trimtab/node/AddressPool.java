package io.trimtab.node;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * The pod addresses of one node, out of its IPv4 pod CIDR. The network and broadcast addresses and the first one, the node's own
 * end, are never given out. Safe for use by any thread.
 */
final class AddressPool {
    private final long first;
    private final int size;
    private final BitSet used;
    private int next;

    /** @throws IllegalArgumentException if this is no IPv4 CIDR */
    AddressPool(String cidr) {
        int slash = cidr.indexOf('/');
        if (slash < 0) {
            throw new IllegalArgumentException("pod CIDR " + cidr + ": expected an address and a prefix length");
        }
        int bits = 32 - Integer.parseInt(cidr.substring(slash + 1));
        this.first = parse(cidr.substring(0, slash));
        this.size = bits >= 31 ? Integer.MAX_VALUE : 1 << bits;
        this.used = new BitSet();
        used.set(0, Math.min(2, size));
        this.next = 2;
    }

    /** An address nobody has, going round so that one is not used again at once; null if there is none left. */
    synchronized @Nullable String take() {
        int last = size - 1;
        int found = used.nextClearBit(next);
        if (found >= last) {
            found = used.nextClearBit(2);
        }
        if (found >= last) {
            return null;
        }
        used.set(found);
        next = found + 1;
        return format(first + found);
    }

    /** Marks an address as used, as a pod's status tells; one of another range is ignored. */
    synchronized void reserve(String address) {
        int offset = offset(address);
        if (offset > 0) {
            used.set(offset);
        }
    }

    synchronized void release(String address) {
        int offset = offset(address);
        if (offset > 1) {
            used.clear(offset);
        }
    }

    private int offset(String address) {
        if (address.indexOf(':') >= 0) {
            return -1;
        }
        long offset = parse(address) - first;
        return offset > 0 && offset < size ? (int) offset : -1;
    }

    private static long parse(String address) {
        long value = 0;
        for (String part : address.split("\\.", -1)) {
            value = value << 8 | Integer.parseInt(part);
        }
        return value;
    }

    private static String format(long value) {
        return (value >> 24 & 0xff) + "." + (value >> 16 & 0xff) + "." + (value >> 8 & 0xff) + "." + (value & 0xff);
    }
}
