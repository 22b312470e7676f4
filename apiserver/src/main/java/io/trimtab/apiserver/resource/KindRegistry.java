package io.trimtab.apiserver.resource;

import java.util.Map;

/** The behaviour of each kind, by group and kind. Immutable; kinds that nobody registered are {@link Kind#PLAIN}. */
public final class KindRegistry {

    /** Knows no kind of its own. */
    public static final KindRegistry PLAIN = new KindRegistry(Map.of());

    private final Map<String, Kind> kinds;

    /** @param kinds keyed {@code <group>/<Kind>}, core's as {@code /Pod} */
    public KindRegistry(Map<String, ? extends Kind> kinds) {
        this.kinds = Map.copyOf(kinds);
    }

    /** The behaviour of a kind. */
    public Kind find(String group, String kind) {
        return kinds.getOrDefault(group + "/" + kind, Kind.PLAIN);
    }
}
