package io.trimtab.client;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.lang.reflect.Field;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Makes objects that are to be kept for long small, once they are read: empty collections become the empty ones that all share,
 * others immutable ones without spare room, and parts that equal a part of another object (containers' resources, tolerations,
 * owner references, labels) become that part. What the pods of one template have in common is then there once.
 *
 * <p>The parts that were seen lately are kept in a table of fixed size: it never grows, needs no lock, and a miss costs nothing
 * but the sharing. Classes of which hardly anything is ever shared are not looked up any more. Safe for use by any thread.
 */
final class Compactor {
    /** 32 KiB of references; some hundred templates' worth of parts. */
    private static final int SLOTS = 1 << 13;

    /** Atomic so that a thread that finds a part also sees its fields. */
    private static final AtomicReferenceArray<@Nullable Object> PARTS = new AtomicReferenceArray<>(SLOTS);

    /** A larger map is data, looked up by name and like no other. */
    private static final int MAX_MAP = 48;

    private Compactor() {}

    /** What is done with the objects of a class. The counts are guesses that threads may overwrite for each other. */
    private static final class Plan {
        /** Of this many parts, fewer than one in 16 was shared: not worth it. */
        private static final int TRIAL = 512;

        final List<Field> fields;
        final boolean mayBeShared;
        int looked;
        int found;

        Plan(List<Field> fields, boolean mayBeShared) {
            this.fields = fields;
            this.mayBeShared = mayBeShared;
        }

        boolean isWorthIt() {
            return mayBeShared && (looked < TRIAL || found > looked / 16);
        }
    }

    private static final ClassValue<Plan> PLANS = new ClassValue<>() {
        @Override
        protected Plan computeValue(Class<?> type) {
            return plan(type);
        }
    };

    private static Plan plan(Class<?> type) {
        List<Field> fields = new ArrayList<>();
        for (Class<?> c = type; c != null && c != Object.class; c = c.getSuperclass()) {
            for (Field field : c.getDeclaredFields()) {
                int modifiers = field.getModifiers();
                boolean closed = Modifier.isStatic(modifiers) || Modifier.isFinal(modifiers);
                if (!closed && isOfInterest(field.getType())) {
                    try {
                        field.setAccessible(true);
                        fields.add(field);
                    } catch (InaccessibleObjectException | SecurityException e) {
                        // of a closed module: stays as it is
                    }
                }
            }
        }
        // Metadata and whole objects are unlike any other by their names.
        boolean whole = HasMetadata.class.isAssignableFrom(type) || ObjectMeta.class.isAssignableFrom(type);
        return new Plan(List.copyOf(fields), !whole && hasEquals(type));
    }

    private static boolean isOfInterest(Class<?> type) {
        return type == List.class
                || type == Map.class
                || type == Object.class
                || KubernetesResource.class.isAssignableFrom(type)
                || isModel(type);
    }

    /** Classes of Kubernetes' model, and those of a user's custom resources. */
    private static boolean isModel(Class<?> type) {
        return !type.isPrimitive()
                && !type.isEnum()
                && !type.isArray()
                && !type.isInterface()
                && !type.isRecord()
                && !type.getName().startsWith("java.");
    }

    private static boolean hasEquals(Class<?> type) {
        try {
            return type.getMethod("equals", Object.class).getDeclaringClass() != Object.class
                    && type.getMethod("hashCode").getDeclaringClass() != Object.class;
        } catch (NoSuchMethodException e) {
            return false;
        }
    }

    /** The same object, smaller; it must not be changed any more. */
    static <T> T compact(T object) {
        walk(object);
        return object;
    }

    private static void walk(Object object) {
        for (Field field : PLANS.get(object.getClass()).fields) {
            try {
                Object value = field.get(object);
                if (value != null) {
                    Object small = small(value);
                    if (small != value) {
                        field.set(object, small);
                    }
                }
            } catch (IllegalAccessException e) {
                throw new AssertionError(e); // was made accessible
            }
        }
    }

    private static @Nullable Object small(@Nullable Object value) {
        if (value == null || value instanceof String || value instanceof Number || value instanceof Boolean) {
            return value;
        }
        if (value instanceof List<?> list) {
            return smallList(list);
        }
        if (value instanceof Map<?, ?> map) {
            return smallMap(map);
        }
        if (value instanceof Collection<?> || !isModel(value.getClass())) {
            return value;
        }
        walk(value);
        Plan plan = PLANS.get(value.getClass());
        if (!plan.isWorthIt()) {
            return value;
        }
        Object shared = shared(value);
        plan.looked++;
        if (shared != value) {
            plan.found++;
        }
        return shared;
    }

    private static Object smallList(List<?> list) {
        if (list.isEmpty()) {
            return Collections.emptyList();
        }
        Object[] elements = list.toArray();
        for (int i = 0; i < elements.length; i++) {
            Object element = small(elements[i]);
            if (element == null) {
                return list; // JSON null in a list: left alone
            }
            elements[i] = element;
        }
        return shared(List.of(elements));
    }

    private static Object smallMap(Map<?, ?> map) {
        if (map.isEmpty()) {
            return Collections.emptyMap();
        }
        if (!(map instanceof LinkedHashMap<?, ?>) || map.size() > MAX_MAP) {
            return map; // whoever put something else there wants it so
        }
        for (Object key : map.keySet()) {
            if (!(key instanceof String)) {
                return map;
            }
        }
        String[] keys = map.keySet().toArray(String[]::new);
        @Nullable Object[] values = map.values().toArray();
        for (int i = 0; i < values.length; i++) {
            values[i] = small(values[i]);
        }
        return shared(new SmallMap<>(keys, values));
    }

    private static boolean isSame(Object part, @Nullable Object known) {
        return known != null && known.getClass() == part.getClass() && part.equals(known);
    }

    private static Object shared(Object part) {
        int hash = part.hashCode();
        int slot = (hash ^ (hash >>> 16)) & (SLOTS - 1);
        Object known = PARTS.getAcquire(slot);
        if (isSame(part, known)) {
            return known;
        }
        // The one that was there moves next door, so that two parts that meet in every object do not push each other
        // out.
        Object neighbour = PARTS.getAcquire(slot ^ 1);
        if (known != null) {
            PARTS.setRelease(slot ^ 1, known);
        }
        Object result = isSame(part, neighbour) ? neighbour : part;
        PARTS.setRelease(slot, result);
        return result;
    }
}
