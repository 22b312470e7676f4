package io.trimtab.node.simulated;

import io.trimtab.node.network.Listener;
import io.trimtab.node.network.Outlet;
import io.trimtab.node.network.Peer;
import io.trimtab.node.network.Session;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A server of gRPC's health protocol: probes ask it in its own words, bytes get them nowhere. Safe for use by any thread. */
final class GrpcHealth implements Listener {
    private final Function<String, @Nullable Boolean> serving;

    /** @param serving whether a service is well; null if it is not known */
    GrpcHealth(Function<String, @Nullable Boolean> serving) {
        this.serving = serving;
    }

    /** Whether a service is well; null if it is not known. */
    @Nullable
    Boolean isServing(String service) {
        return serving.apply(service);
    }

    @Override
    public Session accept(Peer peer, Outlet outlet) {
        return bytes -> outlet.close();
    }
}
