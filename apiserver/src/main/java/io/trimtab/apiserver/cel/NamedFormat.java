package io.trimtab.apiserver.cel;

import io.trimtab.apiserver.kinds.Names;
import java.time.LocalDate;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * A format that strings can be checked against, such as {@code format.dns1123Label()}. Immutable.
 *
 * @param regexSize what the check counts as, in characters of a regular expression
 */
record NamedFormat(String name, int regexSize, Function<String, List<String>> check) implements Values.Opaque {
    static final CelType TYPE = CelType.struct("kubernetes.NamedFormat");
    private static final Pattern UUID = Pattern.compile(
            "[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", Pattern.CASE_INSENSITIVE);
    private static final Map<String, NamedFormat> ALL = all();

    @Override
    public CelType celType() {
        return TYPE;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NamedFormat f && name.equals(f.name);
    }

    @Override
    public int hashCode() {
        return name.hashCode();
    }

    static void declare(Libraries to) {
        ALL.forEach((name, format) -> to.add("format." + name, Overload.global("format." + name, TYPE, a -> format)));
        to.add(
                "format.named",
                Overload.global(
                        "format-named",
                        CelType.optional(TYPE),
                        a -> {
                            NamedFormat format = ALL.get((String) a[0]);
                            return format == null ? CelOptional.NONE : CelOptional.of(format);
                        },
                        CelType.STRING));
        to.add(
                "validate",
                Overload.member(
                        "format-validate",
                        CelType.optional(CelType.list(CelType.STRING)),
                        a -> {
                            List<String> wrong = ((NamedFormat) a[0]).check().apply((String) a[1]);
                            return wrong.isEmpty() ? CelOptional.NONE : CelOptional.of(CelList.of(wrong));
                        },
                        TYPE,
                        CelType.STRING));
    }

    private static Map<String, NamedFormat> all() {
        Map<String, NamedFormat> all = new LinkedHashMap<>();
        put(all, "dns1123Label", "DNS1123Label", 30, Names::label);
        put(all, "dns1123Subdomain", "DNS1123Subdomain", 60, Names::subdomain);
        put(all, "dns1035Label", "DNS1035Label", 30, Names::label1035);
        put(all, "qualifiedName", "QualifiedName", 60, Names::qualified);
        put(all, "dns1123LabelPrefix", "DNS1123LabelPrefix", 30, s -> Names.label(Names.maskTrailingDash(s)));
        put(
                all,
                "dns1123SubdomainPrefix",
                "DNS1123SubdomainPrefix",
                60,
                s -> Names.subdomain(Names.maskTrailingDash(s)));
        put(all, "dns1035LabelPrefix", "DNS1035LabelPrefix", 30, s -> Names.label1035(Names.maskTrailingDash(s)));
        put(all, "labelValue", "LabelValue", 40, Names::labelValue);
        put(all, "uri", "URI", 1024, s -> {
            String problem = UrlLibrary.problem(s);
            return problem == null ? List.of() : List.of(problem);
        });
        put(
                all,
                "uuid",
                "uuid",
                77,
                s -> UUID.matcher(s).matches() ? List.of() : List.of("does not match the UUID format"));
        put(all, "byte", "byte", 84, s -> isBase64(s) ? List.of() : List.of("invalid base64"));
        put(all, "date", "date", 134, s -> isDate(s) ? List.of() : List.of("invalid date"));
        put(
                all,
                "datetime",
                "datetime",
                134,
                s -> Times.parseTimestamp(s) != null ? List.of() : List.of("invalid datetime"));
        return all;
    }

    private static void put(
            Map<String, NamedFormat> all, String key, String name, int size, Function<String, List<String>> check) {
        all.put(key, new NamedFormat(name, size, check));
    }

    private static boolean isBase64(String text) {
        try {
            Base64.getDecoder().decode(text);
            return text.length() % 4 == 0;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static boolean isDate(String text) {
        try {
            LocalDate.parse(text);
            return true;
        } catch (java.time.DateTimeException e) {
            return false;
        }
    }
}
