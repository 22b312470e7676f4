package io.trimtab.informer;

import java.lang.reflect.Field;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Estimates what objects take of the heap, by walking them: 64-bit JVM, compressed references, 8-byte alignment, which is what
 * HotSpot does below 32 GB. The JDK's own collections are closed to reflection, so their size is worked out from their
 * contents. Stateless.
 */
final class HeapSize {
    /** A pod takes some 20 µs. What those left out share with the sample counts again, so the estimate errs on the high side. */
    private static final int SAMPLE = 500;

    private static final int REFERENCE = 4;
    private static final int HEADER = 12;
    private static final int ARRAY_HEADER = 16;

    /** The fields of a class that refer to others, and its own size. */
    private record Layout(long bytes, List<Field> references) {}

    private static final ClassValue<Layout> LAYOUTS = new ClassValue<>() {
        @Override
        protected Layout computeValue(Class<?> type) {
            return layout(type);
        }
    };

    private HeapSize() {}

    /** What all of them take: exact in so far as the walk is for up to 500 objects, extrapolated beyond. */
    static long estimate(List<?> objects) {
        int count = objects.size();
        if (count <= SAMPLE) {
            return of(objects);
        }
        List<Object> sample = new ArrayList<>(SAMPLE);
        for (int i = 0; i < SAMPLE; i++) {
            sample.add(objects.get((int) ((long) i * count / SAMPLE)));
        }
        return (long) (of(sample) * ((double) count / SAMPLE));
    }

    static long of(Collection<?> roots) {
        Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<Object> open = new ArrayDeque<>(roots);
        long bytes = 0;
        while (!open.isEmpty()) {
            Object next = open.poll();
            if (!(next instanceof Enum<?>) && !(next instanceof Class<?>) && seen.add(next)) {
                bytes += visit(next, open);
            }
        }
        return bytes;
    }

    private static long visit(Object object, Deque<Object> open) {
        if (object instanceof String text) {
            return 24 + aligned(ARRAY_HEADER + (long) text.length() * (isLatin(text) ? 1 : 2));
        }
        if (object instanceof Number || object instanceof Boolean || object instanceof Character) {
            return object instanceof Boolean ? 0 : object instanceof Long || object instanceof Double ? 24 : 16;
        }
        Class<?> type = object.getClass();
        if (type.isArray()) {
            return array(object, open);
        }
        boolean jdk = type.getName().startsWith("java.");
        if (jdk && object instanceof Map<?, ?> map) {
            map.forEach((key, value) -> {
                add(open, key);
                add(open, value);
            });
            return jdkMap(type, map.size());
        }
        if (jdk && object instanceof Collection<?> collection) {
            collection.forEach(element -> add(open, element));
            return jdkCollection(type, collection.size());
        }
        Layout layout = LAYOUTS.get(type);
        for (Field field : layout.references()) {
            try {
                add(open, field.get(object));
            } catch (IllegalAccessException e) {
                throw new AssertionError(e); // was made accessible
            }
        }
        return layout.bytes();
    }

    private static void add(Deque<Object> open, Object value) {
        if (value != null) {
            open.push(value);
        }
    }

    private static long array(Object array, Deque<Object> open) {
        if (array instanceof Object[] elements) {
            for (Object element : elements) {
                add(open, element);
            }
            return aligned(ARRAY_HEADER + (long) elements.length * REFERENCE);
        }
        Class<?> component = array.getClass().getComponentType();
        return aligned(ARRAY_HEADER + (long) java.lang.reflect.Array.getLength(array) * size(component));
    }

    /** Hash maps: the map, a table of a power of two, and an entry each; immutable ones: an array of both. */
    private static long jdkMap(Class<?> type, int size) {
        if (type.getName().startsWith("java.util.ImmutableCollections")) {
            return size <= 1 ? 24 : 24 + aligned(ARRAY_HEADER + 4L * REFERENCE * size);
        }
        if (type.getName().startsWith("java.util.Collections$Empty")) {
            return 0;
        }
        if (size == 0) {
            return 56;
        }
        int table = Integer.highestOneBit(Math.max(16, size * 4 / 3 + 1) - 1) * 2;
        return 56 + aligned(ARRAY_HEADER + (long) table * REFERENCE) + 40L * size;
    }

    private static long jdkCollection(Class<?> type, int size) {
        if (type.getName().startsWith("java.util.ImmutableCollections")) {
            return size == 0 ? 0 : size <= 2 ? 24 : 24 + aligned(ARRAY_HEADER + (long) REFERENCE * size);
        }
        if (type.getName().startsWith("java.util.Collections$Empty")) {
            return 0;
        }
        return size == 0 ? 24 : 24 + aligned(ARRAY_HEADER + (long) REFERENCE * Math.max(10, size));
    }

    private static Layout layout(Class<?> type) {
        long bytes = HEADER;
        List<Field> references = new ArrayList<>();
        for (Class<?> c = type; c != null && c != Object.class; c = c.getSuperclass()) {
            for (Field field : c.getDeclaredFields()) {
                if (Modifier.isStatic(field.getModifiers())) {
                    continue;
                }
                bytes += size(field.getType());
                if (!field.getType().isPrimitive()) {
                    try {
                        field.setAccessible(true);
                        references.add(field);
                    } catch (InaccessibleObjectException | SecurityException e) {
                        // of a closed module: its own size counts, what it refers to does not
                    }
                }
            }
        }
        return new Layout(aligned(bytes), List.copyOf(references));
    }

    private static int size(Class<?> type) {
        if (type == long.class || type == double.class) {
            return 8;
        }
        if (type == int.class || type == float.class) {
            return 4;
        }
        if (type == short.class || type == char.class) {
            return 2;
        }
        return type.isPrimitive() ? 1 : REFERENCE;
    }

    private static long aligned(long bytes) {
        return bytes + 7 & ~7L;
    }

    private static boolean isLatin(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) > 0xff) {
                return false;
            }
        }
        return true;
    }
}
