package io.trimtab.apiserver.kinds;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The rules for names, keys and short values, with the sentences in which Kubernetes refuses them. Each method returns what is
 * wrong, in order; empty if nothing is. Stateless.
 */
public final class Names {
    private static final String LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
    private static final String SUBDOMAIN = LABEL + "(\\." + LABEL + ")*";
    private static final String LABEL_UNDERSCORE = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
    private static final String SUBDOMAIN_UNDERSCORE = LABEL_UNDERSCORE + "(\\." + LABEL_UNDERSCORE + ")*";
    private static final String LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
    private static final String QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
    private static final String LABEL_VALUE = "(" + QUALIFIED + ")?";
    private static final String CONFIG_KEY = "[-._a-zA-Z0-9]+";
    private static final String WILDCARD = "\\*\\." + SUBDOMAIN;
    private static final String C_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*";
    private static final String PERCENT = "[0-9]+%";
    private static final String HEADER = "[-A-Za-z0-9]+";

    private static final Pattern SUBDOMAIN_UNDERSCORE_PATTERN = Pattern.compile(SUBDOMAIN_UNDERSCORE);
    private static final Pattern LABEL_1035_PATTERN = Pattern.compile(LABEL_1035);
    private static final Pattern CONFIG_KEY_PATTERN = Pattern.compile(CONFIG_KEY);
    private static final Pattern WILDCARD_PATTERN = Pattern.compile(WILDCARD);
    private static final Pattern C_IDENTIFIER_PATTERN = Pattern.compile(C_IDENTIFIER);
    private static final Pattern PERCENT_PATTERN = Pattern.compile(PERCENT);
    private static final Pattern HEADER_PATTERN = Pattern.compile(HEADER);
    private static final Pattern PORT_CHARS = Pattern.compile("[-a-z0-9]+");
    private static final Pattern ONE_LETTER = Pattern.compile("[a-z]");

    private static final String SUBDOMAIN_MESSAGE = regex(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
                    + " end with an alphanumeric character",
            SUBDOMAIN,
            "example.com");
    private static final String SUBDOMAIN_UNDERSCORE_MESSAGE = regex(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must"
                    + " start and end with an alphanumeric character",
            SUBDOMAIN_UNDERSCORE,
            "example.com");
    private static final String LABEL_MESSAGE = regex(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with"
                    + " an alphanumeric character",
            LABEL,
            "my-name",
            "123-abc");
    private static final String LABEL_1035_MESSAGE = regex(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character,"
                    + " and end with an alphanumeric character",
            LABEL_1035,
            "my-name",
            "abc-123");
    private static final String QUALIFIED_MESSAGE = regex(
            "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
            QUALIFIED,
            "MyName",
            "my.name",
            "123-abc");
    private static final String LABEL_VALUE_MESSAGE = regex(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
                    + " end with an alphanumeric character",
            LABEL_VALUE,
            "MyValue",
            "my_value",
            "12345");
    private static final String CONFIG_KEY_MESSAGE = regex(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            CONFIG_KEY,
            "key.name",
            "KEY_NAME",
            "key-name");
    private static final String WILDCARD_MESSAGE = regex(
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of"
                    + " lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
            WILDCARD,
            "*.example.com");
    private static final String C_IDENTIFIER_MESSAGE = regex(
            "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters"
                    + " or '_'",
            C_IDENTIFIER,
            "my_name",
            "MY_NAME",
            "MyName");
    private static final String PERCENT_MESSAGE =
            regex("a valid percent string must be a numeric string followed by an ending '%'", PERCENT, "1%", "93%");
    private static final String HEADER_MESSAGE =
            regex("a valid HTTP header must consist of alphanumeric characters or '-'", HEADER, "X-Header-Name");

    private Names() {}

    /** A lowercase RFC 1123 subdomain of at most 253 characters: most names. */
    public static List<String> subdomain(String value) {
        return check(value, 253, isSubdomain(value, true), SUBDOMAIN_MESSAGE);
    }

