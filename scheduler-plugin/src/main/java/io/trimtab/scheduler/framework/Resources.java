package io.trimtab.scheduler.framework;

import io.fabric8.kubernetes.api.model.Quantity;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Numbers resources, so that amounts are arrays: CPU in thousandths, all others in whole units. A number never changes its
 * meaning while the process lives. Safe for use by any thread.
 */
public final class Resources {
    public static final int CPU = 0;
    public static final int MEMORY = 1;
    public static final int EPHEMERAL_STORAGE = 2;

    /** What a container without a request counts as when nodes are ranked: a tenth of a CPU. */
    public static final long DEFAULT_CPU = 100;
    /** Likewise, 200 MiB. */
    public static final long DEFAULT_MEMORY = 200L * 1024 * 1024;

    private static final int CACHED_QUANTITIES = 4096;
    private static final Map<String, Integer> NUMBERS = new ConcurrentHashMap<>();
    private static final List<String> NAMES = new CopyOnWriteArrayList<>();
    private static final Map<Quantity, BigDecimal> AMOUNTS = new ConcurrentHashMap<>();

    static {
        number("cpu");
        number("memory");
        number("ephemeral-storage");
    }

    private Resources() {}

    /** The number of a resource. */
    public static int number(String name) {
        Integer known = NUMBERS.get(name);
        if (known != null) {
            return known;
        }
        synchronized (NAMES) {
            return NUMBERS.computeIfAbsent(name, n -> {
                NAMES.add(n);
                return NAMES.size() - 1;
            });
        }
    }

    public static String name(int number) {
        return NAMES.get(number);
    }

    /** The amount of a resource; 0 beyond the array's end. */
    public static long amount(long[] amounts, int number) {
        return number < amounts.length ? amounts[number] : 0;
    }

    /** Amounts by number; fractions are rounded up. The resource {@code pods} is left out: it is counted apart. */
    public static long[] amounts(@Nullable Map<String, Quantity> quantities) {
        long[] amounts = new long[3];
        if (quantities != null) {
            for (Map.Entry<String, Quantity> entry : quantities.entrySet()) {
                if (!entry.getKey().equals("pods")) {
                    int number = number(entry.getKey());
                    amounts = grown(amounts, number + 1);
                    amounts[number] = number == CPU ? milli(entry.getValue()) : whole(entry.getValue());
                }
            }
        }
        return amounts;
    }

    public static long milli(Quantity quantity) {
        return rounded(exact(quantity).movePointRight(3));
    }

    public static long whole(Quantity quantity) {
        return rounded(exact(quantity));
    }

    private static long rounded(BigDecimal value) {
        BigDecimal up = value.setScale(0, RoundingMode.UP);
        return up.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0 ? Long.MAX_VALUE : up.longValue();
    }

    private static BigDecimal exact(Quantity quantity) {
        BigDecimal known = AMOUNTS.get(quantity);
        if (known == null) {
            known = quantity.getNumericalAmount();
            if (AMOUNTS.size() < CACHED_QUANTITIES) {
                AMOUNTS.put(quantity, known);
            }
        }
        return known;
    }

    static long[] grown(long[] amounts, int length) {
        return amounts.length >= length ? amounts : Arrays.copyOf(amounts, length);
    }

    /** Adds one to the other, in place if it is long enough. */
    static long[] plus(long[] amounts, long[] more) {
        long[] sum = grown(amounts, more.length);
        for (int i = 0; i < more.length; i++) {
            sum[i] += more[i];
        }
        return sum;
    }

    static long[] minus(long[] amounts, long[] less) {
        long[] rest = grown(amounts, less.length);
        for (int i = 0; i < less.length; i++) {
            rest[i] -= less[i];
        }
        return rest;
    }

    static long[] max(long[] one, long[] other) {
        long[] max = Arrays.copyOf(one, Math.max(one.length, other.length));
        for (int i = 0; i < other.length; i++) {
            max[i] = Math.max(max[i], other[i]);
        }
        return max;
    }
}
