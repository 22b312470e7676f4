package io.trimtab.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.runtime.VirtualDriver;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Fairness between tenants, against a model that is slow and obvious. Keys are "tenant/number". */
class FairQueueProperties {
    record Step(boolean poll, String key, int priority) {}

    private static WorkQueue<String> queue() {
        VirtualDriver driver = VirtualDriver.create();
        return WorkQueue.fair(
                driver, RateLimiters.controllerDefault(driver), QueueMetrics.NONE, FairQueueProperties::tenant);
    }

    private static String tenant(String key) {
        return key.substring(0, key.indexOf('/'));
    }

    @Provide
    Arbitrary<List<Step>> steps() {
        Arbitrary<String> keys = Combinators.combine(
                        Arbitraries.of("a", "b", "c"), Arbitraries.integers().between(0, 3))
                .as((tenant, number) -> tenant + "/" + number);
        return Combinators.combine(
                        Arbitraries.of(true, false, false),
                        keys,
                        Arbitraries.of(WorkQueue.LOW_PRIORITY, WorkQueue.NORMAL_PRIORITY))
                .as(Step::new)
                .list()
                .ofMaxSize(60);
    }

    /** By falling priority: tenants in the order of their turns, each with its keys. */
    private static final class Model {
        final TreeMap<Integer, LinkedHashMap<String, List<String>>> lines = new TreeMap<>((x, y) -> y - x);

        void add(String key, int priority) {
            for (var line : lines.entrySet()) {
                List<String> keys = line.getValue().get(tenant(key));
                if (keys != null && keys.contains(key)) {
                    if (line.getKey() >= priority) {
                        return;
                    }
                    remove(line.getValue(), key);
                    break;
                }
            }
            lines.computeIfAbsent(priority, p -> new LinkedHashMap<>())
                    .computeIfAbsent(tenant(key), t -> new ArrayList<>())
                    .add(key);
        }

        String poll() {
            for (LinkedHashMap<String, List<String>> line : lines.values()) {
                for (Map.Entry<String, List<String>> turn : line.entrySet()) {
                    String key = turn.getValue().remove(0);
                    List<String> rest = line.remove(turn.getKey());
                    if (!rest.isEmpty()) {
                        line.put(turn.getKey(), rest); // after all the others
                    }
                    return key;
                }
            }
            return null;
        }

        private static void remove(Map<String, List<String>> line, String key) {
            List<String> keys = line.get(tenant(key));
            keys.remove(key);
            if (keys.isEmpty()) {
                line.remove(tenant(key));
            }
        }
    }

    @Property(tries = 1000)
    void givenAnySteps_whenPolled_thenTenantsTakeTurns(@ForAll("steps") List<Step> steps) {
        WorkQueue<String> queue = queue();
        Model model = new Model();
        for (Step step : steps) {
            if (step.poll()) {
                assertThat(pollAndEnd(queue)).isEqualTo(model.poll());
            } else {
                queue.add(step.key(), step.priority());
                model.add(step.key(), step.priority());
            }
        }
        for (String wanted = model.poll(); wanted != null; wanted = model.poll()) {
            assertThat(pollAndEnd(queue)).isEqualTo(wanted);
        }
        assertThat(queue.poll()).isNull();
    }

    private static String pollAndEnd(WorkQueue<String> queue) {
        String key = queue.poll();
        if (key != null) {
            queue.done(key);
        }
        return key;
    }

    @Example
    void givenOneTenantWithAThousandKeys_whenAnotherComes_thenItWaitsForOneKeyOnly() {
        WorkQueue<String> queue = queue();
        for (int i = 0; i < 1000; i++) {
            queue.add("loud/" + i);
        }
        queue.add("quiet/0");

        assertThat(List.of(pollAndEnd(queue), pollAndEnd(queue))).containsExactly("loud/0", "quiet/0");
    }
}
