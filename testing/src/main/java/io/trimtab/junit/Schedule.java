package io.trimtab.junit;

import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Where a run departs from its ordinary order: at which decision, counted from 1, which of the choices is taken. Written as
 * {@code 531:2 577:1}; every decision that is not named takes the first choice. Immutable.
 *
 * @since 0.1
 */
public final class Schedule {
    /** No departure. */
    public static final Schedule ORDINARY = new Schedule(Map.of());

    private final TreeMap<Integer, Integer> departures;

    private Schedule(Map<Integer, Integer> departures) {
        this.departures = new TreeMap<>(departures);
    }

    static Schedule of(Map<Integer, Integer> departures) {
        return new Schedule(departures);
    }

    /** @throws IllegalArgumentException if the text is no schedule */
    public static Schedule parse(String text) {
        TreeMap<Integer, Integer> departures = new TreeMap<>();
        for (String word : text.strip().split("[ ,]+")) {
            if (word.isEmpty()) {
                continue;
            }
            if (!word.matches("\\d+:\\d+")) {
                throw new IllegalArgumentException(
                        "expected a schedule such as \"531:2 577:1\", found \"" + text + "\"");
            }
            int colon = word.indexOf(':');
            departures.put(Integer.parseInt(word.substring(0, colon)), Integer.parseInt(word.substring(colon + 1)));
        }
        return new Schedule(departures);
    }

    /** Decision to choice, in order. */
    public Map<Integer, Integer> departures() {
        return Map.copyOf(departures);
    }

    int choiceAt(int decision) {
        return departures.getOrDefault(decision, 0);
    }

    int size() {
        return departures.size();
    }

    /** The last decision that is not the ordinary one; 0 if there is none. */
    int last() {
        return departures.isEmpty() ? 0 : departures.lastKey();
    }

    Schedule with(int decision, int choice) {
        TreeMap<Integer, Integer> copy = new TreeMap<>(departures);
        if (choice == 0) {
            copy.remove(decision);
        } else {
            copy.put(decision, choice);
        }
        return new Schedule(copy);
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Schedule other && other.departures.equals(departures);
    }

    @Override
    public int hashCode() {
        return departures.hashCode();
    }

    @Override
    public String toString() {
        return departures.entrySet().stream()
                .map(e -> e.getKey() + ":" + e.getValue())
                .collect(Collectors.joining(" "));
    }
}
