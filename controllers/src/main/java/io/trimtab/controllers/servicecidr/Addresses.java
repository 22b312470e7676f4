package io.trimtab.controllers.servicecidr;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/**
 * A range of addresses, or one address: a prefix as long as the address itself. Immutable.
 *
 * @param bytes of the first address
 * @param prefix how many leading bits are fixed
 */
record Addresses(byte[] bytes, int prefix) {

    /** Reads {@code 10.0.0.0/16}, {@code fd00::/64} or an address alone; null if it is none. */
    static @Nullable Addresses parse(String text) {
        int slash = text.indexOf('/');
        String address = slash < 0 ? text : text.substring(0, slash);
        // Only literal addresses: a name would be looked up.
        if (!address.matches("[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")) {
            return null;
        }
        try {
            byte[] bytes = InetAddress.getByName(address).getAddress();
            int prefix = slash < 0 ? bytes.length * 8 : Integer.parseInt(text.substring(slash + 1));
            return prefix < 0 || prefix > bytes.length * 8 ? null : new Addresses(bytes, prefix);
        } catch (UnknownHostException | NumberFormatException e) {
            return null;
        }
    }

    boolean isV6() {
        return bytes.length == 16;
    }

    /** Whether all of the other's addresses are here. */
    boolean contains(Addresses other) {
        return prefix <= other.prefix && overlaps(other);
    }

    /** Whether some address is in both. */
    boolean overlaps(Addresses other) {
        if (bytes.length != other.bytes.length) {
            return false;
        }
        int common = Math.min(prefix, other.prefix);
        for (int bit = 0; bit < common; bit++) {
            int mask = 0x80 >> (bit & 7);
            if (((bytes[bit >> 3] ^ other.bytes[bit >> 3]) & mask) != 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * Whether an address may be a Service's here: not the first of a range, and with IPv4 not the last.
     *
     * @param address with a prefix of its full length
     */
    boolean serves(Addresses address) {
        if (!contains(address)) {
            return false;
        }
        boolean first = true;
        boolean last = !isV6();
        for (int bit = prefix; bit < bytes.length * 8; bit++) {
            boolean set = (address.bytes[bit >> 3] & 0x80 >> (bit & 7)) != 0;
            first &= !set;
            last &= set;
        }
        return !first && !last;
    }
}
