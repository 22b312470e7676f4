package io.trimtab.selector;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;

/**
 * What a label's key and value may look like, and how Kubernetes complains about others
 * (apimachinery, util/validation/validation.go).
 */
public final class LabelSyntax {
    private static final int MAX_LENGTH = 63;
    private static final int MAX_SUBDOMAIN_LENGTH = 253;

    private static final String QUALIFIED_NAME_FORMAT = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
    private static final String QUALIFIED_NAME_ERROR =
            "must consist of alphanumeric characters, '-', '_' or '.', and must"
                    + " start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for"
                    + " validation is '" + QUALIFIED_NAME_FORMAT + "')";
    private static final String VALUE_ERROR =
            "a valid label must be an empty string or consist of alphanumeric characters,"
                    + " '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or"
                    + " '12345', regex used for validation is '(" + QUALIFIED_NAME_FORMAT + ")?')";
    private static final String SUBDOMAIN_ERROR =
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric"
                    + " characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used"
                    + " for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

    private LabelSyntax() {}

    /** What is wrong with a qualified name (a label's or annotation's key, a taint's key); empty if nothing is. */
    public static List<String> qualifiedNameErrors(String value) {
        int slash = value.indexOf('/');
        if (slash < 0 && isQualifiedPart(value)) {
            return List.of();
        }
        if (slash >= 0 && value.indexOf('/', slash + 1) >= 0) {
            return List.of("a qualified name " + QUALIFIED_NAME_ERROR
                    + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
        }
        List<String> errors = new ArrayList<>();
        if (slash == 0) {
            errors.add("prefix part must be non-empty");
        } else if (slash > 0) {
            subdomainErrors(value.substring(0, slash)).forEach(e -> errors.add("prefix part " + e));
        }
        String name = value.substring(slash + 1);
        if (name.isEmpty()) {
            errors.add("name part must be non-empty");
        } else if (lengthBytes(name) > MAX_LENGTH) {
            errors.add("name part must be no more than " + MAX_LENGTH + " characters");
        }
        if (!isQualifiedWord(name)) {
            errors.add("name part " + QUALIFIED_NAME_ERROR);
        }
        return errors;
    }

    /** What is wrong with a label's value; empty if nothing is. */
    public static List<String> valueErrors(String value) {
        if (value.isEmpty() || isQualifiedPart(value)) {
            return List.of();
        }
        List<String> errors = new ArrayList<>();
        if (lengthBytes(value) > MAX_LENGTH) {
            errors.add("must be no more than " + MAX_LENGTH + " characters");
        }
        if (!isQualifiedWord(value)) {
            errors.add(VALUE_ERROR);
        }
        return errors;
    }

    /** What is wrong with a DNS subdomain; empty if nothing is. */
    public static List<String> subdomainErrors(String value) {
        List<String> errors = new ArrayList<>();
        if (lengthBytes(value) > MAX_SUBDOMAIN_LENGTH) {
            errors.add("must be no more than " + MAX_SUBDOMAIN_LENGTH + " characters");
        }
        if (!isSubdomain(value)) {
            errors.add(SUBDOMAIN_ERROR);
        }
        return errors;
    }

    static Optional<String> keyError(String field, String key) {
        return error(field, key, qualifiedNameErrors(key));
    }

    static Optional<String> valueError(String field, String value) {
        return error(field, value, valueErrors(value));
    }

    private static Optional<String> error(String field, String value, List<String> errors) {
        return errors.isEmpty()
                ? Optional.empty()
                : Optional.of(field + ": Invalid value: " + quote(value) + ": " + String.join("; ", errors));
    }

    /** One error as it is; several in brackets, each once. */
    static String aggregate(List<String> errors) {
        List<String> distinct = List.copyOf(new LinkedHashSet<>(errors));
        return distinct.size() == 1 ? distinct.get(0) : "[" + String.join(", ", distinct) + "]";
    }

    private static boolean isQualifiedPart(String text) {
        return text.length() <= MAX_LENGTH && isQualifiedWord(text);
    }

    private static boolean isQualifiedWord(String text) {
        int length = text.length();
        if (length == 0 || !isAlphanumeric(text.charAt(0)) || !isAlphanumeric(text.charAt(length - 1))) {
            return false;
        }
        for (int i = 1; i < length - 1; i++) {
            char c = text.charAt(i);
            if (!isAlphanumeric(c) && c != '-' && c != '_' && c != '.') {
                return false;
            }
        }
        return true;
    }

    private static boolean isAlphanumeric(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
    }

    private static boolean isSubdomain(String text) {
        boolean inner = false; // the character before may be followed by a dash, a dot or the end
        boolean afterDash = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= 'a' && c <= 'z' || c >= '0' && c <= '9') {
                inner = true;
                afterDash = false;
            } else if (c == '-' && inner) {
                afterDash = true;
            } else if (c == '.' && inner && !afterDash) {
                inner = false;
            } else {
                return false;
            }
        }
        return inner && !afterDash;
    }

    private static int lengthBytes(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) > 0x7f) {
                return text.getBytes(StandardCharsets.UTF_8).length;
            }
        }
        return text.length();
    }

    /** The text in double quotes, escaped as Go's {@code %q} does. */
    static String quote(String text) {
        StringBuilder out = new StringBuilder(text.length() + 2).append('"');
        text.codePoints().forEach(c -> {
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case 0x07 -> out.append("\\a");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case 0x0b -> out.append("\\v");
                default -> {
                    if (c < ' ' || c == 0x7f) {
                        out.append(String.format("\\x%02x", c));
                    } else if (isPrintable(c)) {
                        out.appendCodePoint(c);
                    } else {
                        out.append(c > 0xffff ? String.format("\\U%08x", c) : String.format("\\u%04x", c));
                    }
                }
            }
        });
        return out.append('"').toString();
    }

    private static boolean isPrintable(int c) {
        if (c < 0x7f) {
            return true;
        }
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.SPACE_SEPARATOR,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }
}
