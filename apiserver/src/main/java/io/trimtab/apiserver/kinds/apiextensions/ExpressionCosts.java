package io.trimtab.apiserver.kinds.apiextensions;

import io.trimtab.apiserver.errors.FieldErrors;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** What the rules of one schema can cost together. Belongs to one validation. */
final class ExpressionCosts {
    /** Of one expression, for all places where it is evaluated. */
    private static final long LIMIT = 10_000_000;
    /** Of all expressions of a schema. */
    private static final long TOTAL_LIMIT = 100_000_000;

    private record Expensive(String path, long cost) {}

    private final boolean suppressed;
    private final List<Expensive> expensive = new ArrayList<>();
    private long total;

    /** @param suppressed whether a single expression may be too expensive, because it was accepted before */
    ExpressionCosts(boolean suppressed) {
        this.suppressed = suppressed;
    }

    static long multiply(long a, long b) {
        return a != 0 && b > Long.MAX_VALUE / a ? Long.MAX_VALUE : a * b;
    }

    void add(String path, String name, long cost, FieldErrors errors) {
        if (!suppressed && cost > LIMIT) {
            errors.forbidden(path, message(name, cost, LIMIT));
        }
    }

    void observe(String path, long cost) {
        total = total + cost < 0 ? Long.MAX_VALUE : total + cost;
        if (cost >= TOTAL_LIMIT / 100) {
            expensive.add(new Expensive(path, cost));
        }
    }

    void checkTotal(String path, FieldErrors errors) {
        if (total <= TOTAL_LIMIT) {
            return;
        }
        expensive.stream()
                .sorted(Comparator.comparingLong(Expensive::cost).reversed())
                .limit(4)
                .forEach(e -> errors.forbidden(
                        e.path(),
                        "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"));
        errors.forbidden(
                path,
                message(
                        "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema",
                        total,
                        TOTAL_LIMIT));
    }

    private static String message(String name, long cost, long limit) {
        double factor = (double) cost / limit;
        String shown =
                factor > 100 ? "more than 100x" : String.format(Locale.ROOT, factor < 1.5 ? "%fx" : "%.1fx", factor);
        return name + " exceeds budget by factor of " + shown
                + " (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and"
                + " strings are declared)";
    }
}
