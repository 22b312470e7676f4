package io.trimtab.apiserver.kinds.core;

import java.util.regex.Pattern;

/** Reads as much of an image's name as the default pull policy needs. Stateless. */
final class ImageNames {
    private static final String COMPONENT = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
    private static final String DOMAIN_PART = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
    private static final String DOMAIN =
            "(?:" + DOMAIN_PART + "(?:\\." + DOMAIN_PART + ")*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?";
    private static final Pattern PATH = Pattern.compile(COMPONENT + "(?:/" + COMPONENT + ")*");
    private static final Pattern DOMAIN_PATTERN = Pattern.compile(DOMAIN);
    private static final Pattern TAG = Pattern.compile("\\w[\\w.-]{0,127}");
    private static final Pattern DIGEST =
            Pattern.compile("[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}");
    private static final Pattern BARE_ID = Pattern.compile("[a-f0-9]{64}");

    private ImageNames() {}

    // By hash: pods come with the same few images. Races only lose one.
    private static final Known[] KNOWN = new Known[256];

    private record Known(String image, String policy) {}

    /** {@code Always} if the name means the tag {@code latest}, else {@code IfNotPresent}; malformed names count as else. */
    static String defaultPullPolicy(String image) {
        int slot = image.hashCode() * 0x9e3779b9 >>> 24;
        Known known = KNOWN[slot];
        if (known == null || !known.image.equals(image)) {
            known = new Known(image, meansLatest(image) ? "Always" : "IfNotPresent");
            KNOWN[slot] = known;
        }
        return known.policy;
    }

    private static boolean meansLatest(String image) {
        if (BARE_ID.matcher(image).matches()) {
            return false;
        }
        String rest = image;
        boolean digested = false;
        int at = rest.indexOf('@');
        if (at >= 0) {
            if (!DIGEST.matcher(rest.substring(at + 1)).matches()) {
                return false;
            }
            digested = true;
            rest = rest.substring(0, at);
        }
        String tag = "";
        int colon = rest.lastIndexOf(':');
        if (colon > rest.lastIndexOf('/')) {
            tag = rest.substring(colon + 1);
            rest = rest.substring(0, colon);
            if (!TAG.matcher(tag).matches()) {
                return false;
            }
        }
        String path = rest;
        int slash = rest.indexOf('/');
        if (slash >= 0) {
            String first = rest.substring(0, slash);
            if (first.contains(".")
                    || first.contains(":")
                    || first.equals("localhost")
                    || !first.equals(first.toLowerCase(java.util.Locale.ROOT))) {
                if (!DOMAIN_PATTERN.matcher(first).matches()) {
                    return false;
                }
                path = rest.substring(slash + 1);
            }
        }
        if (!PATH.matcher(path).matches()) {
            return false;
        }
        return tag.equals("latest") || tag.isEmpty() && !digested;
    }
}
