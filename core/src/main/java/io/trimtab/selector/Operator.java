package io.trimtab.selector;

/** How a requirement relates a label's key to its values. */
public enum Operator {
    /** Written {@code =}. */
    EQUALS("=", "="),
    /** Written {@code ==}; means the same as {@link #EQUALS}, and is printed as it was written. */
    DOUBLE_EQUALS("==", "=="),
    /** Written {@code !=}; an object without the key fulfils it. */
    NOT_EQUALS("!=", "!="),
    IN("in", " in "),
    /** An object without the key fulfils it. */
    NOT_IN("notin", " notin "),
    EXISTS("exists", ""),
    DOES_NOT_EXIST("!", ""),
    /** The label is a decimal 64-bit integer greater than the value. */
    GREATER_THAN("gt", ">"),
    /** The label is a decimal 64-bit integer less than the value. */
    LESS_THAN("lt", "<");

    private final String word;
    private final String infix;

    Operator(String word, String infix) {
        this.word = word;
        this.infix = infix;
    }

    /** How error messages name it. */
    public String word() {
        return word;
    }

    String infix() {
        return infix;
    }

    /** True if an object must have the key with one of the values. */
    public boolean isPositive() {
        return this == EQUALS || this == DOUBLE_EQUALS || this == IN;
    }

    /** True if an object must not have the key with one of the values. */
    public boolean isNegative() {
        return this == NOT_EQUALS || this == NOT_IN;
    }
}
