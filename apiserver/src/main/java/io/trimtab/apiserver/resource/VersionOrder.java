package io.trimtab.apiserver.resource;

import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The order of version names: v2, v1, v2beta1, v1beta1, v1alpha1, and whatever is no version name last, by the alphabet. */
public final class VersionOrder {
    private static final Pattern VERSION = Pattern.compile("v(\\d{1,9})(?:(alpha|beta)(\\d{1,9}))?");

    /** The version that clients should prefer comes first. */
    public static final Comparator<String> NEWEST_FIRST = VersionOrder::compare;

    private VersionOrder() {}

    private static int compare(String a, String b) {
        Matcher x = VERSION.matcher(a);
        Matcher y = VERSION.matcher(b);
        boolean isX = x.matches();
        boolean isY = y.matches();
        if (!isX || !isY) {
            return isX ? -1 : isY ? 1 : a.compareTo(b);
        }
        int byStage = Integer.compare(stage(y), stage(x));
        if (byStage != 0) {
            return byStage;
        }
        int byMajor = Integer.compare(Integer.parseInt(y.group(1)), Integer.parseInt(x.group(1)));
        if (byMajor != 0 || x.group(3) == null) {
            return byMajor;
        }
        return Integer.compare(Integer.parseInt(y.group(3)), Integer.parseInt(x.group(3)));
    }

    private static int stage(Matcher version) {
        String stage = version.group(2);
        return stage == null ? 2 : stage.equals("beta") ? 1 : 0;
    }
}
