package io.trimtab.apiserver.cel;

import io.trimtab.apiserver.kinds.IpAddresses;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** IP addresses and CIDR ranges. Stateless. */
final class NetworkLibrary {
    static final CelType IP = CelType.opaque("net.IP");
    static final CelType CIDR = CelType.opaque("net.CIDR");

    private NetworkLibrary() {}

    /** An address of 4 or 16 octets. */
    record Address(byte[] octets) implements Values.Opaque {
        @Override
        public CelType celType() {
            return IP;
        }

        @Override
        public long size() {
            return octets.length;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Address a && Arrays.equals(octets, a.octets);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(octets);
        }

        @Override
        public String toString() {
            return IpAddresses.canonical(octets);
        }

        boolean startsWith(int... first) {
            for (int i = 0; i < first.length; i++) {
                if ((octets[i] & 0xff) != first[i]) {
                    return false;
                }
            }
            return true;
        }

        boolean isV4() {
            return octets.length == 4;
        }

        boolean isUnspecified() {
            for (byte b : octets) {
                if (b != 0) {
                    return false;
                }
            }
            return true;
        }

        boolean isLoopback() {
            return isV4()
                    ? octets[0] == 127
                    : Arrays.equals(octets, new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
        }

        boolean isLinkLocalUnicast() {
            return isV4() ? startsWith(169, 254) : octets[0] == (byte) 0xfe && (octets[1] & 0xc0) == 0x80;
        }

        boolean isLinkLocalMulticast() {
            return isV4() ? startsWith(224, 0, 0) : octets[0] == (byte) 0xff && (octets[1] & 0x0f) == 2;
        }

        boolean isMulticast() {
            return isV4() ? (octets[0] & 0xf0) == 0xe0 : octets[0] == (byte) 0xff;
        }

        boolean isGlobalUnicast() {
            boolean broadcast = isV4() && startsWith(255, 255, 255, 255);
            return !broadcast && !isUnspecified() && !isLoopback() && !isMulticast() && !isLinkLocalUnicast();
        }
    }

    /** An address and the length of its prefix. */
    record Network(Address address, int bits) implements Values.Opaque {
        @Override
        public CelType celType() {
            return CIDR;
        }

        @Override
        public long size() {
            return (bits + 7) / 8;
        }

        @Override
        public String toString() {
            return address + "/" + bits;
        }

        Network masked() {
            return new Network(new Address(mask(address.octets())), bits);
        }

        private byte[] mask(byte[] octets) {
            byte[] masked = octets.clone();
            for (int i = 0; i < masked.length; i++) {
                int keep = Math.max(0, Math.min(8, bits - i * 8));
                masked[i] &= (byte) (0xff << (8 - keep));
            }
            return masked;
        }

        boolean contains(Address other) {
            return other.octets().length == address.octets().length
                    && Arrays.equals(mask(other.octets()), mask(address.octets()));
        }
    }

    static void declare(Libraries to) {
        to.add("ip", Overload.global("string_to_ip", IP, a -> address((String) a[0]), CelType.STRING));
        to.add("ip", Overload.member("cidr_ip", IP, a -> ((Network) a[0]).address(), CIDR));
        to.add("family", Overload.member("ip_family", CelType.INT, a -> ((Address) a[0]).isV4() ? 4L : 6L, IP));
        to.add(
                "ip.isCanonical",
                Overload.global(
                        "ip_is_canonical",
                        CelType.BOOL,
                        a -> address((String) a[0]).toString().equals(a[0]),
                        CelType.STRING));
        to.add("isUnspecified", test("ip_is_unspecified", Address::isUnspecified));
        to.add("isLoopback", test("ip_is_loopback", Address::isLoopback));
        to.add("isLinkLocalMulticast", test("ip_is_link_local_multicast", Address::isLinkLocalMulticast));
        to.add("isLinkLocalUnicast", test("ip_is_link_local_unicast", Address::isLinkLocalUnicast));
        to.add("isGlobalUnicast", test("ip_is_global_unicast", Address::isGlobalUnicast));
        to.add(
                "isIP",
                Overload.global(
                        "is_ip", CelType.BOOL, a -> parseAddress((String) a[0]) instanceof Address, CelType.STRING));
        to.add("string", Overload.global("ip_to_string", CelType.STRING, a -> a[0].toString(), IP));
        to.add("cidr", Overload.global("string_to_cidr", CIDR, a -> network((String) a[0]), CelType.STRING));
        to.add(
                "isCIDR",
                Overload.global(
                        "is_cidr", CelType.BOOL, a -> parseNetwork((String) a[0]) instanceof Network, CelType.STRING));
        to.add("string", Overload.global("cidr_to_string", CelType.STRING, a -> a[0].toString(), CIDR));
        to.add(
                "containsIP",
                Overload.member(
                        "cidr_contains_ip_string",
                        CelType.BOOL,
                        a -> ((Network) a[0]).contains(address((String) a[1])),
                        CIDR,
                        CelType.STRING),
                Overload.member(
                        "cidr_contains_ip_ip", CelType.BOOL, a -> ((Network) a[0]).contains((Address) a[1]), CIDR, IP));
        to.add(
                "containsCIDR",
                Overload.member(
                        "cidr_contains_cidr_string",
                        CelType.BOOL,
                        a -> contains((Network) a[0], network((String) a[1])),
                        CIDR,
                        CelType.STRING),
                Overload.member(
                        "cidr_contains_cidr", CelType.BOOL, a -> contains((Network) a[0], (Network) a[1]), CIDR, CIDR));
        to.add(
                "prefixLength",
                Overload.member("cidr_prefix_length", CelType.INT, a -> (long) ((Network) a[0]).bits(), CIDR));
        to.add("masked", Overload.member("cidr_masked", CIDR, a -> ((Network) a[0]).masked(), CIDR));
    }

