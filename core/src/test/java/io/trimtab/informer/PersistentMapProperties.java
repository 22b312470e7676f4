package io.trimtab.informer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class PersistentMapProperties {
    /** Keys whose hashes collide, wholly or in part. */
    private record Key(int id) {
        @Override
        public int hashCode() {
            return (id % 3) << 30 | (id % 5);
        }
    }

    @Property(tries = 300)
    void givenAnyChanges_whenApplied_thenItHoldsWhatAHashMapHolds_andEarlierStatesStand(
            @ForAll @Size(max = 200) List<@IntRange(min = -60, max = 60) Integer> changes) {
        PersistentMap<Key, Integer> map = PersistentMap.empty();
        Map<Key, Integer> model = new HashMap<>();
        PersistentMap<Key, Integer> half = map;
        Map<Key, Integer> halfModel = Map.of();
        for (int i = 0; i < changes.size(); i++) {
            int change = changes.get(i);
            Key key = new Key(Math.abs(change));
            if (change < 0) {
                map = map.without(key);
                model.remove(key);
            } else {
                map = map.with(key, i);
                model.put(key, i);
            }
            if (i == changes.size() / 2) {
                half = map;
                halfModel = Map.copyOf(model);
            }
            assertThat(map.size()).isEqualTo(model.size());
        }
        assertSame(map, model);
        assertSame(half, halfModel);
    }

    private static void assertSame(PersistentMap<Key, Integer> map, Map<Key, Integer> model) {
        Map<Key, Integer> content = new HashMap<>();
        map.forEach(content::put);
        assertThat(content).isEqualTo(model);
        assertThat(map.values()).containsExactlyInAnyOrderElementsOf(model.values());
        for (int id = 0; id <= 60; id++) {
            assertThat(map.get(new Key(id))).isEqualTo(model.get(new Key(id)));
        }
    }

    @Property(tries = 50)
    void givenManyStrings_whenAllAreRemoved_thenItIsEmpty(@ForAll @IntRange(max = 3000) int count) {
        PersistentMap<String, Integer> map = PersistentMap.empty();
        for (int i = 0; i < count; i++) {
            map = map.with("pod-" + i, i);
        }
        assertThat(map.size()).isEqualTo(count);
        for (int i = 0; i < count; i++) {
            assertThat(map.get("pod-" + i)).isEqualTo(i);
            map = map.without("pod-" + i);
        }
        assertThat(map.isEmpty()).isTrue();
    }
}