    /** As {@link #subdomain}, underscores allowed: search domains of a pod. */
    public static List<String> subdomainWithUnderscore(String value) {
        return check(value, 253, SUBDOMAIN_UNDERSCORE_PATTERN, SUBDOMAIN_UNDERSCORE_MESSAGE);
    }

    /** A lowercase RFC 1123 label of at most 63 characters. */
    public static List<String> label(String value) {
        List<String> wrong = new ArrayList<>(0);
        maxLength(wrong, value, 63);
        if (!isSubdomain(value, false)) {
            wrong.add(isSubdomain(value, true) ? "must not contain dots" : LABEL_MESSAGE);
        }
        return wrong;
    }

    /** A DNS-1035 label of at most 63 characters. */
    public static List<String> label1035(String value) {
        return check(value, 63, LABEL_1035_PATTERN, LABEL_1035_MESSAGE);
    }

    /** A name with an optional DNS prefix before a slash: keys of labels and annotations, finalizers, resource names. */
    public static List<String> qualified(String value) {
        List<String> wrong = new ArrayList<>(0);
        String name;
        int slash = value.indexOf('/');
        if (slash < 0) {
            name = value;
        } else if (value.indexOf('/', slash + 1) >= 0) {
            wrong.add("a qualified name " + QUALIFIED_MESSAGE
                    + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
            return wrong;
        } else {
            String prefix = value.substring(0, slash);
            name = value.substring(slash + 1);
            if (prefix.isEmpty()) {
                wrong.add("prefix part must be non-empty");
            } else {
                subdomain(prefix).forEach(w -> wrong.add("prefix part " + w));
            }
        }
        if (name.isEmpty()) {
            wrong.add("name part must be non-empty");
        } else if (name.length() > 63) {
            wrong.add("name part must be no more than 63 characters");
        }
        if (!isQualified(name)) {
            wrong.add("name part " + QUALIFIED_MESSAGE);
        }
        return wrong;
    }

    /** A label's value: at most 63 characters, may be empty. */
    public static List<String> labelValue(String value) {
        return check(value, 63, value.isEmpty() || isQualified(value), LABEL_VALUE_MESSAGE);
    }

    /** A key of a ConfigMap or Secret. */
    public static List<String> configKey(String value) {
        List<String> wrong = check(value, 253, CONFIG_KEY_PATTERN, CONFIG_KEY_MESSAGE);
        if (value.equals(".")) {
            wrong.add("must not be '.'");
        } else if (value.equals("..")) {
            wrong.add("must not be '..'");
        } else if (value.startsWith("..")) {
            wrong.add("must not start with '..'");
        }
        return wrong;
    }

    /** {@code *.} and a subdomain: hosts of an Ingress. */
    public static List<String> wildcardSubdomain(String value) {
        return check(value, 253, WILDCARD_PATTERN, WILDCARD_MESSAGE);
    }

    /** A C identifier. */
    public static List<String> cIdentifier(String value) {
        return C_IDENTIFIER_PATTERN.matcher(value).matches() ? List.of() : List.of(C_IDENTIFIER_MESSAGE);
    }

    /** Digits and a percent sign. */
    public static List<String> percent(String value) {
        return PERCENT_PATTERN.matcher(value).matches() ? List.of() : List.of(PERCENT_MESSAGE);
    }

    /** The name of an HTTP header. */
    public static List<String> httpHeader(String value) {
        return HEADER_PATTERN.matcher(value).matches() ? List.of() : List.of(HEADER_MESSAGE);
    }

    /** The name of an environment variable: printable ASCII without {@code =}. */
    public static List<String> envVar(String value) {
        List<String> wrong = new ArrayList<>();
        if (value.isEmpty()) {
            wrong.add("environment variable name must be non-empty");
        }
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < 0x20 || c > 0x7e || c == '=') {
                wrong.add(
                        "a valid environment variable name must consist only of printable ASCII characters other than '='");
                break;
            }
        }
        return wrong;
    }

    /** The name of a port, as a container may have it: at most 15 characters. */
    public static List<String> portName(String value) {
        List<String> wrong = new ArrayList<>();
        maxLength(wrong, value, 15);
        if (!PORT_CHARS.matcher(value).matches()) {
            wrong.add("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
        }
        if (!ONE_LETTER.matcher(value).find()) {
            wrong.add("must contain at least one letter (a-z)");
        }
        if (value.contains("--")) {
            wrong.add("must not contain consecutive hyphens");
        }
        if (value.startsWith("-") || value.endsWith("-") && !value.isEmpty()) {
            wrong.add("must not begin or end with a hyphen");
        }
        return wrong;
    }

    /** A port number, 1 to 65535. */
    public static List<String> portNumber(long value) {
        return inRange(value, 1, 65535);
    }

    /** A user or group id. */
    public static List<String> userId(long value) {
        return inRange(value, 0, Integer.MAX_VALUE);
    }

    /** A number between the two, both included. */
    public static List<String> inRange(long value, long low, long high) {
        return low <= value && value <= high
                ? List.of()
                : List.of("must be between " + low + " and " + high + ", inclusive");
    }

    /** A name that is one segment of a URL path: names of roles and their bindings. */
    public static List<String> pathSegment(String value) {
        if (value.equals(".") || value.equals("..")) {
            return List.of("may not be '" + value + "'");
        }
        return pathSegmentPrefix(value);
    }

    /** The start of a {@link #pathSegment}: what {@code generateName} is checked against. */
    public static List<String> pathSegmentPrefix(String value) {
        List<String> wrong = new ArrayList<>();
        for (String s : List.of("/", "%")) {
            if (value.contains(s)) {
                wrong.add("may not contain '" + s + "'");
            }
        }
        return wrong;
    }

    /** {@code generateName} as its rule sees it: a hyphen at its end stands for the suffix to come. */
    public static String maskTrailingDash(String value) {
        return value.length() > 1 && value.endsWith("-") ? value.substring(0, value.length() - 2) + "a" : value;
    }

    private static List<String> check(String value, int maxLength, Pattern pattern, String message) {
        return check(value, maxLength, pattern.matcher(value).matches(), message);
    }

    private static List<String> check(String value, int maxLength, boolean matches, String message) {
        List<String> wrong = new ArrayList<>(0);
        maxLength(wrong, value, maxLength);
        if (!matches) {
            wrong.add(message);
        }
        return wrong;
    }

    /** Whether {@link #SUBDOMAIN} matches, or {@link #LABEL}: each object has a dozen of them, and a pattern takes ten times as long. */
    private static boolean isSubdomain(String value, boolean dots) {
        boolean inner = false; // after a letter or a digit, or hyphens that follow one
        boolean end = false; // after a letter or a digit
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c >= 'a' && c <= 'z' || c >= '0' && c <= '9') {
                inner = true;
                end = true;
            } else if (c == '-' && inner) {
                end = false;
            } else if (c == '.' && dots && end) {
                inner = false;
                end = false;
            } else {
                return false;
            }
        }
        return end;
    }

    /** Whether {@link #QUALIFIED} matches. */
    private static boolean isQualified(String value) {
        int last = value.length() - 1;
        for (int i = 0; i <= last; i++) {
            char c = value.charAt(i);
            boolean alphanumeric = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
            if (!alphanumeric && (i == 0 || i == last || c != '-' && c != '_' && c != '.')) {
                return false;
            }
        }
        return last >= 0;
    }

    private static void maxLength(List<String> wrong, String value, int max) {
        if (value.length() > max) {
            wrong.add("must be no more than " + max + " characters");
        }
    }

    private static String regex(String message, String pattern, String... examples) {
        StringBuilder text = new StringBuilder(message).append(" (e.g. ");
        for (int i = 0; i < examples.length; i++) {
            if (i > 0) {
                text.append(" or ");
            }
            text.append('\'').append(examples[i]).append("', ");
        }
        return text.append("regex used for validation is '")
                .append(pattern)
                .append("')")
                .toString();
    }
}
