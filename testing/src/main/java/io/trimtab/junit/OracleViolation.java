package io.trimtab.junit;

/**
 * Something that must hold of every controller does not hold of this one. The message says what was expected, what was found, of
 * which object, and how it came to that.
 *
 * @since 0.1
 */
public final class OracleViolation extends AssertionError {
    private static final long serialVersionUID = 1L;

    private final Oracle oracle;
    private final String program;

    OracleViolation(Oracle oracle, String program, String message) {
        super(message);
        this.oracle = oracle;
        this.program = program;
    }

    /** Which claim does not hold. */
    public Oracle oracle() {
        return oracle;
    }

    /** Of which program. */
    public String program() {
        return program;
    }
}
