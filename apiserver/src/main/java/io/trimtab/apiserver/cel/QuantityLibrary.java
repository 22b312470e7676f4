package io.trimtab.apiserver.cel;

import io.trimtab.apiserver.quantity.Quantity;
import java.util.function.BiFunction;

/** Quantities such as {@code 500Mi}. Stateless. */
final class QuantityLibrary {
    static final CelType TYPE = CelType.struct("kubernetes.Quantity");

    private QuantityLibrary() {}

    /** Equal if the amounts are. */
    record Value(Quantity quantity) implements Values.Opaque {
        @Override
        public CelType celType() {
            return TYPE;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Value v && quantity.compareTo(v.quantity) == 0;
        }

        @Override
        public int hashCode() {
            return quantity.value().stripTrailingZeros().hashCode();
        }

        @Override
        public String toString() {
            return quantity.toString();
        }
    }

    static void declare(Libraries to) {
        to.add("quantity", Overload.global("string_to_quantity", TYPE, a -> parse((String) a[0]), CelType.STRING));
        to.add(
                "isQuantity",
                Overload.global("is_quantity_string", CelType.BOOL, a -> isQuantity((String) a[0]), CelType.STRING));
        to.add("sign", Overload.member("quantity_sign", CelType.INT, a -> (long) of(a[0]).signum(), TYPE));
        compare(to, "isGreaterThan", "quantity_is_greater_than", CelType.BOOL, (a, b) -> a.compareTo(b) > 0);
        compare(to, "isLessThan", "quantity_is_less_than", CelType.BOOL, (a, b) -> a.compareTo(b) < 0);
        compare(to, "compareTo", "quantity_compare_to", CelType.INT, (a, b) -> (long) Integer.signum(a.compareTo(b)));
        to.add(
                "asApproximateFloat",
                Overload.member(
                        "quantity_get_float",
                        CelType.DOUBLE,
                        a -> of(a[0]).value().doubleValue(),
                        TYPE));
        to.add("asInteger", Overload.member("quantity_get_int", CelType.INT, a -> integer(of(a[0])), TYPE));
        to.add(
                "isInteger",
                Overload.member(
                        "quantity_is_integer", CelType.BOOL, a -> StandardLibrary.isLong(of(a[0]).value()), TYPE));
        compare(to, "add", "quantity_add", TYPE, (a, b) -> new Value(a.add(b)));
        compare(to, "sub", "quantity_sub", TYPE, (a, b) -> new Value(a.subtract(b)));
        to.add(
                "add",
                Overload.member(
                        "quantity_add_int",
                        TYPE,
                        a -> new Value(of(a[0]).add(Quantity.of((Long) a[1]))),
                        TYPE,
                        CelType.INT));
        to.add(
                "sub",
                Overload.member(
                        "quantity_sub_int",
                        TYPE,
                        a -> new Value(of(a[0]).subtract(Quantity.of((Long) a[1]))),
                        TYPE,
                        CelType.INT));
    }

    private static Quantity of(Object value) {
        return ((Value) value).quantity();
    }

    private static void compare(
            Libraries to, String name, String id, CelType result, BiFunction<Quantity, Quantity, Object> body) {
        to.add(name, Overload.member(id, result, a -> body.apply(of(a[0]), of(a[1])), TYPE, TYPE));
    }

    private static Value parse(String text) {
        try {
            return new Value(Quantity.parse(text));
        } catch (IllegalArgumentException e) {
            throw new CelException(String.valueOf(e.getMessage()));
        }
    }

    private static Boolean isQuantity(String text) {
        try {
            Quantity.parse(text);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static Long integer(Quantity quantity) {
        if (!StandardLibrary.isLong(quantity.value())) {
            throw new CelException("cannot convert value to integer");
        }
        return quantity.value().longValueExact();
    }
}
