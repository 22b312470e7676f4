package io.trimtab.junit;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.trimtab.client.Client;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.controller.Change;
import io.trimtab.controller.ChangeMapper;
import io.trimtab.controller.Controller;
import io.trimtab.controller.DefaultManager;
import io.trimtab.controller.Enqueuer;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.InformerFactory;
import io.trimtab.informer.SharedInformer;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * The manager of one life of a program: notes which event wakes which key, and that nobody edits what the caches share. For the
 * thread that drives the cluster.
 */
final class ProgramManager implements Manager {
    /** A controller, and the keys it was asked to reconcile. */
    record Known(String controller, Reconciler reconciler, Set<Request> keys) {}

    private final Cluster cluster;
    private final Instance instance;
    private final ProcessDriver driver;
    private final DefaultManager manager;
    private final CacheGuard guard;
    private final Map<String, Known> controllers = new LinkedHashMap<>();

    ProgramManager(
            Cluster cluster, Instance instance, ProcessDriver driver, Function<String, ? extends Client> clients) {
        this.cluster = cluster;
        this.instance = instance;
        this.driver = driver;
        this.manager = DefaultManager.builder(driver, clients).build();
        this.guard = new CacheGuard(cluster, instance);
    }

    List<Known> controllers() {
        return List.copyOf(controllers.values());
    }

    CacheGuard guard() {
        return guard;
    }

    @Override
    public Driver driver() {
        return manager.driver();
    }

    @Override
    public Client client(String component) {
        return manager.client(component);
    }

    @Override
    public InformerFactory informers() {
        InformerFactory inner = manager.informers();
        return new InformerFactory() {
            @Override
            public <T extends HasMetadata> SharedInformer<T> informer(ResourceType<T> type, WatchScope scope) {
                SharedInformer<T> informer = inner.informer(type, scope);
                guard.watch(informer);
                return informer;
            }

            @Override
            public <T extends HasMetadata> Optional<SharedInformer<T>> existing(
                    ResourceType<T> type, WatchScope scope) {
                return inner.existing(type, scope);
            }

            @Override
            public void start() {
                inner.start();
            }

            @Override
            public boolean isSynced() {
                return inner.isSynced();
            }

            @Override
            public void whenSynced(Runnable action) {
                inner.whenSynced(action);
            }

            @Override
            public void close() {
                inner.close();
            }
        };
    }

    @Override
    public EventRecorder events(String component) {
        return manager.events(component);
    }

    @Override
    public void add(Controller controller) {
        if (controllers.isEmpty() && instance.name().isEmpty()) {
            instance.rename(controller.name());
        }
        Known known = new Known(controller.name(), controller.reconciler(), new LinkedHashSet<>());
        controllers.put(controller.name(), known);
        Map<Request, Set<Integer>> wokenBy = new LinkedHashMap<>();
        Controller.Builder copy = Controller.named(controller.name()).settingsOf(controller);
        for (Controller.Source<?> source : controller.sources()) {
            addSource(copy, source, wokenBy);
        }
        controller.feeds().forEach(feed -> copy.feeds(queue -> feed.accept(noting(queue, wokenBy))));
        manager.add(copy.reconcile(request -> reconcile(known, request, wokenBy)));
        controller.sources().forEach(this::guard);
    }

    private <T extends HasMetadata> void guard(Controller.Source<T> source) {
        guard.watch(manager.informers().informer(source.type(), source.scope()));
    }

    private <T extends HasMetadata> void addSource(
            Controller.Builder copy, Controller.Source<T> source, Map<Request, Set<Integer>> wokenBy) {
        ChangeMapper<T> mapper = source.mapper();
        copy.watchesIn(source.cluster(), source.type(), source.scope(), (Change<T> change, Enqueuer queue) -> {
            ResourceType<T> type = source.type();
            ObjectMeta metadata = change.latest().getMetadata();
            History.Target target = new History.Target(
                    type.group(),
                    type.plural(),
                    "",
                    Objects.requireNonNullElse(metadata.getNamespace(), ""),
                    metadata.getName());
            // Several events may come in one step: this one is the cause.
            int event =
                    cluster.history().toldOf(instance.name(), target, Long.parseLong(metadata.getResourceVersion()));
            int before = cluster.history()
                    .enter(event > 0 ? event : cluster.history().current());
            try {
                mapper.map(change, noting(queue, wokenBy));
            } finally {
                cluster.history().enter(before);
            }
        });
    }

    private Enqueuer noting(Enqueuer queue, Map<Request, Set<Integer>> wokenBy) {
        return new Enqueuer() {
            @Override
            public void add(Request request) {
                note(request);
                queue.add(request);
            }

            @Override
            public void addAfter(Request request, Duration delay) {
                note(request);
                queue.addAfter(request, delay);
            }

            @Override
            public void addRateLimited(Request request) {
                note(request);
                queue.addRateLimited(request);
            }

            private void note(Request request) {
                int cause = cluster.history().current();
                if (cause > 0) {
                    wokenBy.computeIfAbsent(request, r -> new LinkedHashSet<>()).add(cause);
                }
            }
        };
    }

    private Result reconcile(Known known, Request request, Map<Request, Set<Integer>> wokenBy) throws Exception {
        known.keys().add(request);
        Set<Integer> causes = wokenBy.remove(request);
        List<Integer> numbers = causes == null ? List.of() : new ArrayList<>(causes);
        int entry = cluster.history().reconcile(instance.name(), known.controller(), request.toString(), numbers);
        cluster.oracles().beforeReconcile(instance, known.controller(), request);
        int before = cluster.history().enter(entry);
        try {
            Result result = known.reconciler().reconcile(request);
            if (result != null && (result.requeue() || result.after() != null)) {
                cluster.history()
                        .note(
                                instance.name(),
                                "wants to look at " + request + " again"
                                        + (result.after() == null ? "" : " after " + result.after()));
            }
            return result;
        } catch (ProcessDied end) {
            return Result.done(); // to nobody: this process runs no more steps
        } catch (Exception e) {
            if (driver.isDead()) {
                return Result.done();
            }
            cluster.history().note(instance.name(), "failed to reconcile " + request + ": " + e);
            throw e;
        } finally {
            guard.check("the reconcile of " + request + " by " + known.controller());
            cluster.history().enter(before);
        }
    }

    @Override
    public void add(Component component) {
        manager.add(component);
    }

    @Override
    public void start() {
        manager.start();
    }

    @Override
    public void close() {
        manager.close();
    }
}
