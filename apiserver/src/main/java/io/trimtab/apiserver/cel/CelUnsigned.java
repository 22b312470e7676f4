package io.trimtab.apiserver.cel;

/** A value of type uint: the bits of an unsigned 64-bit number. */
record CelUnsigned(long bits) implements Comparable<CelUnsigned> {
    @Override
    public int compareTo(CelUnsigned other) {
        return Long.compareUnsigned(bits, other.bits);
    }

    double doubleValue() {
        return bits >= 0 ? bits : (double) (bits >>> 1 | bits & 1) * 2;
    }

    @Override
    public String toString() {
        return Long.toUnsignedString(bits);
    }
}
