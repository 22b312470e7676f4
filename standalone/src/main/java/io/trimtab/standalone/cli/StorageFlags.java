package io.trimtab.standalone.cli;

import io.trimtab.apiserver.store.EtcdOptions;
import io.trimtab.standalone.StorageSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** The flags that say how objects are kept. */
final class StorageFlags {
    @Spec(Target.MIXEE)
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = {"--etcd-servers", "--etcd-endpoints"},
            split = ",",
            paramLabel = "URL",
            description = "Where an etcd is that several servers may share, as http://127.0.0.1:2379.")
    private List<String> etcdServers = List.of();

    @Option(
            names = "--etcd-prefix",
            defaultValue = "/registry",
            paramLabel = "PREFIX",
            description = "Of all keys in etcd.")
    private String etcdPrefix = "/registry";

    @Option(names = "--etcd-cafile", paramLabel = "FILE", description = "Authorities of etcd's certificates.")
    private @Nullable Path etcdCaFile;

    @Option(names = "--etcd-certfile", paramLabel = "FILE", description = "Our certificate for etcd.")
    private @Nullable Path etcdCertFile;

    @Option(names = "--etcd-keyfile", paramLabel = "FILE", description = "Its key.")
    private @Nullable Path etcdKeyFile;

    @Option(
            names = "--etcd-compaction-interval",
            defaultValue = "5m",
            converter = DurationConverter.class,
            paramLabel = "TIME",
            description = "How often the store forgets what was overwritten before the last time; 0 for never.")
    private Duration compactionInterval = Duration.ofMinutes(5);

    @Option(
            names = "--event-ttl",
            defaultValue = "1h",
            converter = DurationConverter.class,
            paramLabel = "TIME",
            description = "How long Events are kept.")
    private Duration eventTtl = Duration.ofHours(1);

    @Option(
            names = "--storage-media-type",
            defaultValue = "application/json",
            paramLabel = "TYPE",
            description = "What built-in kinds are written to etcd as: application/json (default) or"
                    + " application/vnd.kubernetes.protobuf; both are read.")
    private String storageMediaType = "application/json";

    boolean namesEtcd() {
        return !etcdServers.isEmpty();
    }

    StorageSettings settings() {
        boolean protobuf =
                switch (storageMediaType) {
                    case "application/json" -> false;
                    case "application/vnd.kubernetes.protobuf" -> true;
                    default ->
                        throw new ParameterException(
                                spec.commandLine(),
                                "--storage-media-type: \"" + storageMediaType
                                        + "\" is not one of application/json, application/vnd.kubernetes.protobuf");
                };
        StorageSettings settings = new StorageSettings(null, compactionInterval, eventTtl, protobuf);
        if (etcdServers.isEmpty()) {
            return settings;
        }
        try {
            return settings.with(new EtcdOptions(etcdServers, etcdPrefix, etcdCaFile, etcdCertFile, etcdKeyFile));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--etcd-servers: " + e.getMessage(), e);
        }
    }
}
