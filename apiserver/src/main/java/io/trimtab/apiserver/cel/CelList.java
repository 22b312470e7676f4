package io.trimtab.apiserver.cel;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/** A value of type list. Not changed once it is seen by more than the loop that builds it. */
public abstract class CelList implements Iterable<Object> {

    public abstract int size();

    public abstract Object get(int i);

    /** This and then the other. */
    CelList plus(CelList other) {
        return new Concatenated(this, other);
    }

    /** Whether values are the same; order counts. */
    boolean sameAs(CelList other) {
        if (size() != other.size()) {
            return false;
        }
        for (int i = 0; i < size(); i++) {
            if (!Values.equal(get(i), other.get(i))) {
                return false;
            }
        }
        return true;
    }

    @Override
    public Iterator<Object> iterator() {
        return new Iterator<>() {
            private int next;

            @Override
            public boolean hasNext() {
                return next < size();
            }

            @Override
            public Object next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                return get(next++);
            }
        };
    }

    public static CelList of(List<?> values) {
        return new Plain(new ArrayList<>(values));
    }

    /** Over Java values; grows only while a loop builds it. */
    static final class Plain extends CelList {
        private final List<Object> values;

        Plain(List<Object> values) {
            this.values = values;
        }

        @Override
        public int size() {
            return values.size();
        }

        @Override
        public Object get(int i) {
            return values.get(i);
        }
    }

    /** What a loop collects in: adding to it changes it. */
    static final class Builder extends CelList {
        final List<Object> values = new ArrayList<>();

        @Override
        public int size() {
            return values.size();
        }

        @Override
        public Object get(int i) {
            return values.get(i);
        }
    }

    private static final class Concatenated extends CelList {
        private final CelList first;
        private final CelList second;
        private final int split;

        Concatenated(CelList first, CelList second) {
            this.first = first;
            this.second = second;
            this.split = first.size();
        }

        @Override
        public int size() {
            return split + second.size();
        }

        @Override
        public Object get(int i) {
            return i < split ? first.get(i) : second.get(i - split);
        }
    }
}