    private interface AddressTest {
        boolean test(Address address);
    }

    private static Overload test(String id, AddressTest test) {
        return Overload.member(id, CelType.BOOL, a -> test.test((Address) a[0]), IP);
    }

    private static boolean contains(Network outer, Network inner) {
        return outer.bits() <= inner.bits() && outer.contains(inner.address());
    }

    private static Address address(String text) {
        Object parsed = parseAddress(text);
        if (parsed instanceof Address address) {
            return address;
        }
        throw new CelException(String.valueOf(parsed));
    }

    private static Network network(String text) {
        Object parsed = parseNetwork(text);
        if (parsed instanceof Network network) {
            return network;
        }
        throw new CelException(String.valueOf(parsed));
    }

    private static boolean isMapped(byte[] octets) {
        if (octets.length != 16 || octets[10] != -1 || octets[11] != -1) {
            return false;
        }
        for (int i = 0; i < 10; i++) {
            if (octets[i] != 0) {
                return false;
            }
        }
        return true;
    }

    private static String quote(String text) {
        return io.trimtab.apiserver.errors.FieldErrors.quote(text);
    }

    /** An Address, or what is wrong. */
    private static Object parseAddress(String text) {
        if (text.indexOf('%') > 0 && octets(text.substring(0, text.indexOf('%'))) != null) {
            return "IP address " + quote(text) + " with zone value is not allowed";
        }
        byte[] octets = octets(text);
        if (octets == null) {
            return "IP Address " + quote(text) + " parse error during conversion from string: ParseAddr(" + quote(text)
                    + "): unable to parse IP";
        }
        if (isMapped(octets)) {
            return "IPv4-mapped IPv6 address " + quote(text) + " is not allowed";
        }
        return new Address(octets);
    }

    private static byte @Nullable [] octets(String text) {
        // A leading zero could be meant as octal: nobody knows, so it is no address.
        return text.indexOf(':') < 0 && text.matches(".*(^|\\.)0\\d.*") ? null : IpAddresses.parse(text);
    }

    private static Object parseNetwork(String text) {
        String problem = "network address parse error during conversion from string: ";
        int slash = text.lastIndexOf('/');
        if (slash < 0) {
            return problem + "netip.ParsePrefix(" + quote(text) + "): no '/'";
        }
        byte[] octets = octets(text.substring(0, slash));
        if (octets == null) {
            return problem + "netip.ParsePrefix(" + quote(text) + "): ParseAddr(" + quote(text.substring(0, slash))
                    + "): unable to parse IP";
        }
        String bits = text.substring(slash + 1);
        if (!bits.matches("0|[1-9]\\d{0,2}")) {
            return problem + "netip.ParsePrefix(" + quote(text) + "): bad bits after slash: " + quote(bits);
        }
        if (Integer.parseInt(bits) > octets.length * 8) {
            return problem + "netip.ParsePrefix(" + quote(text) + "): prefix length out of range";
        }
        if (isMapped(octets)) {
            return "IPv4-mapped IPv6 address " + quote(text) + " is not allowed";
        }
        return new Network(new Address(octets), Integer.parseInt(bits));
    }
}
