package io.trimtab.simulate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.store.Store;
import io.trimtab.client.KubernetesJson;
import io.trimtab.runtime.VirtualDriver;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * A watch history in a file: one line of JSON for each event of each object, with its time. Begins with a line that says when it
 * began, then the objects of that moment. Compressed if the name ends in {@code .gz}.
 */
final class Recording implements AutoCloseable {
    private static final String FORMAT = "trimtab-history/1";

    /** @param at null for what was there when the recording began */
    record Event(@Nullable Duration at, String type, ObjectNode object) {}

    private final OutputStream out;
    private final VirtualDriver driver;
    private final long beganNanos;
    private final AutoCloseable watch;

    private Recording(OutputStream out, Store store, VirtualDriver driver) {
        this.out = out;
        this.driver = driver;
        this.beganNanos = driver.nanoTime();
        line("{\"format\":\"" + FORMAT + "\",\"start\":\"" + driver.now() + "\"}");
        long revision = store.revision();
        for (Store.Entry entry : store.range("/registry/", null, 0, revision).entries()) {
            write("\"initial\":true,\"type\":\"ADDED\"", entry.value());
        }
        this.watch = store.watch("/registry/", revision, new Store.Listener() {
            @Override
            public void onChanges(List<Store.Change> changes) {
                changes.forEach(change -> changed(change));
            }
        });
    }

    /** Records what happens in a store from now on. */
    static Recording begin(Path file, Store store, VirtualDriver driver) {
        try {
            OutputStream raw = Files.newOutputStream(file);
            return new Recording(
                    new BufferedOutputStream(
                            file.toString().endsWith(".gz") ? new GZIPOutputStream(raw) : raw, 1 << 16),
                    store,
                    driver);
        } catch (IOException e) {
            throw new SimulationException(file + " cannot be written: " + e.getMessage(), e);
        }
    }

    private void changed(Store.Change change) {
        long millis = (driver.nanoTime() - beganNanos) / 1_000_000;
        Store.Entry entry = change.entry();
        Store.Entry previous = change.previous();
        Store.Entry shown = entry != null ? entry : previous;
        if (shown != null) {
            String type = entry == null ? "DELETED" : previous == null ? "ADDED" : "MODIFIED";
            write("\"at\":" + millis + ",\"type\":\"" + type + "\"", shown.value());
        }
    }

    private void write(String fields, byte[] object) {
        try {
            out.write(("{" + fields + ",\"object\":").getBytes(StandardCharsets.UTF_8));
            out.write(object);
            out.write("}\n".getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void line(String text) {
        try {
            out.write((text + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            watch.close();
            line("{\"end\":" + (driver.nanoTime() - beganNanos) / 1_000_000 + "}");
            out.close();
        } catch (Exception e) {
            throw new SimulationException("the recording cannot be closed: " + e.getMessage(), e);
        }
    }

    /**
     * Reads a recording.
     *
     * @param began is told first when it began
     * @param events are told one by one
     * @return how long it is
     */
    static Duration read(Path file, Consumer<Instant> began, Consumer<Event> events) {
        try (InputStream raw = Files.newInputStream(file);
                BufferedReader lines = new BufferedReader(new InputStreamReader(
                        file.toString().endsWith(".gz") ? new GZIPInputStream(raw) : raw, StandardCharsets.UTF_8))) {
            JsonNode header = node(lines.readLine(), file, 1);
            if (!header.path("format").asText().equals(FORMAT)) {
                throw new SimulationException(file + " is no recording of trimtab simulate --record");
            }
            began.accept(Instant.parse(header.path("start").asText()));
            Duration length = Duration.ZERO;
            int number = 1;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                JsonNode event = node(line, file, ++number);
                if (event.has("end")) {
                    return Duration.ofMillis(event.path("end").asLong());
                }
                Duration at =
                        event.has("at") ? Duration.ofMillis(event.path("at").asLong()) : null;
                length = at == null ? length : at;
                events.accept(new Event(at, event.path("type").asText(), (ObjectNode) event.path("object")));
            }
            return length; // of a run that was cut short
        } catch (IOException e) {
            throw new SimulationException(file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static JsonNode node(@Nullable String line, Path file, int number) {
        try {
            return KubernetesJson.mapper().readTree(line == null ? "" : line);
        } catch (IOException e) {
            throw new SimulationException(file + ", line " + number + ": " + e.getMessage(), e);
        }
    }
}
