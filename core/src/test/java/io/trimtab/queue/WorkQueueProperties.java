package io.trimtab.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.runtime.VirtualDriver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** The queue against a model that is slow and obvious. */
class WorkQueueProperties {

    enum Kind {
        ADD,
        ADD_AFTER,
        POLL,
        DONE,
        ADVANCE
    }

    record Step(Kind kind, int key, int number) {}

    @Provide
    Arbitrary<List<Step>> steps() {
        return Combinators.combine(
                        Arbitraries.of(Kind.class),
                        Arbitraries.integers().between(0, 6),
                        Arbitraries.integers().between(0, 3))
                .as(Step::new)
                .list()
                .ofMaxSize(80);
    }

    /** What waits, in the order of arrival; what is in work and wanted again; what is delayed. */
    private static final class Model {
        record Waiting(int key, int priority, int arrival) {}

        record Wanted(int priority) {}

        record Delayed(long due, int priority, int number) {}

        final List<Waiting> waiting = new ArrayList<>();
        final Map<Integer, Integer> working = new HashMap<>();
        final Map<Integer, Wanted> wanted = new HashMap<>();
        final Map<Integer, Delayed> delayed = new HashMap<>();
        int arrivals;
        long now;

        void add(int key, int priority) {
            if (working.containsKey(key)) {
                wanted.merge(key, new Wanted(priority), (a, b) -> a.priority() >= b.priority() ? a : b);
                return;
            }
            Optional<Waiting> there =
                    waiting.stream().filter(w -> w.key() == key).findFirst();
            if (there.isPresent()) {
                if (priority <= there.get().priority()) {
                    return;
                }
                waiting.remove(there.get());
            }
            waiting.add(new Waiting(key, priority, arrivals++));
        }

        void addAfter(int key, int seconds, int priority) {
            if (seconds == 0) {
                add(key, priority);
                return;
            }
            Delayed known = delayed.get(key);
            if (known == null) {
                delayed.put(key, new Delayed(now + seconds, priority, arrivals++));
            } else {
                int most = Math.max(priority, known.priority());
                delayed.put(
                        key,
                        known.due() <= now + seconds
                                ? new Delayed(known.due(), most, known.number())
                                : new Delayed(now + seconds, most, arrivals++));
            }
        }

        void advance(int seconds) {
            now += seconds;
            delayed.entrySet().stream()
                    .filter(e -> e.getValue().due() <= now)
                    .sorted(Comparator.<Map.Entry<Integer, Delayed>>comparingLong(
                                    e -> e.getValue().due())
                            .thenComparing(e -> e.getValue().number()))
                    .toList()
                    .forEach(e -> {
                        delayed.remove(e.getKey());
                        add(e.getKey(), e.getValue().priority());
                    });
        }

        Integer poll() {
            Optional<Waiting> best = waiting.stream()
                    .min(Comparator.comparingInt((Waiting w) -> -w.priority()).thenComparing(Waiting::arrival));
            best.ifPresent(w -> {
                waiting.remove(w);
                working.put(w.key(), w.priority());
            });
            return best.map(Waiting::key).orElse(null);
        }

        void done(int key) {
            working.remove(key);
            Wanted again = wanted.remove(key);
            if (again != null) {
                add(key, again.priority());
            }
        }
    }

    @Property(tries = 2000)
    void theQueueDoesWhatTheModelDoes(@ForAll("steps") List<Step> steps) {
        VirtualDriver driver = VirtualDriver.create();
        WorkQueue<Integer> queue = WorkQueue.create(driver);
        Model model = new Model();

        for (Step step : steps) {
            switch (step.kind()) {
                case ADD -> {
                    queue.add(step.key(), step.number());
                    model.add(step.key(), step.number());
                }
                case ADD_AFTER -> {
                    queue.addAfter(step.key(), Duration.ofSeconds(step.number()), step.key() % 2);
                    model.addAfter(step.key(), step.number(), step.key() % 2);
                }
                case POLL -> assertThat(queue.poll()).isEqualTo(model.poll());
                case DONE -> {
                    if (model.working.containsKey(step.key())) {
                        queue.done(step.key());
                        model.done(step.key());
                    }
                }
                case ADVANCE -> {
                    driver.advance(Duration.ofSeconds(step.number()));
                    model.advance(step.number());
                }
            }
            assertThat(queue.depth()).isEqualTo(model.waiting.size());
            assertThat(queue.inWork()).isEqualTo(model.working.size());
            assertThat(queue.delayed()).isEqualTo(model.delayed.size());
        }
    }
}
