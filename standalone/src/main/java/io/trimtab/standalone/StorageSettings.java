package io.trimtab.standalone;

import io.trimtab.apiserver.store.EtcdOptions;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How objects are kept, whatever keeps them.
 *
 * @param etcd where the etcd is, if that is the store
 * @param compactEvery how often what was overwritten two turns ago is forgotten; zero for never
 * @param eventLife how long an Event is kept; zero for ever
 * @param protobuf whether built-in kinds are written to etcd as Kubernetes' protobuf, not as JSON; both are read
 */
public record StorageSettings(@Nullable EtcdOptions etcd, Duration compactEvery, Duration eventLife, boolean protobuf) {
    /** As Kubernetes has them. */
    public static final StorageSettings DEFAULT =
            new StorageSettings(null, Duration.ofMinutes(5), Duration.ofHours(1), false);

    /** The same in an etcd. */
    public StorageSettings with(EtcdOptions options) {
        return new StorageSettings(options, compactEvery, eventLife, protobuf);
    }
}
