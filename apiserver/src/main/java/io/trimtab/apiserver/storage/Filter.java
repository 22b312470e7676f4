package io.trimtab.apiserver.storage;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.store.PersistentMap;
import io.trimtab.selector.FieldSelector;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a list or watch selects: namespace, labels, fields. Immutable.
 *
 * @param resourcePrefix of all the resource's keys
 * @param prefix of the keys that may match
 */
record Filter(
        String resourcePrefix,
        String prefix,
        @Nullable String namespace,
        LabelSelector labels,
        FieldSelector fields,
        Map<String, Function<JsonNode, String>> selectable) {

    static final Filter NOTHING =
            new Filter("", "", null, LabelSelectors.nothing(), FieldSelector.everything(), Map.of());

    static Filter of(
            ApiResource resource,
            @Nullable String namespace,
            LabelSelector labels,
            FieldSelector fields,
            Map<String, Function<JsonNode, String>> selectable) {
        String in = resource.namespaced() && namespace != null && !namespace.isEmpty() ? namespace : null;
        String all = resource.keyPrefix();
        return new Filter(all, in == null ? all : all + in + "/", in, labels, fields, selectable);
    }

    /** True if it selects by nothing but the namespace, which is a part of the key. */
    boolean isEverything() {
        return labels.isEverything() && fields.isEverything();
    }

    boolean matches(Stored object) {
        return (namespace == null || namespace.equals(object.namespace()))
                && (labels.isEverything() || labels.matches(object.labels()))
                && (fields.isEverything() || fields.matches(f -> object.field(f, selectable)));
    }

    /** The objects that match, in key order. */
    Iterator<Stored> walk(PersistentMap<Stored> objects) {
        return walk(objects, null);
    }

    Iterator<Stored> walk(PersistentMap<Stored> objects, @Nullable String start) {
        Optional<String> name = fields.requiredValue("metadata.name");
        if (name.isPresent() && start == null && (namespace != null || isClusterScoped(objects))) {
            // One object at the most: no need to walk.
            Stored one = objects.get(prefix + name.get());
            return one != null && matches(one)
                    ? java.util.List.of(one).iterator()
                    : java.util.Collections.emptyIterator();
        }
        Iterator<Stored> all = objects.iterator(prefix, start);
        return isEverything() ? all : new Matching(all);
    }

    private boolean isClusterScoped(PersistentMap<Stored> objects) {
        Iterator<Stored> first = objects.iterator(prefix, null);
        return first.hasNext() && first.next().namespace().isEmpty();
    }

    private final class Matching implements Iterator<Stored> {
        private final Iterator<Stored> all;
        private @Nullable Stored next;

        Matching(Iterator<Stored> all) {
            this.all = all;
        }

        @Override
        public boolean hasNext() {
            while (next == null && all.hasNext()) {
                Stored candidate = all.next();
                if (matches(candidate)) {
                    next = candidate;
                }
            }
            return next != null;
        }

        @Override
        public Stored next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            Stored result = Objects.requireNonNull(next);
            next = null;
            return result;
        }
    }
}
