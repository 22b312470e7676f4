package io.trimtab.apiserver.audit;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Events as lines of a file, which is put aside when it is large, under a name that says when. An event is in the file before
 * its request goes on. Safe for use by any thread: writers take turns, and write a line each.
 */
public final class AuditLogFile implements AuditSink {
    private static final Logger LOG = LoggerFactory.getLogger(AuditLogFile.class);
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH-mm-ss.SSS").withZone(ZoneOffset.UTC);
    private static final long MEGABYTE = 1024 * 1024;
    private static final int DEFAULT_MEGABYTES = 100;

    /**
     * How the file is kept.
     *
     * @param path {@code -} for the standard output
     * @param maxDays after which files put aside are deleted; 0 for never
     * @param maxBackups how many of them are kept; 0 for all
     * @param maxMegabytes of the file itself; 0 for a hundred
     * @param compress whether those put aside are
     * @param legacy lines of text instead of JSON
     */
    public record Options(
            String path, int maxDays, int maxBackups, int maxMegabytes, boolean compress, boolean legacy) {}

    private final Options options;
    private final Driver driver;
    private final ReentrantLock lock = new ReentrantLock();
    // Guarded by lock.
    private @Nullable OutputStream out;
    private long size;
    private boolean broken;

    private AuditLogFile(Options options, Driver driver) {
        this.options = options;
        this.driver = driver;
    }

    /** @throws IOException if the file cannot be written */
    public static AuditLogFile open(Options options, Driver driver) throws IOException {
        AuditLogFile log = new AuditLogFile(options, driver);
        log.lock.lock();
        try {
            log.lockedOpen();
        } finally {
            log.lock.unlock();
        }
        return log;
    }

