package io.trimtab.apiserver.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.apiserver.store.Store.Change;
import io.trimtab.apiserver.store.Store.CommitResult;
import io.trimtab.apiserver.store.Store.CompactedException;
import io.trimtab.apiserver.store.Store.Operation;
import io.trimtab.runtime.VirtualDriver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Any sequence of commits, compactions, watches, forks and restarts, against a list of sorted maps. */
class StoreProperties {
    private static final List<String> KEYS = List.of("/a/1", "/a/2", "/a/3", "/b/1", "/b/2", "/c");

    /** One thing to do: numbers are folded into what is possible at the time. */
    record Step(Kind kind, int key, int other, int expected) {}

    enum Kind {
        PUT,
        PUT2,
        CREATE,
        REPLACE,
        DELETE,
        COMPACT,
        WATCH,
        FORK_OR_RESTART
    }

    @Provide
    Arbitrary<List<Step>> steps() {
        Arbitrary<Kind> kinds = Arbitraries.frequency(
                net.jqwik.api.Tuple.of(6, Kind.PUT),
                net.jqwik.api.Tuple.of(3, Kind.PUT2),
                net.jqwik.api.Tuple.of(3, Kind.CREATE),
                net.jqwik.api.Tuple.of(4, Kind.REPLACE),
                net.jqwik.api.Tuple.of(4, Kind.DELETE),
                net.jqwik.api.Tuple.of(1, Kind.COMPACT),
                net.jqwik.api.Tuple.of(2, Kind.WATCH),
                net.jqwik.api.Tuple.of(1, Kind.FORK_OR_RESTART));
        Arbitrary<Integer> numbers = Arbitraries.integers().between(0, 1000);
        return Combinators.combine(kinds, numbers, numbers, numbers)
                .as(Step::new)
                .list()
                .ofMaxSize(60);
    }

    @Property(tries = 400)
    void memoryStore_isAListOfSortedMaps(@ForAll("steps") List<Step> steps) {
        new Run(MemoryStore.create()) {
            @Override
            void forkOrRestart() {
                MemoryStore origin = (MemoryStore) store;
                store = origin.fork();
                // What happens to the one must not be seen in the other.
                origin.commit(List.of(StoreContract.put("/a/1", -1, "of the origin")));
                origin.compact(origin.revision());
            }
        }.all(steps);
    }

