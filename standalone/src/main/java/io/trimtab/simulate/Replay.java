package io.trimtab.simulate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.controller.ControllerProvider;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.Cluster;
import io.trimtab.standalone.ClusterOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Plays a recorded watch history: every event of every object at its time, against an API server in virtual time. Controllers
 * that are put before it see what the recorded ones saw; their writes are answered and have no effect (the recording has its own),
 * so that a new version of one can be tried on what happened to an old one. For one thread.
 *
 * @since 0.1
 */
public final class Replay {
    private final Path file;
    private final List<ControllerProvider> programs = new ArrayList<>();
    private List<String> controllers = List.of();

    /**
     * @param outcome what happened in the recording
     * @param calls what the controllers that were put before it would have written
     */
    public record Result(Outcome outcome, List<ControllerPlan.Call> calls) {
        public Result {
            calls = List.copyOf(calls);
        }

        /** For programs: the outcome, and the calls. */
        public ObjectNode json() {
            ObjectNode root = outcome.json();
            ControllerPlan.calls(root.putArray("calls"), calls);
            return root;
        }
    }

    private Replay(Path file) {
        this.file = file;
    }

    /** A replay of what {@link ClusterSimulation#record} has written. */
    public static Replay of(Path file) {
        return new Replay(file);
    }

    /** Kubernetes' controllers that watch. */
    public Replay controllers(List<String> selection) {
        controllers = List.copyOf(selection);
        return this;
    }

    /** A controller of one's own that watches. */
    public Replay program(ControllerProvider program) {
        programs.add(program);
        return this;
    }

    /** Plays it from beginning to end. */
    public Result run() {
        List<ObjectNode> initial = new ArrayList<>();
        Instant[] start = new Instant[1];
        Duration length = Recording.read(file, began -> start[0] = began, event -> {
            if (event.at() == null) {
                initial.add(event.object());
            }
        });
        ClusterSimulation.Prepared prepared =
                ClusterSimulation.Prepared.of(new ClusterState(initial, file.toString()), List.of(), 1, start[0]);
        VirtualDriver driver = prepared.driver();
        ClusterOptions options = ClusterOptions.IN_MEMORY
                .withApiServer(prepared.options())
                .withNodes(List.of())
                .withControllers(controllers)
                .withScheduler(false);
        CallLog log = new CallLog(driver, true);
        prepared.server().listenIn(log::between);
        Chronicle chronicle = new Chronicle(driver);
        try (Cluster cluster = Cluster.start(options, driver, prepared.server(), agents -> agents, made -> {
            chronicle.follow(made.manager());
            AdminManager manager = new AdminManager(made);
            programs.forEach(program -> made.manager().add(program.controller(manager)));
        })) {
            driver.settle();
            MemoryStore beginning = prepared.store().fork();
            long before = prepared.store().revision();
            Recording.read(file, began -> {}, event -> {
                Duration at = event.at();
                if (at != null) {
                    driver.advanceTo(prepared.began().plus(at));
                    play(prepared, event);
                }
            });
            driver.advanceTo(prepared.began().plus(length));
            var resources = cluster.apiServer().server().resources();
            Map<Objects.Key, ObjectNode> end = Objects.all(prepared.store(), resources);
            Outcome outcome = new Outcome(
                    length,
                    prepared.imported(),
                    prepared.nodes().size(),
                    prepared.store().revision() - before,
                    prepared.notes(),
                    chronicle,
                    List.of(),
                    Objects.changes(Objects.all(beginning, resources), end),
                    end);
            return new Result(outcome, log.calls());
        } finally {
            driver.close();
        }
    }

    private static void play(ClusterSimulation.Prepared prepared, Recording.Event event) {
        ObjectNode object = event.object();
        Served served = served(prepared, object);
        if (served == null) {
            return;
        }
        ObjectNode metadata = (ObjectNode) object.path("metadata");
        metadata.remove("resourceVersion");
        Storage storage = prepared.server().server().storage();
        Optional<StoredObject> there = storage.get(
                served.storage(),
                metadata.path("namespace").asText(""),
                metadata.path("name").asText());
        if (event.type().equals("DELETED")) {
            there.ifPresent(gone -> storage.delete(served.storage(), gone));
        } else if (there.isPresent()) {
            storage.replace(served.storage(), there.get(), object);
        } else {
            storage.create(served.storage(), object);
        }
    }

    private static @Nullable Served served(ClusterSimulation.Prepared prepared, ObjectNode object) {
        String apiVersion = object.path("apiVersion").asText();
        int slash = apiVersion.indexOf('/');
        return prepared.server()
                .server()
                .resources()
                .findByKind(
                        slash < 0 ? "" : apiVersion.substring(0, slash),
                        apiVersion.substring(slash + 1),
                        object.path("kind").asText());
    }
}
