package io.trimtab.apiserver.cel;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** Order, sums and places in lists. Stateless. */
final class ListLibrary {
    private ListLibrary() {}

    static void declare(Libraries to) {
        Map<String, CelType> comparable = new LinkedHashMap<>();
        comparable.put("int", CelType.INT);
        comparable.put("uint", CelType.UINT);
        comparable.put("double", CelType.DOUBLE);
        comparable.put("bool", CelType.BOOL);
        comparable.put("duration", CelType.DURATION);
        comparable.put("timestamp", CelType.TIMESTAMP);
        comparable.put("string", CelType.STRING);
        comparable.put("bytes", CelType.BYTES);
        comparable.forEach((name, type) -> {
            CelType list = CelType.list(type);
            to.add(
                    "isSorted",
                    Overload.member(
                            "list_" + name + "_is_sorted_bool", CelType.BOOL, a -> isSorted((CelList) a[0]), list));
            to.add(
                    "max",
                    Overload.member(
                            "list_" + name + "_max_" + name, type, a -> extreme((CelList) a[0], "max", 1), list));
            to.add(
                    "min",
                    Overload.member(
                            "list_" + name + "_min_" + name, type, a -> extreme((CelList) a[0], "min", -1), list));
        });
        Map<String, Object> zeros = new LinkedHashMap<>();
        zeros.put("int", 0L);
        zeros.put("uint", new CelUnsigned(0));
        zeros.put("double", 0.0);
        zeros.put("duration", Duration.ZERO);
        zeros.forEach((name, zero) -> {
            CelType type = Values.typeOf(zero);
            to.add(
                    "sum",
                    Overload.member(
                            "list_" + name + "_sum_" + name, type, a -> sum((CelList) a[0], zero), CelType.list(type)));
        });
        CelType any = StandardLibrary.A;
        to.add(
                "indexOf",
                Overload.member(
                        "list_a_index_of_int",
                        CelType.INT,
                        a -> indexOf((CelList) a[0], a[1]),
                        CelType.list(any),
                        any));
        to.add(
                "lastIndexOf",
                Overload.member(
                        "list_a_last_index_of_int",
                        CelType.INT,
                        a -> lastIndexOf((CelList) a[0], a[1]),
                        CelType.list(any),
                        any));
    }

    private static Boolean isSorted(CelList list) {
        for (int i = 1; i < list.size(); i++) {
            if (Values.compare(list.get(i - 1), list.get(i)) > 0) {
                return false;
            }
        }
        return true;
    }

    private static Object sum(CelList list, Object zero) {
        Object sum = zero;
        for (Object item : list) {
            sum = java.util.Objects.requireNonNull(Arithmetic.apply(Operators.ADD, new Object[] {sum, item}));
        }
        return sum;
    }

    private static Object extreme(CelList list, String name, int sign) {
        if (list.size() == 0) {
            throw new CelException(name + " called on empty list");
        }
        Object best = list.get(0);
        for (Object item : list) {
            if (Values.compare(item, best) * sign > 0) {
                best = item;
            }
        }
        return best;
    }

    private static Long indexOf(CelList list, Object value) {
        for (int i = 0; i < list.size(); i++) {
            if (Values.equal(list.get(i), value)) {
                return (long) i;
            }
        }
        return -1L;
    }

    private static Long lastIndexOf(CelList list, Object value) {
        for (int i = list.size() - 1; i >= 0; i--) {
            if (Values.equal(list.get(i), value)) {
                return (long) i;
            }
        }
        return -1L;
    }
}
