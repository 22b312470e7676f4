package io.trimtab.controller;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.trimtab.client.ResourceType;
import io.trimtab.informer.EventHandler;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.NamespacedSelectors;
import java.util.Collection;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The usual ways from a change to the keys it wakes. */
public final class Requests {
    private Requests() {}

    /** The changed object's own key. */
    public static <T extends HasMetadata> ChangeMapper<T> self() {
        return (change, queue) -> queue.add(Request.of(change.latest()));
    }

    /** The changed object's own key, if the predicate lets the change pass. */
    public static <T extends HasMetadata> ChangeMapper<T> selfIf(Predicate<Change<T>> predicate) {
        return (change, queue) -> {
            if (predicate.test(change)) {
                queue.add(Request.of(change.latest()));
            }
        };
    }

    /** The owners of this kind, before and after the change; only the controlling one if said. */
    public static <T extends HasMetadata> ChangeMapper<T> owners(ResourceType<?> ownerType, boolean onlyController) {
        return each((object, queue) -> {
            for (OwnerReference owner : object.getMetadata().getOwnerReferences()) {
                boolean counts = !onlyController || Boolean.TRUE.equals(owner.getController());
                if (counts
                        && ownerType.kind().equals(owner.getKind())
                        && ownerType.group().equals(groupOf(owner.getApiVersion()))) {
                    String namespace = object.getMetadata().getNamespace();
                    queue.add(
                            new Request(ownerType.namespaced() && namespace != null ? namespace : "", owner.getName()));
                }
            }
        });
    }

    /** An owner may have been written in another version of the same group. */
    private static String groupOf(@Nullable String apiVersion) {
        int slash = apiVersion == null ? -1 : apiVersion.indexOf('/');
        return slash < 0 || apiVersion == null ? "" : apiVersion.substring(0, slash);
    }

    /** Whatever keys the function says, for the state before the change and the one after. */
    public static <T extends HasMetadata> ChangeMapper<T> of(Function<? super T, ? extends Collection<Request>> keys) {
        return each((object, queue) -> keys.apply(object).forEach(queue::add));
    }

    /** All objects of another kind in the changed object's namespace. */
    public static <T extends HasMetadata, O extends HasMetadata> ChangeMapper<T> allInNamespace(Lister<O> others) {
        return (change, queue) -> {
            String namespace = change.latest().getMetadata().getNamespace();
            others.list(namespace == null ? "" : namespace).forEach(o -> queue.add(Request.of(o)));
        };
    }

    /** All objects of another kind. */
    public static <T extends HasMetadata, O extends HasMetadata> ChangeMapper<T> all(Lister<O> others) {
        return (change, queue) -> others.list().forEach(o -> queue.add(Request.of(o)));
    }

    /**
     * The objects of another kind, in the same namespace, whose selector matches the changed object's labels before or after
     * the change. Keeps an index of the selectors, so that a change costs what it wakes and not how many selectors there are.
     *
     * @param others the cache of the other kind; a handler is added to it
     * @param selector of an object of the other kind; null if it has none
     */
    public static <T extends HasMetadata, O extends HasMetadata> ChangeMapper<T> selectedBy(
            SharedInformer<O> others, Function<? super O, ? extends @Nullable LabelSelector> selector) {
        NamespacedSelectors<Request> selectors = new NamespacedSelectors<>();
        others.addHandler(new EventHandler<O>() {
            @Override
            public void onAdd(O object, boolean initial) {
                Request key = Request.of(object);
                LabelSelector found = selector.apply(object);
                if (found == null || found.isNothing()) {
                    selectors.remove(key.namespace(), key);
                } else {
                    selectors.put(key.namespace(), key, found);
                }
            }

            @Override
            public void onUpdate(O old, O object) {
                onAdd(object, false);
            }

            @Override
            public void onDelete(O object, boolean finalStateUnknown) {
                Request key = Request.of(object);
                selectors.remove(key.namespace(), key);
            }
        });
        return (change, queue) -> {
            T latest = change.latest();
            String namespace = Request.of(latest).namespace();
            Map<String, String> before = labels(change.old());
            Map<String, String> after = labels(change.object());
            if (change.isUpdated() && !before.equals(after)) {
                selectors.matchingEither(namespace, before, after).forEach(queue::add);
            } else {
                selectors.matching(namespace, labels(latest)).forEach(queue::add);
            }
        };
    }

    private static Map<String, String> labels(@Nullable HasMetadata object) {
        Map<String, String> labels =
                object == null ? null : object.getMetadata().getLabels();
        return labels == null ? Map.of() : labels;
    }

    private interface Each<T> {
        void wake(T object, Enqueuer queue);
    }

    private static <T extends HasMetadata> ChangeMapper<T> each(Each<T> each) {
        return (change, queue) -> {
            T old = change.old();
            T object = change.object();
            if (old != null) {
                each.wake(old, queue);
            }
            if (object != null && object != old) {
                each.wake(object, queue);
            }
        };
    }
}
