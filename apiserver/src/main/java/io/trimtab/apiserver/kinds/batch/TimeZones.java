package io.trimtab.apiserver.kinds.batch;

import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Trees;
import java.time.zone.ZoneRulesProvider;
import java.util.regex.Pattern;

/** Checks names of time zones. Stateless. */
final class TimeZones {
    private static final Pattern PART = Pattern.compile("[A-Za-z.\\-_0-9+]{1,14}");

    private TimeZones() {}

    static boolean isKnown(String zone) {
        return zone.isEmpty()
                || zone.equals("UTC")
                || ZoneRulesProvider.getAvailableZoneIds().contains(zone);
    }

    static void validate(FieldErrors errors, String path, String zone) {
        if (zone.isEmpty()) {
            errors.invalid(path, zone, "timeZone must be nil or non-empty string");
            return;
        }
        String unknown = "unknown time zone " + zone;
        for (String part : zone.split("/", -1)) {
            if (part.equals(".")
                    || part.equals("..")
                    || part.startsWith("-")
                    || !PART.matcher(part).matches()) {
                errors.invalid(path, Trees.textNode(zone), unknown);
                return;
            }
        }
        if (zone.equalsIgnoreCase("Local")) {
            errors.invalid(
                    path, zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones");
        }
        if (!isKnown(zone) && !zone.equals("Local")) {
            errors.invalid(path, zone, unknown);
        }
    }
}
