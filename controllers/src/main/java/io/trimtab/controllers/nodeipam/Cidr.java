package io.trimtab.controllers.nodeipam;

import java.math.BigInteger;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A range of addresses, IPv4 or IPv6.
 *
 * @param base the first address as a number
 * @param prefix how many leading bits all its addresses share
 * @param bits 32 or 128
 */
record Cidr(BigInteger base, int prefix, int bits) {

    /**
     * Reads {@code 172.16.0.0/16} or {@code fd00::/48}; bits after the prefix are ignored.
     *
     * @throws IllegalArgumentException if it is no such range
     */
    static Cidr parse(String text) {
        int slash = text.indexOf('/');
        String address = slash < 0 ? "" : text.substring(0, slash);
        // Only literal addresses: a name would be looked up.
        if (!address.matches("[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")) {
            throw new IllegalArgumentException("invalid CIDR address: " + text);
        }
        try {
            InetAddress parsed = InetAddress.getByName(address);
            int bits = parsed instanceof Inet6Address ? 128 : 32;
            int prefix = Integer.parseInt(text.substring(slash + 1));
            if (prefix < 0 || prefix > bits || parsed instanceof Inet4Address && address.contains(":")) {
                throw new IllegalArgumentException("invalid CIDR address: " + text);
            }
            BigInteger base = new BigInteger(1, parsed.getAddress());
            int host = bits - prefix;
            return new Cidr(base.shiftRight(host).shiftLeft(host), prefix, bits);
        } catch (UnknownHostException | NumberFormatException e) {
            throw new IllegalArgumentException("invalid CIDR address: " + text, e);
        }
    }

    boolean isIpv6() {
        return bits == 128;
    }

    /** One of the ranges of a longer prefix that this one is divided into. */
    Cidr part(int index, int longerPrefix) {
        return new Cidr(base.add(BigInteger.valueOf(index).shiftLeft(bits - longerPrefix)), longerPrefix, bits);
    }

    BigInteger last() {
        return base.add(BigInteger.ONE.shiftLeft(bits - prefix)).subtract(BigInteger.ONE);
    }

    boolean overlaps(Cidr other) {
        return bits == other.bits && base.compareTo(other.last()) <= 0 && other.base.compareTo(last()) <= 0;
    }

    @Override
    public String toString() {
        byte[] bytes = new byte[bits / 8];
        byte[] number = base.toByteArray();
        for (int i = 0; i < Math.min(bytes.length, number.length); i++) {
            bytes[bytes.length - 1 - i] = number[number.length - 1 - i];
        }
        return (isIpv6() ? shortIpv6(bytes) : ipv4(bytes)) + "/" + prefix;
    }

    private static String ipv4(byte[] bytes) {
        return (bytes[0] & 255) + "." + (bytes[1] & 255) + "." + (bytes[2] & 255) + "." + (bytes[3] & 255);
    }

    /** The canonical short form (RFC 5952): the longest run of two or more zero groups becomes {@code ::}. */
    private static String shortIpv6(byte[] bytes) {
        int[] groups = new int[8];
        Arrays.setAll(groups, i -> (bytes[2 * i] & 255) << 8 | bytes[2 * i + 1] & 255);
        int start = -1;
        int length = 1;
        for (int i = 0; i < 8; i++) {
            int end = i;
            while (end < 8 && groups[end] == 0) {
                end++;
            }
            if (end - i > length) {
                start = i;
                length = end - i;
            }
        }
        List<String> before = new ArrayList<>();
        List<String> after = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            if (start < 0 || i < start) {
                before.add(Integer.toHexString(groups[i]));
            } else if (i >= start + length) {
                after.add(Integer.toHexString(groups[i]));
            }
        }
        return start < 0 ? String.join(":", before) : String.join(":", before) + "::" + String.join(":", after);
    }
}
