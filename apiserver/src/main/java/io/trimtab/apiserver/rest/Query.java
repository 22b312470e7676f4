package io.trimtab.apiserver.rest;

/** Values of query parameters as Go reads them. */
final class Query {
    private Query() {}

    /** True for what Go's {@code strconv.ParseBool} takes for true. */
    static boolean isTrue(String value) {
        return switch (value) {
            case "1", "t", "T", "true", "TRUE", "True" -> true;
            default -> false;
        };
    }

    /** Booleans of options: absent is null; {@code false} and {@code 0} are false, all else is true. */
    static @org.jspecify.annotations.Nullable Boolean optional(@org.jspecify.annotations.Nullable String value) {
        if (value == null) {
            return null;
        }
        return !value.equalsIgnoreCase("false") && !value.equals("0");
    }
}
