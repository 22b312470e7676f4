package io.trimtab.apiserver.kinds;

import io.trimtab.apiserver.errors.FieldErrors;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Reads IP addresses and ranges without ever asking a name service, and says what is wrong with them. Stateless. */
public final class IpAddresses {
    private static final String NO_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
    private static final String NO_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

    private IpAddresses() {}

    /** 4 or 16 bytes; null if the text is no address. Leading zeros in IPv4 are allowed, as Kubernetes does for old fields. */
    public static byte @Nullable [] parse(String text) {
        return text.indexOf(':') >= 0 ? parse6(text) : parse4(text);
    }

    private static byte @Nullable [] parse4(String text) {
        byte[] bytes = new byte[4];
        String[] parts = text.split("\\.", -1);
        if (parts.length != 4) {
            return null;
        }
        for (int i = 0; i < 4; i++) {
            String part = parts[i];
            if (part.isEmpty() || !part.chars().allMatch(c -> c >= '0' && c <= '9')) {
                return null;
            }
            int value = 0;
            for (int j = 0; j < part.length(); j++) {
                value = value * 10 + part.charAt(j) - '0';
                if (value > 255) {
                    return null;
                }
            }
            bytes[i] = (byte) value;
        }
        return bytes;
    }

    private static byte @Nullable [] parse6(String text) {
        String head = text;
        String tail = "";
        int gap = text.indexOf("::");
        if (gap >= 0) {
            head = text.substring(0, gap);
            tail = text.substring(gap + 2);
            if (tail.contains("::")) {
                return null;
            }
        }
        List<Integer> front = groups(head);
        List<Integer> back = groups(tail);
        if (front == null || back == null) {
            return null;
        }
        int count = front.size() + back.size();
        if (gap < 0 ? count != 8 : count > 7) {
            return null;
        }
        byte[] bytes = new byte[16];
        for (int i = 0; i < front.size(); i++) {
            put(bytes, i, front.get(i));
        }
        for (int i = 0; i < back.size(); i++) {
            put(bytes, 8 - back.size() + i, back.get(i));
        }
        return bytes;
    }

    private static void put(byte[] bytes, int group, int value) {
        bytes[2 * group] = (byte) (value >> 8);
        bytes[2 * group + 1] = (byte) value;
    }

    private static @Nullable List<Integer> groups(String text) {
        List<Integer> groups = new ArrayList<>();
        if (text.isEmpty()) {
            return groups;
        }
        String[] parts = text.split(":", -1);
        for (int i = 0; i < parts.length; i++) {
            String part = parts[i];
            if (i == parts.length - 1 && part.indexOf('.') >= 0) {
                byte[] four = parse4(part);
                if (four == null) {
                    return null;
                }
                groups.add((four[0] & 255) << 8 | four[1] & 255);
                groups.add((four[2] & 255) << 8 | four[3] & 255);
                return groups;
            }
            if (part.isEmpty() || part.length() > 4) {
                return null;
            }
            int value = 0;
            for (int j = 0; j < part.length(); j++) {
                int digit = Character.digit(part.charAt(j), 16);
                if (digit < 0) {
                    return null;
                }
                value = value * 16 + digit;
            }
            groups.add(value);
        }
        return groups;
    }

    public static boolean isValid(String text) {
        return parse(text) != null;
    }

    public static boolean isV6(String text) {
        byte[] bytes = parse(text);
        return bytes != null && bytes.length == 16 && !isMapped(bytes);
    }

