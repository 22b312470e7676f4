package io.trimtab.apiserver.cel;

import java.util.Arrays;

/** A value of type bytes. Immutable. */
record CelBytes(byte[] octets) implements Comparable<CelBytes> {
    int size() {
        return octets.length;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CelBytes b && Arrays.equals(octets, b.octets);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(octets);
    }

    @Override
    public int compareTo(CelBytes other) {
        return Arrays.compareUnsigned(octets, other.octets);
    }

    @Override
    public String toString() {
        return new String(octets, java.nio.charset.StandardCharsets.UTF_8);
    }
}
