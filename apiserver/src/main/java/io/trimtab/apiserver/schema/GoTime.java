package io.trimtab.apiserver.schema;

import io.trimtab.apiserver.errors.FieldErrors;
import java.time.LocalDateTime;
import java.time.YearMonth;
import java.time.ZoneOffset;

/** Times in the two forms of Kubernetes' API, read with Go's strictness and its words when they are wrong. */
final class GoTime {
    private static final String SECONDS = "2006-01-02T15:04:05Z07:00";
    private static final String MICROS = "2006-01-02T15:04:05.000000Z07:00";

    private final String text;
    private final String layout;
    private int pos;

    private GoTime(String text, String layout) {
        this.text = text;
        this.layout = layout;
    }

    /** In UTC, to the second. */
    static String seconds(String text) throws DecodeException {
        if (isCanonical(text)) {
            return text;
        }
        LocalDateTime t = new GoTime(text, SECONDS).read(false);
        return print(t).append('Z').toString();
    }

    /** In UTC, with six digits of fraction. */
    static String micros(String text) throws DecodeException {
        if (isCanonicalMicros(text)) {
            return text;
        }
        LocalDateTime t = new GoTime(text, MICROS).read(true);
        String fraction = Integer.toString(1_000_000 + t.getNano() / 1000).substring(1);
        return print(t).append('.').append(fraction).append('Z').toString();
    }

    // The common case, without parsing: digits in place, and values that no calendar can refuse.
    private static boolean isCanonical(String s) {
        return s.length() == 20 && s.charAt(19) == 'Z' && beginsCanonically(s);
    }

    private static boolean isCanonicalMicros(String s) {
        if (s.length() != 27 || s.charAt(26) != 'Z' || s.charAt(19) != '.' || !beginsCanonically(s)) {
            return false;
        }
        for (int i = 20; i < 26; i++) {
            if (s.charAt(i) < '0' || s.charAt(i) > '9') {
                return false;
            }
        }
        return true;
    }

    private static boolean beginsCanonically(String s) {
        if (s.charAt(10) != 'T') {
            return false;
        }
        for (int i = 0; i < 19; i++) {
            char c = s.charAt(i);
            char want = i == 4 || i == 7 ? '-' : i == 10 ? 'T' : i == 13 || i == 16 ? ':' : '0';
            if (want == '0' ? c < '0' || c > '9' : c != want) {
                return false;
            }
        }
        return two(s, 5) >= 1
                && two(s, 5) <= 12
                && two(s, 8) >= 1
                && two(s, 8) <= (two(s, 5) == 2 ? 28 : 30)
                && two(s, 11) < 24
                && two(s, 14) < 60
                && two(s, 17) < 60;
    }

    private static int two(String s, int at) {
        return (s.charAt(at) - '0') * 10 + s.charAt(at + 1) - '0';
    }

    private static StringBuilder print(LocalDateTime t) {
        StringBuilder b = new StringBuilder(27);
        String year = Integer.toString(t.getYear());
        b.append("0000", Math.min(4, year.length()), 4).append(year);
        pad(b.append('-'), t.getMonthValue());
        pad(b.append('-'), t.getDayOfMonth());
        pad(b.append('T'), t.getHour());
        pad(b.append(':'), t.getMinute());
        pad(b.append(':'), t.getSecond());
        return b;
    }

    private static void pad(StringBuilder b, int n) {
        b.append(n < 10 ? "0" : "").append(n);
    }

    private LocalDateTime read(boolean micros) throws DecodeException {
        int year = digits(4, "2006");
        literal("-");
        int month = digits(2, "01");
        range(month >= 1 && month <= 12, "month");
        literal("-");
        int day = digits(2, "02");
        literal("T");
        int hour = hour();
        literal(":");
        int minute = digits(2, "04");
        range(minute < 60, "minute");
        literal(":");
        int second = digits(2, "05");
        range(second < 60, "second");
        int nanos = micros ? sixDigits() : fraction();
        int offset = zone();
        if (pos < text.length()) {
            throw fail(": extra text: " + FieldErrors.quote(text.substring(pos)));
        }
        range(day >= 1 && day <= YearMonth.of(year, month).lengthOfMonth(), "day");
        return LocalDateTime.of(year, month, day, hour, minute, second, nanos)
                .atOffset(ZoneOffset.ofTotalSeconds(offset))
                .withOffsetSameInstant(ZoneOffset.UTC)
                .toLocalDateTime();
    }

    private int hour() throws DecodeException {
        // Go reads one or two digits here and nowhere else.
        int n = isDigit(pos + 1) ? 2 : 1;
        int hour = digits(n, "15");
        range(hour < 24, "hour");
        return hour;
    }

    private int fraction() {
        if (pos + 1 < text.length() && (text.charAt(pos) == '.' || text.charAt(pos) == ',') && isDigit(pos + 1)) {
            int start = ++pos;
            while (isDigit(pos)) {
                pos++;
            }
            return nanos(text.substring(start, pos));
        }
        return 0;
    }

    private int sixDigits() throws DecodeException {
        int end = pos + 7;
        if (end > text.length() || text.charAt(pos) != '.') {
            throw cannot(".000000");
        }
        for (int i = pos + 1; i < end; i++) {
            if (!isDigit(i)) {
                throw cannot(".000000");
            }
        }
        int n = nanos(text.substring(pos + 1, end));
        pos = end;
        return n;
    }

    private static int nanos(String digits) {
        return Integer.parseInt((digits + "000000000").substring(0, 9));
    }

    private int zone() throws DecodeException {
        if (pos < text.length() && text.charAt(pos) == 'Z') {
            pos++;
            return 0;
        }
        if (pos + 6 > text.length() || text.charAt(pos + 3) != ':') {
            throw cannot("Z07:00");
        }
        char sign = text.charAt(pos);
        if (sign != '+' && sign != '-'
                || !isDigit(pos + 1)
                || !isDigit(pos + 2)
                || !isDigit(pos + 4)
                || !isDigit(pos + 5)) {
            throw cannot("Z07:00");
        }
        int hours = two(text, pos + 1);
        int minutes = two(text, pos + 4);
        range(hours <= 24, "time zone offset hour");
        range(minutes <= 60, "time zone offset minute");
        pos += 6;
        int seconds = hours * 3600 + minutes * 60;
        // Java's offsets end at 18 hours, and so does the world's use of them.
        range(seconds <= 18 * 3600, "time zone offset hour");
        return sign == '-' ? -seconds : seconds;
    }

    private int digits(int n, String piece) throws DecodeException {
        for (int i = 0; i < n; i++) {
            if (!isDigit(pos + i)) {
                throw cannot(piece);
            }
        }
        int value = Integer.parseInt(text.substring(pos, pos + n));
        pos += n;
        return value;
    }

    private void literal(String s) throws DecodeException {
        if (!text.startsWith(s, pos)) {
            throw cannot(s);
        }
        pos += s.length();
    }

    private boolean isDigit(int i) {
        return i < text.length() && text.charAt(i) >= '0' && text.charAt(i) <= '9';
    }

    private void range(boolean good, String what) throws DecodeException {
        if (!good) {
            throw fail(": " + what + " out of range");
        }
    }

    private DecodeException cannot(String piece) {
        return new DecodeException("parsing time " + FieldErrors.quote(text) + " as " + FieldErrors.quote(layout)
                + ": cannot parse " + FieldErrors.quote(text.substring(Math.min(pos, text.length()))) + " as "
                + FieldErrors.quote(piece));
    }

    private DecodeException fail(String why) {
        return new DecodeException("parsing time " + FieldErrors.quote(text) + why);
    }
}
