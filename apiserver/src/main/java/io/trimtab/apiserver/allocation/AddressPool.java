package io.trimtab.apiserver.allocation;

import io.trimtab.apiserver.kinds.IpAddresses;
import io.trimtab.apiserver.kinds.IpAddresses.Range;
import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/**
 * The addresses of a range that Services may have, by their offsets in it: not the first, and with IPv4 not the last. Immutable.
 *
 * @param range that they are in
 */
record AddressPool(Range range) {

    /** The offset of the last usable address: the broadcast address of IPv4 is none. */
    BigInteger last() {
        return range.size().subtract(range.isV6() ? BigInteger.ONE : BigInteger.TWO);
    }

    /** Where automatic picks begin: min(max(16, size/16), 256) addresses from the start, none in tiny ranges. */
    BigInteger band() {
        BigInteger usable = last();
        BigInteger sixteen = BigInteger.valueOf(16);
        if (usable.compareTo(sixteen) <= 0) {
            return BigInteger.ONE;
        }
        BigInteger offset = usable.divide(sixteen).max(sixteen).min(BigInteger.valueOf(256));
        return offset.add(BigInteger.ONE);
    }

    /** Whether an address is one of them. */
    boolean has(String address) {
        byte @Nullable [] bytes = IpAddresses.parse(address);
        BigInteger offset = bytes == null ? null : range.offset(bytes);
        return offset != null && offset.signum() > 0 && offset.compareTo(last()) <= 0;
    }
}
