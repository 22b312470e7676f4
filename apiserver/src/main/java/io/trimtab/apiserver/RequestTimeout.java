package io.trimtab.apiserver;

import io.trimtab.apiserver.errors.Statuses;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Map;

/** The {@code timeout} of a request, which has to be a duration as Go writes them. Stateless. */
final class RequestTimeout {
    private static final BigDecimal MAX = new BigDecimal(BigInteger.valueOf(Long.MAX_VALUE));
    private static final Map<String, BigDecimal> NANOS = Map.of(
            "ns", BigDecimal.ONE,
            "us", new BigDecimal(1_000),
            "µs", new BigDecimal(1_000), // the micro sign
            "μs", new BigDecimal(1_000), // the Greek letter
            "ms", new BigDecimal(1_000_000),
            "s", new BigDecimal(1_000_000_000),
            "m", new BigDecimal(60_000_000_000L),
            "h", new BigDecimal(3_600_000_000_000L));

    private RequestTimeout() {}

    /**
     * Refuses a request whose timeout is none. Watches and streams have no deadline, and read theirs themselves.
     *
     * @throws io.trimtab.apiserver.errors.StatusException 400
     */
    static void check(ApiRequest request, RequestInfo info) {
        String timeout = request.queryParameter("timeout");
        if (timeout == null || timeout.isEmpty() || info.longRunning()) {
            return;
        }
        String why = mistake(timeout);
        if (!why.isEmpty()) {
            throw Statuses.badRequest("invalid timeout specified in the request URL - time: " + why);
        }
    }

    /** What Go's {@code time.ParseDuration} would say; empty if it would take it. */
    static String mistake(String text) {
        String quoted = '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
        String rest = text.startsWith("-") || text.startsWith("+") ? text.substring(1) : text;
        if (rest.equals("0")) {
            return "";
        }
        if (rest.isEmpty()) {
            return "invalid duration " + quoted;
        }
        BigDecimal total = BigDecimal.ZERO;
        while (!rest.isEmpty()) {
            int end = 0;
            while (end < rest.length() && (isDigit(rest.charAt(end)) || rest.charAt(end) == '.')) {
                if (rest.charAt(end) == '.' && rest.indexOf('.') < end) {
                    break; // a second dot begins the unit
                }
                end++;
            }
            String number = rest.substring(0, end);
            if (number.isEmpty() || number.equals(".")) {
                return "invalid duration " + quoted;
            }
            int unitEnd = end;
            while (unitEnd < rest.length() && rest.charAt(unitEnd) != '.' && !isDigit(rest.charAt(unitEnd))) {
                unitEnd++;
            }
            if (unitEnd == end) {
                return "missing unit in duration " + quoted;
            }
            String unit = rest.substring(end, unitEnd);
            BigDecimal nanos = NANOS.get(unit);
            if (nanos == null) {
                return "unknown unit \"" + unit + "\" in duration " + quoted;
            }
            total = total.add(new BigDecimal("0" + (number.endsWith(".") ? number + "0" : number)).multiply(nanos));
            if (total.compareTo(MAX) > 0) {
                return "invalid duration " + quoted;
            }
            rest = rest.substring(unitEnd);
        }
        return "";
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }
}