    private static boolean isMapped(byte[] bytes) {
        for (int i = 0; i < 10; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        return bytes[10] == (byte) 255 && bytes[11] == (byte) 255;
    }

    /** The canonical text: RFC 5952 for IPv6. */
    public static String canonical(byte[] bytes) {
        if (bytes.length == 4) {
            return (bytes[0] & 255) + "." + (bytes[1] & 255) + "." + (bytes[2] & 255) + "." + (bytes[3] & 255);
        }
        int[] groups = new int[8];
        for (int i = 0; i < 8; i++) {
            groups[i] = (bytes[2 * i] & 255) << 8 | bytes[2 * i + 1] & 255;
        }
        int bestStart = -1;
        int bestLength = 1;
        for (int i = 0; i < 8; ) {
            int j = i;
            while (j < 8 && groups[j] == 0) {
                j++;
            }
            if (j - i > bestLength) {
                bestStart = i;
                bestLength = j - i;
            }
            i = Math.max(j, i + 1);
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            if (i == bestStart) {
                text.append("::");
                i += bestLength - 1;
                continue;
            }
            if (text.length() > 0 && text.charAt(text.length() - 1) != ':') {
                text.append(':');
            }
            text.append(Integer.toHexString(groups[i]).toLowerCase(Locale.ROOT));
        }
        return text.toString();
    }

    /** An address in a field of the first API versions, which takes leading zeros and mapped addresses. */
    public static void validate(FieldErrors errors, String path, String text) {
        if (!isValid(text)) {
            errors.invalid(path, text, NO_IP);
        }
    }

    /** An address in a newer field: canonical form only. */
    public static void validateStrict(FieldErrors errors, String path, String text) {
        byte[] bytes = parse(text);
        if (bytes == null) {
            errors.invalid(path, text, NO_IP);
            return;
        }
        boolean wrong = false;
        if (bytes.length == 4 && !canonical(bytes).equals(text)) {
            errors.invalid(path, text, "must not have leading 0s");
            wrong = true;
        }
        if (bytes.length == 16 && isMapped(bytes)) {
            errors.invalid(path, text, "must not be an IPv4-mapped IPv6 address");
            wrong = true;
        }
        if (!wrong && !canonical(bytes).equals(text)) {
            errors.invalid(path, text, "must be in canonical form (" + FieldErrors.quote(canonical(bytes)) + ")");
        }
    }

    /**
     * A range of addresses.
     *
     * @param network the first address
     * @param prefix how many leading bits are fixed
     */
    public record Range(byte[] network, int prefix) {
        /** How many addresses there are in it, both ends included. */
        public BigInteger size() {
            return BigInteger.ONE.shiftLeft(network.length * 8 - prefix);
        }

        /** The address at an offset from the first. */
        public String at(BigInteger offset) {
            byte[] sum = new BigInteger(1, network).add(offset).toByteArray();
            byte[] bytes = new byte[network.length];
            int length = Math.min(sum.length, bytes.length);
            System.arraycopy(sum, sum.length - length, bytes, bytes.length - length, length);
            return canonical(bytes);
        }

        /** The offset of an address, or null if it lies outside. */
        public @Nullable BigInteger offset(byte[] address) {
            if (address.length != network.length) {
                return null;
            }
            BigInteger offset = new BigInteger(1, address).subtract(new BigInteger(1, network));
            return offset.signum() >= 0 && offset.compareTo(size()) < 0 ? offset : null;
        }

        public boolean isV6() {
            return network.length == 16;
        }

        @Override
        public boolean equals(Object o) {
            return o instanceof Range r && r.prefix == prefix && java.util.Arrays.equals(r.network, network);
        }

        @Override
        public int hashCode() {
            return java.util.Arrays.hashCode(network) * 31 + prefix;
        }

        @Override
        public String toString() {
            return canonical(network) + "/" + prefix;
        }
    }

    /** Reads {@code address/bits}; bits behind the prefix are dropped. Null if it is none. */
    public static @Nullable Range parseRange(String text) {
        int slash = text.indexOf('/');
        byte[] address = slash < 0 ? null : parse(text.substring(0, slash));
        if (address == null) {
            return null;
        }
        String bits = text.substring(slash + 1);
        if (bits.isEmpty() || bits.length() > 3 || !bits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return null;
        }
        int prefix = Integer.parseInt(bits);
        if (prefix > address.length * 8) {
            return null;
        }
        byte[] network = address.clone();
        for (int bit = prefix; bit < network.length * 8; bit++) {
            network[bit / 8] &= (byte) ~(128 >> bit % 8);
        }
        return new Range(network, prefix);
    }

    /** A range in a field of the first API versions. */
    public static void validateRange(FieldErrors errors, String path, String text) {
        if (parseRange(text) == null) {
            errors.invalid(path, text, NO_CIDR);
        }
    }

    /** A range in a newer field: canonical form only. */
    public static void validateRangeStrict(FieldErrors errors, String path, String text) {
        Range range = parseRange(text);
        if (range == null) {
            errors.invalid(path, text, NO_CIDR);
        } else if (!range.toString().equals(text)) {
            String address = text.substring(0, text.indexOf('/'));
            byte[] bytes = java.util.Objects.requireNonNull(parse(address));
            if (bytes.length == 4 && !canonical(bytes).equals(address)) {
                errors.invalid(path, text, "must not have leading 0s in IP");
            } else if (!java.util.Arrays.equals(bytes, range.network())) {
                errors.invalid(path, text, "must not have bits set beyond the prefix length");
            } else {
                errors.invalid(path, text, "must be in canonical form (" + FieldErrors.quote(range.toString()) + ")");
            }
        }
    }

    /** Warns of an address in an old field that is not written as newer fields want it. */
    public static void warn(String path, String text, List<String> warnings) {
        byte[] bytes = parse(text);
        if (bytes == null) {
            return;
        }
        boolean mapped = bytes.length == 16 && isMapped(bytes);
        String canonical = canonical(mapped ? java.util.Arrays.copyOfRange(bytes, 12, 16) : bytes);
        if (mapped || bytes.length == 4 && !canonical.equals(text)) {
            warnings.add(path + ": non-standard IP address " + FieldErrors.quote(text)
                    + " will be considered invalid in a future Kubernetes release: use "
                    + FieldErrors.quote(canonical));
        } else if (!canonical.equals(text)) {
            warnings.add(path + ": IPv6 address " + FieldErrors.quote(text)
                    + " should be in RFC 5952 canonical format (" + FieldErrors.quote(canonical) + ")");
        }
    }

    /** The same of a range. */
    public static void warnRange(String path, String text, List<String> warnings) {
        Range range = parseRange(text);
        if (range == null) {
            return;
        }
        String address = text.substring(0, text.indexOf('/'));
        byte[] bytes = java.util.Objects.requireNonNull(parse(address));
        boolean mapped = bytes.length == 16 && isMapped(bytes);
        String shown = range.toString();
        if (mapped && range.prefix() >= 96) {
            shown = canonical(java.util.Arrays.copyOfRange(range.network(), 12, 16)) + "/" + (range.prefix() - 96);
        }
        boolean warned = false;
        if (!java.util.Arrays.equals(bytes, range.network())) {
            String one = canonical(mapped ? java.util.Arrays.copyOfRange(bytes, 12, 16) : bytes);
            warnings.add(path + ": CIDR value " + FieldErrors.quote(text) + " is ambiguous in this context (should be "
                    + FieldErrors.quote(shown) + " or " + FieldErrors.quote(one + "/" + bytes.length * 8) + "?)");
            warned = true;
        }
        if (mapped || bytes.length == 4 && !canonical(bytes).equals(address)) {
            warnings.add(path + ": non-standard CIDR value " + FieldErrors.quote(text)
                    + " will be considered invalid in a future Kubernetes release: use " + FieldErrors.quote(shown));
        } else if (!warned && bytes.length == 16 && !(canonical(bytes) + "/" + range.prefix()).equals(text)) {
            warnings.add(path + ": IPv6 CIDR value " + FieldErrors.quote(text)
                    + " should be in RFC 5952 canonical format (" + FieldErrors.quote(shown) + ")");
        }
    }
}
