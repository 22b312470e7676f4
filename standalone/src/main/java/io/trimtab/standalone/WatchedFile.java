package io.trimtab.standalone;

import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files that may change while the server runs: read again every second, and handed on when one of them is not what it was. A small
 * file costs less to read than to watch, and links that change hands (as Secrets in a pod do) need no care. State is touched on its
 * lane only.
 */
final class WatchedFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WatchedFile.class);
    private static final Duration PERIOD = Duration.ofSeconds(1);

    private final Driver driver;
    private final Driver.Lane lane;
    private final List<Path> files;
    private final Consumer<List<String>> changed;
    private List<String> known;
    private Driver.@Nullable Timer timer;
    private boolean closed;

    private WatchedFile(Driver driver, List<Path> files, List<String> known, Consumer<List<String>> changed) {
        this.driver = driver;
        this.lane = driver.lane("file " + files);
        this.files = List.copyOf(files);
        this.known = known;
        this.changed = changed;
    }

    /**
     * Watches files from now on.
     *
     * @param known what they were when they were last read, in the same order
     * @param changed handed what they are now; what it throws is logged, and it is not asked again until they change again
     */
    static WatchedFile start(Driver driver, List<Path> files, List<String> known, Consumer<List<String>> changed) {
        WatchedFile watched = new WatchedFile(driver, files, List.copyOf(known), changed);
        watched.lane.execute(watched::again);
        return watched;
    }

    private void again() {
        if (!closed) {
            timer = driver.schedule(PERIOD, () -> lane.execute(this::look));
        }
    }

    private void look() {
        if (closed) {
            return;
        }
        try {
            List<String> now = new ArrayList<>();
            for (Path file : files) {
                now.add(Files.readString(file));
            }
            if (!now.equals(known)) {
                known = List.copyOf(now);
                changed.accept(known);
                LOG.info("read again, files={}", files);
            }
        } catch (IOException e) {
            LOG.debug("a file cannot be read, what it was still holds, reason={}", e.getMessage());
        } catch (RuntimeException e) {
            LOG.warn("a changed file is no good, what it was still holds, files={} reason={}", files, e.getMessage());
        }
        again();
    }

    @Override
    public void close() {
        lane.execute(() -> {
            closed = true;
            if (timer != null) {
                timer.cancel();
            }
        });
    }
}
