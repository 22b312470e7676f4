package io.trimtab.apiserver.injvm;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The watches of a client that are open: closing the client closes them. Safe for use by any thread. */
final class OpenStreams {
    private final Set<EventStream> open = ConcurrentHashMap.newKeySet();

    void add(EventStream stream) {
        open.add(stream);
    }

    void remove(EventStream stream) {
        open.remove(stream);
    }

    void closeAll() {
        List.copyOf(open).forEach(EventStream::close);
    }
}
