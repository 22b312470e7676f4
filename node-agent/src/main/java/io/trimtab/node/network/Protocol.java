package io.trimtab.node.network;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** How bytes travel. */
public enum Protocol {
    TCP,
    UDP,
    SCTP;

    /** As the API names it; TCP where it does not say. */
    public static Protocol of(@Nullable String name) {
        return name == null || name.isEmpty() ? TCP : valueOf(name.toUpperCase(Locale.ROOT));
    }
}