    private void lockedOpen() throws IOException {
        if (options.path().equals("-")) {
            out = System.out;
            return;
        }
        Path path = Path.of(options.path());
        if (path.getParent() != null) {
            Files.createDirectories(path.getParent());
        }
        out = Files.newOutputStream(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        size = Files.size(path);
    }

    @Override
    public void take(ObjectNode event) {
        byte[] line = options.legacy() ? legacy(event) : AuditRecord.encode(event);
        byte[] whole = java.util.Arrays.copyOf(line, line.length + 1);
        whole[line.length] = '\n';
        lock.lock();
        try {
            OutputStream stream = out;
            if (stream == null) {
                return;
            }
            long limit = (options.maxMegabytes() == 0 ? DEFAULT_MEGABYTES : options.maxMegabytes()) * MEGABYTE;
            if (size > 0 && size + whole.length > limit && !options.path().equals("-")) {
                lockedRotate();
                stream = out;
            }
            if (stream != null) {
                stream.write(whole);
                stream.flush();
                size += whole.length;
                broken = false;
            }
        } catch (IOException e) {
            if (!broken) {
                LOG.error("audit log not written: path={} why={}", options.path(), e.getMessage());
            }
            broken = true; // said once until it works again
        } finally {
            lock.unlock();
        }
    }

    private void lockedRotate() throws IOException {
        OutputStream old = out;
        if (old != null) {
            old.close();
        }
        Path path = Path.of(options.path());
        Path aside = aside(path, driver.now());
        Files.move(path, aside);
        lockedOpen();
        driver.execute(() -> tidy(path));
    }

    private static String prefix(Path path) {
        String name = String.valueOf(path.getFileName());
        int dot = name.lastIndexOf('.');
        return (dot < 0 ? name : name.substring(0, dot)) + "-";
    }

    private static String suffix(Path path) {
        String name = String.valueOf(path.getFileName());
        int dot = name.lastIndexOf('.');
        return dot < 0 ? "" : name.substring(dot);
    }

    private static Path aside(Path path, Instant now) {
        Path aside = path.resolveSibling(prefix(path) + STAMP.format(now) + suffix(path));
        for (Instant at = now; Files.exists(aside); ) {
            at = at.plusMillis(1); // two in one millisecond
            aside = path.resolveSibling(prefix(path) + STAMP.format(at) + suffix(path));
        }
        return aside;
    }

    private record Backup(Path path, Instant at) {}

    private void tidy(Path path) {
        try {
            List<Backup> backups = backups(path);
            Instant oldest = driver.now().minus(Duration.ofDays(options.maxDays()));
            for (int i = 0; i < backups.size(); i++) {
                Backup backup = backups.get(i);
                boolean tooMany = options.maxBackups() > 0 && i >= options.maxBackups();
                boolean tooOld = options.maxDays() > 0 && backup.at().isBefore(oldest);
                if (tooMany || tooOld) {
                    Files.deleteIfExists(backup.path());
                } else if (options.compress() && !backup.path().toString().endsWith(".gz")) {
                    compress(backup.path());
                }
            }
        } catch (IOException e) {
            LOG.warn("old audit logs not tidied: path={} why={}", options.path(), e.getMessage());
        }
    }

    /** The latest first. */
    private static List<Backup> backups(Path path) throws IOException {
        List<Backup> backups = new ArrayList<>();
        Path directory = path.toAbsolutePath().getParent();
        try (Stream<Path> files = Files.list(directory)) {
            files.forEach(file -> {
                String name = String.valueOf(file.getFileName());
                String plain = name.endsWith(".gz") ? name.substring(0, name.length() - 3) : name;
                if (plain.startsWith(prefix(path)) && plain.endsWith(suffix(path))) {
                    String stamp = plain.substring(
                            prefix(path).length(), plain.length() - suffix(path).length());
                    try {
                        backups.add(new Backup(file, Instant.from(STAMP.parse(stamp))));
                    } catch (DateTimeParseException e) {
                        LOG.trace("not one of ours: {}", file);
                    }
                }
            });
        }
        backups.sort(Comparator.comparing(Backup::at).reversed());
        return backups;
    }

    private static void compress(Path file) throws IOException {
        Path packed = file.resolveSibling(file.getFileName() + ".gz");
        try (InputStream in = Files.newInputStream(file);
                OutputStream to = new GZIPOutputStream(Files.newOutputStream(packed))) {
            in.transferTo(to);
        }
        Files.delete(file);
    }

    private static byte[] legacy(ObjectNode event) {
        String namespace = event.path("objectRef").path("namespace").asText("");
        StringBuilder line = new StringBuilder();
        line.append(event.path("stageTimestamp").asText())
                .append(" AUDIT: id=\"")
                .append(event.path("auditID").asText())
                .append("\" stage=\"")
                .append(event.path("stage").asText())
                .append("\" ip=\"")
                .append(event.path("sourceIPs").path(0).asText("<unknown>"))
                .append("\" method=\"")
                .append(event.path("verb").asText())
                .append("\" user=\"")
                .append(event.path("user").path("username").asText("<none>"))
                .append("\" groups=\"");
        List<String> groups = new ArrayList<>();
        event.path("user").path("groups").forEach(g -> groups.add("\\\"" + g.asText() + "\\\""));
        line.append(String.join(",", groups))
                .append("\" as=\"")
                .append(event.path("impersonatedUser").path("username").asText("<self>"))
                .append("\" asgroups=\"")
                .append(event.has("impersonatedUser") ? "" : "<lookup>")
                .append("\" user-agent=\"")
                .append(event.path("userAgent").asText())
                .append("\" namespace=\"")
                .append(namespace.isEmpty() ? "<none>" : namespace)
                .append("\" uri=\"")
                .append(event.path("requestURI").asText())
                .append("\" response=\"")
                .append(event.path("responseStatus").path("code").asText("<deferred>"))
                .append('"');
        return line.toString().getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        lock.lock();
        try {
            OutputStream stream = out;
            out = null;
            if (stream != null && stream != System.out) {
                stream.close();
            }
        } catch (IOException e) {
            LOG.warn("audit log not closed: path={} why={}", options.path(), e.getMessage());
        } finally {
            lock.unlock();
        }
    }
}