    @Property(tries = 25)
    void rocksStore_isAListOfSortedMaps(@ForAll("steps") List<Step> steps) throws IOException {
        Path directory = Files.createTempDirectory("store-properties");
        VirtualDriver driver = VirtualDriver.create();
        try {
            new Run(RocksStore.open(directory, driver)) {
                @Override
                void forkOrRestart() {
                    store.close();
                    store = RocksStore.open(directory, driver);
                }
            }.all(steps);
        } finally {
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private abstract static class Run {
        Store store;
        private final Map<Long, TreeMap<String, String>> states = new LinkedHashMap<>();
        private final Map<String, Long> revisions = new TreeMap<>();
        private final List<String> history = new ArrayList<>();
        private final List<Long> historyRevisions = new ArrayList<>();
        private final List<Heard> watches = new ArrayList<>();
        private long compacted = 1;
        private int values;

        private record Heard(int from, List<String> changes) {}

        Run(Store store) {
            this.store = store;
            states.put(1L, new TreeMap<>());
        }

        abstract void forkOrRestart();

        void all(List<Step> steps) {
            try {
                steps.forEach(this::one);
                check();
            } finally {
                store.close();
            }
        }

        private void one(Step step) {
            String key = KEYS.get(step.key() % KEYS.size());
            String other = KEYS.get(step.other() % KEYS.size());
            long current = revisions.getOrDefault(key, 0L);
            switch (step.kind()) {
                case PUT -> commit(put(key, -1));
                case PUT2 -> {
                    if (!key.equals(other)) {
                        commit(put(key, -1), put(other, step.expected() % 3 == 0 ? 0 : -1));
                    }
                }
                case CREATE -> commit(put(key, 0));
                case REPLACE -> commit(put(key, step.expected() % 4 == 0 ? current + 1 : current));
                case DELETE -> commit(StoreContract.delete(key, step.expected() % 2 == 0 ? -1 : current));
                case COMPACT -> {
                    compacted = Math.max(compacted, 1 + step.expected() % store.revision());
                    store.compact(compacted);
                }
                case WATCH -> watch(compacted + step.expected() % (store.revision() - compacted + 1));
                case FORK_OR_RESTART -> {
                    check();
                    // Watches end with the store they were opened on.
                    watches.clear();
                    forkOrRestart();
                    check();
                }
            }
        }

        private Operation put(String key, long expected) {
            return StoreContract.put(key, expected, "v" + values++);
        }

        private void watch(long after) {
            int from = (int) historyRevisions.stream().filter(r -> r <= after).count();
            Heard heard = new Heard(from, new ArrayList<>());
            watches.add(heard);
            store.watch(
                    "", after, changes -> changes.forEach(c -> heard.changes().add(StoreContract.show(c))));
        }

        private void commit(Operation... operations) {
            CommitResult result = store.commit(List.of(operations)).join();
            boolean holds = true;
            for (Operation operation : operations) {
                long expected = operation instanceof Operation.Put p
                        ? p.expectedRevision()
                        : ((Operation.Delete) operation).expectedRevision();
                holds &= expected < 0 || expected == revisions.getOrDefault(operation.key(), 0L);
            }
            assertThat(result.committed()).isEqualTo(holds);
            if (!holds) {
                return;
            }
            long next = states.size() + 1L;
            TreeMap<String, String> state = new TreeMap<>(states.get(next - 1));
            List<String> changes = new ArrayList<>();
            for (Operation operation : operations) {
                String before = state.get(operation.key());
                String now = operation instanceof Operation.Put p
                        ? new String(p.value().apply(next), StandardCharsets.UTF_8)
                        : null;
                if (now == null && before == null) {
                    continue;
                }
                if (now == null) {
                    state.remove(operation.key());
                    revisions.remove(operation.key());
                } else {
                    state.put(operation.key(), now);
                    revisions.put(operation.key(), next);
                }
                changes.add(next + " " + operation.key() + " " + (before == null ? "-" : before) + ">"
                        + (now == null ? "-" : now));
            }
            if (changes.isEmpty()) {
                assertThat(result.revision()).isEqualTo(next - 1);
                return;
            }
            assertThat(result.revision()).isEqualTo(next);
            states.put(next, state);
            history.addAll(changes);
            changes.forEach(c -> historyRevisions.add(next));
        }

        private void check() {
            assertThat(store.revision()).isEqualTo(states.size());
            assertThat(store.compactedRevision()).isEqualTo(compacted);
            TreeMap<String, String> now = states.get((long) states.size());
            for (String prefix : List.of("", "/a/", "/b", "/x")) {
                assertThat(store.count(prefix))
                        .isEqualTo(now.keySet().stream()
                                .filter(k -> k.startsWith(prefix))
                                .count());
            }
            states.forEach((revision, state) -> {
                if (revision < compacted) {
                    assertThatThrownBy(() -> store.range("", null, 0, revision)).isInstanceOf(CompactedException.class);
                } else {
                    assertThat(StoreContract.show(store.range("", null, 0, revision)))
                            .isEqualTo(state.entrySet().stream()
                                    .map(e -> e.getKey() + "=" + e.getValue())
                                    .toList());
                }
            });
            for (long after = compacted; after <= states.size(); after++) {
                List<Change> heard = new ArrayList<>();
                store.watch("", after, heard::addAll);
                long from = after;
                assertThat(heard.stream().map(StoreContract::show).toList())
                        .isEqualTo(history.subList(
                                (int) historyRevisions.stream()
                                        .filter(r -> r <= from)
                                        .count(),
                                history.size()));
            }
            for (Heard watch : watches) {
                assertThat(watch.changes()).isEqualTo(history.subList(watch.from(), history.size()));
            }
        }
    }
}
