package io.trimtab.apiserver.cel;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Optional values. Stateless. */
final class OptionalLibrary {
    private static final CelType V = CelType.parameter("V");
    private static final CelType OPTIONAL = CelType.optional(V);
    private static final CelType LIST = CelType.list(V);

    private OptionalLibrary() {}

    static void declare(Libraries to) {
        to.add("optional.of", Overload.global("optional_of", OPTIONAL, args -> CelOptional.of(args[0]), V));
        to.add(
                "optional.ofNonZeroValue",
                Overload.global(
                        "optional_ofNonZeroValue",
                        OPTIONAL,
                        args -> isZero(args[0]) ? CelOptional.NONE : CelOptional.of(args[0]),
                        V));
        to.add("optional.none", Overload.global("optional_none", OPTIONAL, args -> CelOptional.NONE));
        to.add("value", Overload.member("optional_value", V, args -> ((CelOptional) args[0]).get(), OPTIONAL));
        to.add(
                "hasValue",
                Overload.member(
                        "optional_hasValue", CelType.BOOL, args -> ((CelOptional) args[0]).isPresent(), OPTIONAL));
        to.add(
                "or",
                Overload.member(
                        "optional_or_optional",
                        OPTIONAL,
                        args -> ((CelOptional) args[0]).isPresent() ? args[0] : args[1],
                        OPTIONAL,
                        OPTIONAL));
        to.add(
                "orValue",
                Overload.member(
                        "optional_orValue_value",
                        V,
                        args -> {
                            Object value = ((CelOptional) args[0]).value();
                            return value == null ? args[1] : value;
                        },
                        OPTIONAL,
                        V));
        to.add("first", Overload.member("list_first", OPTIONAL, args -> at((CelList) args[0], 0), LIST));
        to.add(
                "last",
                Overload.member(
                        "list_last", OPTIONAL, args -> at((CelList) args[0], ((CelList) args[0]).size() - 1), LIST));
        to.add(
                "optional.unwrap",
                Overload.global("optional_unwrap", LIST, args -> unwrap((CelList) args[0]), CelType.list(OPTIONAL)));
        to.add(
                "unwrapOpt",
                Overload.member("optional_unwrapOpt", LIST, args -> unwrap((CelList) args[0]), CelType.list(OPTIONAL)));
    }

    private static CelOptional at(CelList list, int i) {
        return list.size() == 0 ? CelOptional.NONE : CelOptional.of(list.get(i));
    }

    private static CelList unwrap(CelList list) {
        List<Object> values = new ArrayList<>();
        for (Object item : list) {
            if (item instanceof CelOptional optional && optional.value() != null) {
                values.add(optional.value());
            }
        }
        return CelList.of(values);
    }

    private static boolean isZero(Object value) {
        return value instanceof Long l && l == 0
                || value instanceof Double d && d == 0
                || value instanceof CelUnsigned u && u.bits() == 0
                || value instanceof Boolean b && !b
                || value instanceof CelNull
                || value instanceof Duration duration && duration.isZero()
                || (value instanceof String
                                || value instanceof CelList
                                || value instanceof CelMap
                                || value instanceof CelBytes)
                        && Values.size(value) == 0
                || value instanceof CelOptional optional && !optional.isPresent();
    }
}
