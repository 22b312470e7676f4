package io.trimtab.selector;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A field selector: values compared as strings, a missing one as the empty string. Immutable, safe for use by any thread;
 * equal selectors have the same text. Syntax and messages are those of Kubernetes (apimachinery, fields/selector.go).
 */
public final class FieldSelector {
    private static final FieldSelector EVERYTHING = new FieldSelector(List.of());

    /**
     * One condition.
     *
     * @param field its path, such as {@code spec.nodeName}
     * @param negated true for {@code !=}
     * @param value without escapes
     */
    public record Term(String field, boolean negated, String value) {
        @Override
        public String toString() {
            return field + (negated ? "!=" : "=") + escape(value);
        }
    }

    /** Renames or checks a term's field and value. */
    @FunctionalInterface
    public interface Transform {
        /**
         * The term to use instead, with the same {@link Term#negated}; null to leave it out.
         *
         * @throws InvalidSelectorException if the field cannot be selected by
         */
        @Nullable
        Term apply(Term term);
    }

    private final List<Term> terms;

    private FieldSelector(List<Term> terms) {
        this.terms = terms;
    }

    /** Selects every object. */
    public static FieldSelector everything() {
        return EVERYTHING;
    }

    /** Selects the objects that fulfil all terms. */
    public static FieldSelector of(List<Term> terms) {
        return terms.isEmpty() ? EVERYTHING : new FieldSelector(List.copyOf(terms));
    }

    /** Selects the objects whose field has this value. */
    public static FieldSelector equal(String field, String value) {
        return of(List.of(new Term(field, false, value)));
    }

    /**
     * Reads the text form: {@code f=v}, {@code f==v}, {@code f!=v}, joined by commas; in values a backslash stands before each
     * comma, equals sign and backslash.
     *
     * @throws InvalidSelectorException with the message Kubernetes gives
     */
    public static FieldSelector parse(String text) {
        List<String> parts = split(text);
        parts.sort(null);
        List<Term> terms = new ArrayList<>(parts.size());
        for (String part : parts) {
            if (!part.isEmpty()) {
                terms.add(term(text, part));
            }
        }
        return of(terms);
    }

    private static List<String> split(String text) {
        List<String> parts = new ArrayList<>(2);
        int start = 0;
        boolean escaped = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (escaped) {
                escaped = false;
            } else if (c == '\\') {
                escaped = true;
            } else if (c == ',') {
                parts.add(text.substring(start, i));
                start = i + 1;
            }
        }
        parts.add(text.substring(start));
        return parts;
    }

    private static Term term(String text, String part) {
        for (int i = 0; i < part.length(); i++) {
            if (part.startsWith("!=", i)) {
                return new Term(part.substring(0, i), true, unescape(part.substring(i + 2)));
            }
            if (part.startsWith("==", i)) {
                return new Term(part.substring(0, i), false, unescape(part.substring(i + 2)));
            }
            if (part.charAt(i) == '=') {
                return new Term(part.substring(0, i), false, unescape(part.substring(i + 1)));
            }
        }
        throw new InvalidSelectorException("invalid selector: '" + text + "'; can't understand '" + part + "'");
    }

    private static String unescape(String value) {
        if (value.indexOf('\\') < 0 && value.indexOf(',') < 0 && value.indexOf('=') < 0) {
            return value;
        }
        StringBuilder out = new StringBuilder(value.length());
        boolean escaped = false;
        for (int i = 0; i < value.length(); ) {
            int c = value.codePointAt(i);
            i += Character.charCount(c);
            if (escaped) {
                if (c != '\\' && c != ',' && c != '=') {
                    throw new InvalidSelectorException(
                            "invalid field selector: invalid escape sequence: \\" + Character.toString(c));
                }
                out.appendCodePoint(c);
                escaped = false;
            } else if (c == '\\') {
                escaped = true;
            } else if (c == ',' || c == '=') {
                // Kubernetes prints the character's number.
                throw new InvalidSelectorException("invalid field selector: unescaped character in value: " + c);
            } else {
                out.appendCodePoint(c);
            }
        }
        if (escaped) {
            throw new InvalidSelectorException("invalid field selector: invalid escape sequence: \\");
        }
        return out.toString();
    }

    /** The value as it is written in a selector. */
    public static String escape(String value) {
        return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=");
    }

    /** What an object must fulfil, all of it. */
    public List<Term> requirements() {
        return terms;
    }

    public boolean isEverything() {
        return terms.isEmpty();
    }

    /**
     * True if an object is selected.
     *
     * @param fields the object's value of a field; null or empty if it has none
     */
    public boolean matches(Function<String, @Nullable String> fields) {
        for (int i = 0; i < terms.size(); i++) {
            Term term = terms.get(i);
            if (Objects.requireNonNullElse(fields.apply(term.field()), "").equals(term.value()) == term.negated()) {
                return false;
            }
        }
        return true;
    }

    /** The one value of the field that the selector asks for; empty if it allows others. */
    public Optional<String> requiredValue(String field) {
        for (Term term : terms) {
            if (!term.negated() && term.field().equals(field)) {
                return Optional.of(term.value());
            }
        }
        return Optional.empty();
    }

    /** The fields the selector names, sorted as its terms are. */
    public List<String> fields() {
        return terms.stream().map(Term::field).distinct().toList();
    }

    /**
     * The selector with each term checked, renamed or left out.
     *
     * @throws InvalidSelectorException as the function throws
     */
    public FieldSelector transform(Transform function) {
        List<Term> changed = new ArrayList<>(terms.size());
        for (Term term : terms) {
            Term now = function.apply(term);
            if (now != null) {
                changed.add(now);
            }
        }
        return of(changed);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FieldSelector that && terms.equals(that.terms);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(terms.toArray());
    }

    /** The text form, terms sorted. */
    @Override
    public String toString() {
        return terms.stream().map(Term::toString).collect(Collectors.joining(","));
    }
}
