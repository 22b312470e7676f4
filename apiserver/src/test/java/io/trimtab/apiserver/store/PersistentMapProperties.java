package io.trimtab.apiserver.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

class PersistentMapProperties {

    @Provide
    Arbitrary<List<String>> keys() {
        Arbitrary<String> parts =
                Arbitraries.of("a", "b", "/", "0", "\u00e9", "\uffff", "\ue000", "\ud800\udc00", "z", "-");
        return parts.list().ofMaxSize(4).map(p -> String.join("", p)).list().ofMaxSize(300);
    }

    @Property(tries = 300)
    void anyChanges_giveWhatASortedMapGives(
            @ForAll("keys") List<String> keys, @ForAll Random random, @ForAll @IntRange(max = 3) int deletesIn4) {
        PersistentMap<String> map = PersistentMap.empty();
        TreeMap<String, String> model = new TreeMap<>(PersistentMap::compareKeys);
        List<PersistentMap<String>> old = new ArrayList<>();
        List<List<String>> oldValues = new ArrayList<>();
        for (String key : keys) {
            if (random.nextInt(4) < deletesIn4) {
                String victim = model.isEmpty() || random.nextBoolean() ? key : model.firstKey();
                map = map.without(victim);
                model.remove(victim);
            } else {
                map = map.with(key, key + "!");
                model.put(key, key + "!");
            }
            if (random.nextInt(20) == 0) {
                old.add(map);
                oldValues.add(List.copyOf(model.values()));
            }
        }
        check(map, model, keys);
        for (int i = 0; i < old.size(); i++) {
            assertThat(values(old.get(i).iterator())).isEqualTo(oldValues.get(i));
        }
    }

    @Property(tries = 30)
    void manyKeys_growAndShrinkDeepTrees(@ForAll Random random) {
        PersistentMap<String> map = PersistentMap.empty();
        TreeMap<String, String> model = new TreeMap<>();
        List<String> asked = new ArrayList<>();
        int bias = 9;
        for (int i = 0; i < 12_000; i++) {
            if (i == 6000) {
                bias = 2;
            }
            String key = "/k/" + (random.nextBoolean() ? i : random.nextInt(12_000));
            if (random.nextInt(10) < bias) {
                map = map.with(key, key);
                model.put(key, key);
            } else {
                String victim = model.ceilingKey(key);
                if (victim != null) {
                    map = map.without(victim);
                    model.remove(victim);
                }
            }
            if (i % 600 == 0) {
                asked.add(key);
                asked.add(key.substring(0, key.length() - 1));
            }
        }
        check(map, model, asked);
        for (String key : List.copyOf(model.keySet())) {
            map = map.without(key);
        }
        assertThat(map.isEmpty()).isTrue();
    }

    private static void check(PersistentMap<String> map, TreeMap<String, String> model, List<String> asked) {
        assertThat(map.size()).isEqualTo(model.size());
        assertThat(values(map.iterator())).containsExactlyElementsOf(model.values());
        for (String key : asked) {
            assertThat(map.get(key)).isEqualTo(model.get(key));
            assertThat(map.rank(key)).isEqualTo(model.headMap(key).size());
            List<String> under =
                    model.keySet().stream().filter(k -> k.startsWith(key)).toList();
            assertThat(map.count(key)).isEqualTo(under.size());
            assertThat(values(map.iterator(key, null)))
                    .containsExactlyElementsOf(under.stream().map(model::get).toList());
            assertThat(values(map.iterator("", key)))
                    .containsExactlyElementsOf(model.tailMap(key, true).values());
        }
    }

    private static List<String> values(Iterator<String> iterator) {
        List<String> values = new ArrayList<>();
        iterator.forEachRemaining(values::add);
        return values;
    }
}
