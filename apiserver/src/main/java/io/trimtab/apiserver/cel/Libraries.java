package io.trimtab.apiserver.cel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** All functions, by name. Immutable once made. */
final class Libraries {
    /** Types that have no fields, only functions. */
    static final Set<CelType> TYPES = Set.of(
            UrlLibrary.TYPE,
            QuantityLibrary.TYPE,
            NetworkLibrary.IP,
            NetworkLibrary.CIDR,
            NamedFormat.TYPE,
            SemverLibrary.TYPE,
            AuthorizerLibrary.AUTHORIZER,
            AuthorizerLibrary.PATH,
            AuthorizerLibrary.GROUP,
            AuthorizerLibrary.RESOURCE,
            AuthorizerLibrary.DECISION);

    static final Map<String, List<Overload>> COMMON = common();
    static final Map<String, List<Overload>> MUTATION = mutation();

    private final Map<String, List<Overload>> functions = new HashMap<>();

    private Libraries() {}

    void add(String name, Overload... overloads) {
        functions.computeIfAbsent(name, n -> new ArrayList<>()).addAll(Arrays.asList(overloads));
    }

    private static Libraries all() {
        Libraries all = new Libraries();
        StandardLibrary.declare(all);
        TimeLibrary.declare(all);
        OptionalLibrary.declare(all);
        StringLibrary.declare(all);
        ListLibrary.declare(all);
        UrlLibrary.declare(all);
        QuantityLibrary.declare(all);
        NetworkLibrary.declare(all);
        NamedFormat.declare(all);
        SemverLibrary.declare(all);
        AuthorizerLibrary.declare(all);
        return all;
    }

    private static Map<String, List<Overload>> common() {
        return Map.copyOf(all().functions);
    }

    private static Map<String, List<Overload>> mutation() {
        Libraries all = all();
        all.add(
                "jsonpatch.escapeKey",
                Overload.global(
                        "string_jsonpatch_escapeKey_string",
                        CelType.STRING,
                        args -> ((String) args[0]).replace("~", "~0").replace("/", "~1"),
                        CelType.STRING));
        return Map.copyOf(all.functions);
    }
}
