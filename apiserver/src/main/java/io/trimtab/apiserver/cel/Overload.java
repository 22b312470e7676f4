package io.trimtab.apiserver.cel;

import java.util.List;

/**
 * One signature of a function and what it does. Immutable.
 *
 * @param id as cel-go and Kubernetes name it: costs depend on it
 * @param member whether the first argument stands before the dot
 */
record Overload(String id, boolean member, List<CelType> args, CelType result, Body body) {

    /** Computes from arguments of the declared types. */
    interface Body {
        /** @throws CelException if there is no value */
        Object call(Object[] args);
    }

    static Overload global(String id, CelType result, Body body, CelType... args) {
        return new Overload(id, false, List.of(args), result, body);
    }

    static Overload member(String id, CelType result, Body body, CelType... args) {
        return new Overload(id, true, List.of(args), result, body);
    }

    /** Whether these values are of the declared types, as far as values show. */
    boolean accepts(Object[] values) {
        if (values.length != args.size()) {
            return false;
        }
        for (int i = 0; i < values.length; i++) {
            if (!Values.isOfType(values[i], args.get(i))) {
                return false;
            }
        }
        return true;
    }
}
