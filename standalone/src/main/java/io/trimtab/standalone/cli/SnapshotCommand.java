package io.trimtab.standalone.cli;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.trimtab.apiserver.health.SnapshotPath;
import io.trimtab.apiserver.store.RocksStore;
import io.trimtab.apiserver.store.Snapshot;
import io.trimtab.client.Clients;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.standalone.StartException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Saves all objects to a file, and makes a store of such a file. */
@Command(
        name = "snapshot",
        description = "Saves all objects to a file, and restores them.",
        mixinStandardHelpOptions = true,
        subcommands = {SnapshotCommand.Save.class, SnapshotCommand.Restore.class})
final class SnapshotCommand implements Runnable {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "say what to do: trimtab snapshot save|restore FILE");
    }

    /** From a running server, or from the files of one that does not run. */
    @Command(
            name = "save",
            description = "Saves all objects to a file: from a running server, or from the directory of a stopped one.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Save implements Runnable {
        @Spec
        private CommandSpec spec = CommandSpec.create();

        @Parameters(paramLabel = "FILE", description = "Must not exist. Holds Secrets: keep it as such.")
        private Path file = Path.of("");

        @Option(names = "--kubeconfig", paramLabel = "FILE", description = "Of the running server's administrator.")
        private @Nullable Path kubeconfig;

        @Option(names = "--data-dir", paramLabel = "DIR", description = "Of the stopped server, instead.")
        private @Nullable Path dataDir;

        @Override
        public void run() {
            if ((kubeconfig == null) == (dataDir == null)) {
                throw new ParameterException(
                        spec.commandLine(),
                        "give either --kubeconfig FILE for a running server, or --data-dir DIR for a stopped one");
            }
            if (Files.exists(file)) {
                throw new StartException(file + " exists, and is not overwritten; give another name");
            }
            Path part = file.resolveSibling(file.getFileName() + ".part");
            try {
                Snapshot.Summary saved = dataDir == null ? download(part) : export(part, dataDir.resolve("store"));
                move(part, file);
                spec.commandLine()
                        .getOut()
                        .println("Saved " + saved.entries() + " objects at revision " + saved.revision() + " to " + file
                                + ", " + Files.size(file) + " bytes.");
                spec.commandLine().getOut().flush();
            } catch (IOException e) {
                throw new StartException("the snapshot cannot be written to " + file + ": " + e.getMessage(), e);
            } finally {
                part.toFile().delete();
            }
        }

        private static Snapshot.Summary export(Path part, Path store) throws IOException {
            if (!Files.isDirectory(store)) {
                throw new StartException("there is no store in " + store.getParent());
            }
            try (Driver driver = RealDriver.create("snapshot");
                    RocksStore open = RocksStore.open(store, driver);
                    OutputStream out = secret(part)) {
                return Snapshot.write(open, out);
            }
        }

        private Snapshot.Summary download(Path part) throws IOException {
            Config config;
            try {
                config = Clients.kubeconfig(java.util.Objects.requireNonNull(kubeconfig));
            } catch (UncheckedIOException e) {
                throw new ParameterException(spec.commandLine(), "--kubeconfig: " + e.getMessage(), e);
            }
            String url = config.getMasterUrl().replaceAll("/+$", "") + SnapshotPath.PATH;
            try (KubernetesClient client =
                    new KubernetesClientBuilder().withConfig(config).build()) {
                HttpRequest request =
                        client.getHttpClient().newHttpRequestBuilder().uri(url).build();
                HttpResponse<InputStream> response = client.getHttpClient()
                        .sendAsync(request, InputStream.class)
                        .get(60, TimeUnit.SECONDS);
                try (InputStream body = response.body()) {
                    if (!response.isSuccessful()) {
                        throw new StartException("the server at " + config.getMasterUrl() + " refuses ("
                                + response.code() + "): "
                                + new String(body.readNBytes(2000), StandardCharsets.UTF_8).strip());
                    }
                    try (OutputStream out = secret(part)) {
                        body.transferTo(out);
                    }
                }
            } catch (ExecutionException | TimeoutException e) {
                Throwable cause = e.getCause() == null ? e : e.getCause();
                throw new StartException(
                        "the server at " + config.getMasterUrl() + " does not answer: " + cause.getMessage(), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new StartException("interrupted", e);
            }
            // What came may have been cut off on its way.
            try (InputStream in = Files.newInputStream(part)) {
                return Snapshot.read(in, "that came from " + url, entry -> {});
            }
        }

        private static OutputStream secret(Path part) throws IOException {
            OutputStream out = Files.newOutputStream(part);
            Files.setPosixFilePermissions(
                    part, EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE));
            return out;
        }

        private static void move(Path part, Path file) throws IOException {
            try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            try {
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(part, file);
            }
        }
    }

    /** Into a directory that is to be made. */
    @Command(
            name = "restore",
            description = "Makes a store of a snapshot, in a directory that has none; start a server on it afterwards.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Restore implements Runnable {
        @Spec
        private CommandSpec spec = CommandSpec.create();

        @Parameters(paramLabel = "FILE", description = "What save has written.")
        private Path file = Path.of("");

        @Option(names = "--data-dir", required = true, paramLabel = "DIR", description = "Must not have a store yet.")
        private Path dataDir = Path.of("");

        @Option(
                names = "--pki",
                paramLabel = "DIR",
                description =
                        "The old server's pki folder, to be copied: a snapshot holds no keys; without them clients need"
                                + " new credentials.")
        private @Nullable Path pki;

        @Option(
                names = "--bump-revision",
                defaultValue = "1000000",
                paramLabel = "COUNT",
                description = "How far resource versions jump ahead, so that none is given out twice; default 1000000.")
        private long bump;

        @Override
        public void run() {
            if (!Files.isRegularFile(file)) {
                throw new StartException("there is no file " + file);
            }
            if (bump < 0) {
                throw new ParameterException(spec.commandLine(), "--bump-revision: " + bump + " is less than 0");
            }
            Snapshot.Summary restored = RocksStore.restore(file, dataDir.resolve("store"), bump);
            if (pki != null) {
                copy(pki, dataDir.resolve("pki"));
            }
            spec.commandLine()
                    .getOut()
                    .println("Restored " + restored.entries() + " objects of revision " + restored.revision() + " to "
                            + dataDir + ". Next: trimtab up --data-dir " + dataDir);
            spec.commandLine().getOut().flush();
        }

        private static void copy(Path from, Path to) {
            try {
                Files.createDirectories(to);
                try (DirectoryStream<Path> files = Files.newDirectoryStream(from)) {
                    for (Path one : files) {
                        Files.copy(one, to.resolve(one.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
                    }
                }
            } catch (IOException e) {
                throw new StartException("--pki " + from + " cannot be copied to " + to + ": " + e.getMessage(), e);
            }
        }
    }
}
