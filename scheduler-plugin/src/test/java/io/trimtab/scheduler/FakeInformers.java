package io.trimtab.scheduler;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.informer.EventHandler;
import io.trimtab.informer.InformerFactory;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import io.trimtab.selector.LabelSelector;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Caches that hold what the test put there. */
public final class FakeInformers implements InformerFactory {
    private final List<HasMetadata> objects = new ArrayList<>();

    public void add(HasMetadata object) {
        objects.add(object);
    }

    @Override
    public <T extends HasMetadata> SharedInformer<T> informer(ResourceType<T> type, WatchScope scope) {
        return new FakeInformer<>(type.javaType());
    }

    @Override
    public <T extends HasMetadata> Optional<SharedInformer<T>> existing(ResourceType<T> type, WatchScope scope) {
        return Optional.of(informer(type, scope));
    }

    @Override
    public void start() {}

    @Override
    public boolean isSynced() {
        return true;
    }

    @Override
    public void whenSynced(Runnable action) {
        action.run();
    }

    @Override
    public void close() {}

    private final class FakeInformer<T extends HasMetadata> implements SharedInformer<T>, Lister<T> {
        private final Class<T> type;

        FakeInformer(Class<T> type) {
            this.type = type;
        }

        @Override
        public AutoCloseable addHandler(EventHandler<? super T> handler) {
            return () -> {};
        }

        @Override
        public void addIndex(String name, Function<? super T, ? extends Collection<String>> keys) {}

        @Override
        public Lister<T> lister() {
            return this;
        }

        @Override
        public boolean isSynced() {
            return true;
        }

        @Override
        public long revision() {
            return 1;
        }

        @Override
        public void whenAtLeast(long revision, Runnable action) {
            action.run();
        }

        @Override
        public Optional<T> get(@Nullable String namespace, String name) {
            return list().stream()
                    .filter(o -> Objects.equals(namespace, o.getMetadata().getNamespace())
                            && name.equals(o.getMetadata().getName()))
                    .findFirst();
        }

        @Override
        public List<T> list() {
            return objects.stream().filter(type::isInstance).map(type::cast).toList();
        }

        @Override
        public List<T> list(String namespace) {
            return list().stream()
                    .filter(o -> namespace.equals(o.getMetadata().getNamespace()))
                    .toList();
        }

        @Override
        public List<T> list(@Nullable String namespace, LabelSelector selector) {
            return (namespace == null ? list() : list(namespace))
                    .stream()
                            .filter(o -> selector.matches(o.getMetadata().getLabels()))
                            .toList();
        }

        @Override
        public List<T> byIndex(String index, String key) {
            return List.of();
        }
    }
}
