package io.trimtab.informer;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class IndexerProperties {
    private static final List<LabelSelector> SELECTORS = List.of(
            LabelSelectors.parse("app=a1"),
            LabelSelectors.parse("app in (a1,a2),tier!=t0"),
            LabelSelectors.parse("tier"),
            LabelSelectors.parse("!tier"),
            LabelSelectors.parse("app=a1,tier=t1"),
            LabelSelectors.parse("app=none"));

    @Property(tries = 60)
    void givenAnyChanges_whenAskedBySelectorOrIndex_thenItAnswersAsALookAtEachObjectWould(@ForAll long seed) {
        Random random = new Random(seed);
        Indexer<ConfigMap> indexer = new Indexer<>();
        indexer.addIndex("app", o -> List.of(o.getMetadata().getLabels().getOrDefault("app", "")));
        Map<ObjectKey, ConfigMap> model = new HashMap<>();
        for (int step = 0; step < 400; step++) {
            ConfigMap object = object(random);
            ObjectKey key = ObjectKey.of(object);
            int what = random.nextInt(20);
            if (what < 4) {
                indexer.remove(key, step);
                model.remove(key);
            } else if (what == 19 && step % 7 == 0) {
                indexer.replace(List.copyOf(model.values()), step);
            } else {
                indexer.put(object, step);
                model.put(key, object);
            }
            if (step % 40 == 39) {
                check(indexer, model);
            }
        }
    }

    private static ConfigMap object(Random random) {
        Map<String, String> labels = new HashMap<>();
        if (random.nextBoolean()) {
            labels.put("app", "a" + random.nextInt(4));
        }
        if (random.nextBoolean()) {
            labels.put("tier", "t" + random.nextInt(3));
        }
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withNamespace("ns" + random.nextInt(2))
                .withName("m" + random.nextInt(90))
                .withLabels(labels)
                .endMetadata()
                .build();
    }

    private static void check(Indexer<ConfigMap> indexer, Map<ObjectKey, ConfigMap> model) {
        assertThat(indexer.count()).isEqualTo(model.size());
        for (LabelSelector selector : SELECTORS) {
            for (String namespace : new String[] {null, "ns0", "ns1", "ns2"}) {
                List<ConfigMap> expected = model.values().stream()
                        .filter(o -> namespace == null
                                || namespace.equals(o.getMetadata().getNamespace()))
                        .filter(o -> selector.matches(o.getMetadata().getLabels()))
                        .toList();
                assertThat(indexer.list(namespace, selector))
                        .as("%s in %s", selector, namespace)
                        .containsExactlyInAnyOrderElementsOf(expected);
            }
        }
        assertThat(indexer.byIndex("app", "a1"))
                .containsExactlyInAnyOrderElementsOf(model.values().stream()
                        .filter(o -> "a1".equals(o.getMetadata().getLabels().get("app")))
                        .toList());
    }
}
