package io.trimtab.apiserver.cel;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** Semantic versions. Stateless. */
final class SemverLibrary {
    static final CelType TYPE = CelType.struct("kubernetes.Semver");

    private SemverLibrary() {}

    /** Ordered by the rules of semantic versioning; build metadata does not count. */
    record Version(long major, long minor, long patch, List<String> pre, String build)
            implements Values.Opaque, Comparable<Version> {
        @Override
        public CelType celType() {
            return TYPE;
        }

        @Override
        public int compareTo(Version o) {
            int order = Long.compare(major, o.major);
            order = order != 0 ? order : Long.compare(minor, o.minor);
            order = order != 0 ? order : Long.compare(patch, o.patch);
            if (order != 0 || pre.isEmpty() && o.pre.isEmpty()) {
                return Integer.signum(order);
            }
            if (pre.isEmpty() || o.pre.isEmpty()) {
                return pre.isEmpty() ? 1 : -1;
            }
            for (int i = 0; i < Math.min(pre.size(), o.pre.size()); i++) {
                int part = comparePart(pre.get(i), o.pre.get(i));
                if (part != 0) {
                    return part;
                }
            }
            return Integer.compare(pre.size(), o.pre.size());
        }

        private static int comparePart(String a, String b) {
            boolean numberA = isDigits(a);
            boolean numberB = isDigits(b);
            if (numberA && numberB) {
                return new BigInteger(a).compareTo(new BigInteger(b));
            }
            return numberA != numberB ? numberA ? -1 : 1 : Integer.signum(a.compareTo(b));
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Version v && compareTo(v) == 0;
        }

        @Override
        public int hashCode() {
            return Long.hashCode(major * 31 + minor) * 31 + Long.hashCode(patch);
        }

        @Override
        public String toString() {
            return major + "." + minor + "." + patch + (pre.isEmpty() ? "" : "-" + String.join(".", pre))
                    + (build.isEmpty() ? "" : "+" + build);
        }
    }

    static void declare(Libraries to) {
        to.add(
                "semver",
                Overload.global("string_to_semver", TYPE, a -> parse((String) a[0], false), CelType.STRING),
                Overload.global(
                        "string_bool_to_semver",
                        TYPE,
                        a -> parse((String) a[0], (Boolean) a[1]),
                        CelType.STRING,
                        CelType.BOOL));
        to.add(
                "isSemver",
                Overload.global("is_semver_string", CelType.BOOL, a -> isVersion((String) a[0], false), CelType.STRING),
                Overload.global(
                        "is_semver_string_bool",
                        CelType.BOOL,
                        a -> isVersion((String) a[0], (Boolean) a[1]),
                        CelType.STRING,
                        CelType.BOOL));
        to.add("major", Overload.member("semver_major", CelType.INT, a -> ((Version) a[0]).major(), TYPE));
        to.add("minor", Overload.member("semver_minor", CelType.INT, a -> ((Version) a[0]).minor(), TYPE));
        to.add("patch", Overload.member("semver_patch", CelType.INT, a -> ((Version) a[0]).patch(), TYPE));
        to.add(
                "isGreaterThan",
                Overload.member("semver_is_greater_than", CelType.BOOL, a -> compare(a) > 0, TYPE, TYPE));
        to.add("isLessThan", Overload.member("semver_is_less_than", CelType.BOOL, a -> compare(a) < 0, TYPE, TYPE));
        to.add("compareTo", Overload.member("semver_compare_to", CelType.INT, a -> (long) compare(a), TYPE, TYPE));
    }

    private static int compare(Object[] args) {
        return ((Version) args[0]).compareTo((Version) args[1]);
    }

    private static boolean isVersion(String text, boolean normalize) {
        try {
            parse(text, normalize);
            return true;
        } catch (CelException e) {
            return false;
        }
    }

    private static boolean isDigits(String text) {
        return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private static Version parse(String text, boolean normalize) {
        String version = normalize ? normalize(text) : text;
        if (version.isEmpty()) {
            throw new CelException("Version string empty");
        }
        String[] parts = version.split("\\.", 3);
        if (parts.length != 3) {
            throw new CelException("No Major.Minor.Patch elements found");
        }
        long major = number(parts[0], "major");
        long minor = number(parts[1], "minor");
        String patch = parts[2];
        String build = "";
        int plus = patch.indexOf('+');
        if (plus >= 0) {
            build = patch.substring(plus + 1);
            patch = patch.substring(0, plus);
            for (String part : build.split("\\.", -1)) {
                if (part.isEmpty()) {
                    throw new CelException("Build meta data is empty");
                }
                if (!isWord(part)) {
                    throw new CelException("Invalid character(s) found in build meta data \"" + part + "\"");
                }
            }
        }
        List<String> pre = new ArrayList<>();
        int dash = patch.indexOf('-');
        if (dash >= 0) {
            for (String part : patch.substring(dash + 1).split("\\.", -1)) {
                if (part.isEmpty()) {
                    throw new CelException("Prerelease is empty");
                }
                if (isDigits(part) && part.length() > 1 && part.startsWith("0")) {
                    throw new CelException(
                            "Numeric PreRelease version must not contain leading zeroes \"" + part + "\"");
                }
                if (!isWord(part)) {
                    throw new CelException("Invalid character(s) found in prerelease \"" + part + "\"");
                }
                pre.add(part);
            }
            patch = patch.substring(0, dash);
        }
        return new Version(major, minor, number(patch, "patch"), pre, build);
    }

    private static boolean isWord(String text) {
        return text.matches("[0-9A-Za-z-]+");
    }

    private static long number(String text, String name) {
        if (!isDigits(text)) {
            throw new CelException(
                    text.isEmpty() && !name.equals("patch")
                            ? "strconv.ParseUint: parsing \"\": invalid syntax"
                            : "Invalid character(s) found in " + name + " number \"" + text + "\"");
        }
        if (text.length() > 1 && text.startsWith("0")) {
            String title = Character.toUpperCase(name.charAt(0)) + name.substring(1);
            throw new CelException(title + " number must not contain leading zeroes \"" + text + "\"");
        }
        try {
            return Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            throw new CelException("strconv.ParseUint: parsing \"" + text + "\": value out of range");
        }
    }

    private static String normalize(String text) {
        String version = text.startsWith("v") ? text.substring(1) : text;
        List<String> parts = new ArrayList<>(List.of(version.split("\\.", 3)));
        for (int i = 0; i < parts.size(); i++) {
            String part = parts.get(i);
            if (part.length() > 1) {
                part = part.replaceFirst("^0+", "");
                if (part.isEmpty() || !Character.isDigit(part.charAt(0))) {
                    part = "0" + part;
                }
                parts.set(i, part);
            }
        }
        if (parts.size() < 3) {
            String last = parts.get(parts.size() - 1);
            if (last.contains("+") || last.contains("-")) {
                throw new CelException("short version cannot contain PreRelease/Build meta data");
            }
            while (parts.size() < 3) {
                parts.add("0");
            }
        }
        return String.join(".", parts);
    }
}
