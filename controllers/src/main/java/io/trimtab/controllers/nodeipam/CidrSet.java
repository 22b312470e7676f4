package io.trimtab.controllers.nodeipam;

import java.math.BigInteger;
import java.util.BitSet;
import java.util.Optional;

/** Divides a cluster's range into ranges for nodes and remembers which are taken. Safe for use by several threads. */
final class CidrSet {
    /** More would make a bit set that nobody needs: 65,536 nodes are enough. */
    private static final int MAX_BITS = 16;

    private final Cidr cluster;
    private final int nodeMask;
    private final int size;
    /** Guarded by this. */
    private final BitSet taken = new BitSet();
    /** Guarded by this: where the search goes on, so that a range that became free is not used again at once. */
    private int next;

    /** @throws IllegalArgumentException if the masks do not fit each other */
    CidrSet(Cidr cluster, int nodeMask) {
        int bits = nodeMask - cluster.prefix();
        if (bits < 0 || nodeMask > cluster.bits()) {
            throw new IllegalArgumentException(
                    "node mask /" + nodeMask + " does not fit the cluster's range " + cluster);
        }
        if (cluster.isIpv6() && bits > MAX_BITS) {
            throw new IllegalArgumentException("New CIDR set failed; the node CIDR size is too big");
        }
        this.cluster = cluster;
        this.nodeMask = nodeMask;
        this.size = 1 << Math.min(bits, 30);
    }

    /** A free range, which is now taken; empty if there is none. */
    synchronized Optional<Cidr> take() {
        int index = taken.nextClearBit(next);
        if (index >= size) {
            index = taken.nextClearBit(0);
            if (index >= size) {
                return Optional.empty();
            }
        }
        taken.set(index);
        next = (index + 1) % size;
        return Optional.of(cluster.part(index, nodeMask));
    }

    /** Notes that a range is in use by somebody; one outside of the cluster's does not matter. */
    synchronized void occupy(Cidr cidr) {
        mark(cidr, true);
    }

    synchronized void release(Cidr cidr) {
        mark(cidr, false);
    }

    boolean covers(Cidr cidr) {
        return cluster.overlaps(cidr);
    }

    private void mark(Cidr cidr, boolean used) {
        if (cluster.overlaps(cidr)) {
            int first = index(cidr.base().max(cluster.base()));
            int last = index(cidr.last().min(cluster.last()));
            taken.set(first, last + 1, used);
        }
    }

    private int index(BigInteger address) {
        return address.subtract(cluster.base())
                .shiftRight(cluster.bits() - nodeMask)
                .intValueExact();
    }
}
