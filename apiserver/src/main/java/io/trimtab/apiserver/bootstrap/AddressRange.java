package io.trimtab.apiserver.bootstrap;

import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;

/** A range of IP addresses in CIDR form. Immutable. */
public record AddressRange(BigInteger network, int prefixLength, int bits) {

    /** @throws IllegalArgumentException if the text is no range */
    public static AddressRange parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 0) {
            throw new IllegalArgumentException("not a range of addresses: " + text + ", expected such as 10.96.0.0/16");
        }
        byte[] address = address(text.substring(0, slash)).getAddress();
        int bits = address.length * 8;
        int prefix = Integer.parseInt(text.substring(slash + 1));
        if (prefix < 0 || prefix > bits) {
            throw new IllegalArgumentException("not a range of addresses: " + text + ", the prefix is too long");
        }
        BigInteger mask = BigInteger.ONE.shiftLeft(bits).subtract(BigInteger.ONE.shiftLeft(bits - prefix));
        return new AddressRange(new BigInteger(1, address).and(mask), prefix, bits);
    }

    /** The first address that may be given away: the one after the network's. */
    public String first() {
        return show(network.add(BigInteger.ONE));
    }

    /** {@code IPv4} or {@code IPv6}. */
    public String family() {
        return bits == 32 ? "IPv4" : "IPv6";
    }

    static String family(String address) {
        return address.indexOf(':') >= 0 ? "IPv6" : "IPv4";
    }

    public static boolean isLoopback(String address) {
        return address.isEmpty() || address(address).isLoopbackAddress();
    }

    private String show(BigInteger address) {
        byte[] raw = address.toByteArray();
        byte[] bytes = new byte[bits / 8];
        for (int i = 0; i < bytes.length; i++) {
            int from = raw.length - bytes.length + i;
            bytes[i] = from >= 0 ? raw[from] : 0;
        }
        if (bits == 32) {
            return (bytes[0] & 0xff) + "." + (bytes[1] & 0xff) + "." + (bytes[2] & 0xff) + "." + (bytes[3] & 0xff);
        }
        return shortForm(bytes);
    }

    /** RFC 5952: the longest run of zeros, of two at the least, becomes a double colon. */
    private static String shortForm(byte[] bytes) {
        int[] groups = new int[8];
        for (int i = 0; i < 8; i++) {
            groups[i] = (bytes[2 * i] & 0xff) << 8 | bytes[2 * i + 1] & 0xff;
        }
        int bestStart = -1;
        int bestLength = 1;
        for (int i = 0; i < 8; i++) {
            int length = 0;
            while (i + length < 8 && groups[i + length] == 0) {
                length++;
            }
            if (length > bestLength) {
                bestStart = i;
                bestLength = length;
            }
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            if (i == bestStart) {
                text.append("::");
                i += bestLength - 1;
            } else {
                if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
                    text.append(':');
                }
                text.append(Integer.toHexString(groups[i]));
            }
        }
        return text.toString();
    }

    private static InetAddress address(String text) {
        try {
            if (!text.matches("[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")) {
                throw new IllegalArgumentException("not an address: " + text); // and no name to look up
            }
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("not an address: " + text, e);
        }
    }
}
