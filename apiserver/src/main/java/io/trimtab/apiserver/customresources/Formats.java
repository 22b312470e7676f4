package io.trimtab.apiserver.customresources;

import java.net.URI;
import java.net.URISyntaxException;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.Base64;
import java.util.Map;
import java.util.regex.Pattern;

/** The formats of strings that a structural schema may name; others are not looked at. Stateless. */
final class Formats {
    private static final String UUID = "[0-9a-f]{8}-?[0-9a-f]{4}-?";
    private static final Pattern HOST = Pattern.compile(
            "([a-zA-Z0-9\\p{L}]([-a-zA-Z0-9\\p{L}]{0,61}[a-zA-Z0-9\\p{L}])?\\.)*[a-zA-Z0-9\\p{L}]([-a-zA-Z0-9\\p{L}]{0,61}[a-zA-Z0-9\\p{L}])?\\.?");
    private static final Pattern DATE_TIME =
            Pattern.compile("\\d{4}-\\d{2}-\\d{2}[Tt ]\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?([Zz]|[+-]\\d{2}:?\\d{2})");
    private static final Pattern DURATION =
            Pattern.compile("[+-]?(0|(\\d+(\\.\\d*)?|\\.\\d+)(ns|us|µs|μs|ms|s|m|h|d|w))+");
    private static final Map<String, Pattern> PATTERNS = Map.ofEntries(
            Map.entry("uuid", ignoringCase(UUID + "[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")),
            Map.entry("uuid3", ignoringCase(UUID + "3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}")),
            Map.entry("uuid4", ignoringCase(UUID + "4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}")),
            Map.entry("uuid5", ignoringCase(UUID + "5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}")),
            Map.entry("email", Pattern.compile("[^@\\s]+@[^@\\s]+")),
            Map.entry("hostname", HOST),
            Map.entry("mac", ignoringCase("([0-9a-f]{2}[:-]){5}[0-9a-f]{2}|([0-9a-f]{4}\\.){2}[0-9a-f]{4}")),
            Map.entry("hexcolor", ignoringCase("#?([0-9a-f]{3}|[0-9a-f]{6})")),
            Map.entry(
                    "rgbcolor",
                    Pattern.compile("rgb\\(\\s*(\\d{1,3}%?)\\s*,\\s*(\\d{1,3}%?)\\s*,\\s*(\\d{1,3}%?)\\s*\\)")),
            Map.entry("ssn", Pattern.compile("\\d{3}[- ]?\\d{2}[- ]?\\d{4}")),
            Map.entry("isbn10", Pattern.compile("([0-9][- ]?){9}[0-9X]")),
            Map.entry("isbn13", Pattern.compile("([0-9][- ]?){12}[0-9]")),
            Map.entry("isbn", Pattern.compile("([0-9][- ]?){9}[0-9X]|([0-9][- ]?){12}[0-9]")),
            Map.entry("creditcard", Pattern.compile("[0-9 -]{13,23}")),
            Map.entry("bsonobjectid", ignoringCase("[0-9a-f]{24}")),
            Map.entry("duration", DURATION));

    private Formats() {}

    private static Pattern ignoringCase(String pattern) {
        return Pattern.compile(pattern, Pattern.CASE_INSENSITIVE);
    }

    static boolean isValid(String format, String value) {
        Pattern pattern = PATTERNS.get(format);
        if (pattern != null) {
            return pattern.matcher(value).matches();
        }
        return switch (format) {
            case "byte" -> isBase64(value);
            case "date" -> isDate(value);
            case "date-time", "datetime" -> isDateTime(value);
            case "uri" -> isUri(value);
            case "ipv4" -> isIpv4(value);
            case "ipv6" -> value.indexOf(':') >= 0 && isIpv6(value);
            case "cidr" -> isCidr(value);
            default -> true;
        };
    }

    private static boolean isBase64(String value) {
        try {
            Base64.getDecoder().decode(value);
            return value.length() % 4 == 0;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static boolean isDate(String value) {
        try {
            LocalDate.parse(value);
            return true;
        } catch (DateTimeException e) {
            return false;
        }
    }

    private static boolean isDateTime(String value) {
        if (!DATE_TIME.matcher(value).matches()) {
            return false;
        }
        try {
            OffsetDateTime.parse(value.toUpperCase(java.util.Locale.ROOT)
                    .replace(' ', 'T')
                    .replaceAll("([+-]\\d{2})(\\d{2})$", "$1:$2"));
            return true;
        } catch (DateTimeException e) {
            return false;
        }
    }

    private static boolean isUri(String value) {
        try {
            URI uri = new URI(value);
            return uri.isAbsolute() || value.startsWith("/");
        } catch (URISyntaxException e) {
            return false;
        }
    }

    private static boolean isIpv4(String value) {
        return value.matches("((25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)(\\.|$)){4}") && !value.endsWith(".");
    }

    private static boolean isIpv6(String value) {
        if (!value.matches("[0-9a-fA-F:.]+")) {
            return false;
        }
        int doubles = value.indexOf("::");
        if (doubles >= 0 && value.indexOf("::", doubles + 1) >= 0 || value.contains(":::")) {
            return false;
        }
        int groups = 0;
        for (String group : value.split(":", -1)) {
            if (group.contains(".")) {
                if (!isIpv4(group)) {
                    return false;
                }
                groups += 2;
            } else if (group.length() > 4) {
                return false;
            } else if (!group.isEmpty()) {
                groups++;
            }
        }
        return doubles >= 0 ? groups < 8 : groups == 8;
    }

    private static boolean isCidr(String value) {
        int slash = value.indexOf('/');
        if (slash < 0 || !value.substring(slash + 1).matches("\\d{1,3}")) {
            return false;
        }
        String address = value.substring(0, slash);
        int bits = Integer.parseInt(value.substring(slash + 1));
        return isIpv4(address) && bits <= 32 || address.indexOf(':') >= 0 && isIpv6(address) && bits <= 128;
    }
}
