package io.trimtab.selector;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/** Small alphabets on purpose: collisions are what is worth testing. */
class SelectorProperties {
    private static final List<String> KEYS = List.of("a", "b", "in", "x.io/notin");
    private static final List<String> VALUES = List.of("", "1", "2", "30", "in", "v");

    @Provide
    Arbitrary<Map<String, String>> labels() {
        return Arbitraries.maps(Arbitraries.of(KEYS), Arbitraries.of(VALUES)).ofMaxSize(4);
    }

    @Provide
    Arbitrary<Requirement> requirement() {
        return Combinators.combine(
                        Arbitraries.of(KEYS),
                        Arbitraries.of(Operator.class),
                        Arbitraries.of(VALUES).list().ofMinSize(1).ofMaxSize(4),
                        Arbitraries.of("1", "2", "30"))
                .as((key, operator, values, number) -> switch (operator) {
                    case IN, NOT_IN -> Requirement.of(key, operator, values);
                    case EQUALS, DOUBLE_EQUALS, NOT_EQUALS -> Requirement.of(key, operator, values.subList(0, 1));
                    case GREATER_THAN, LESS_THAN -> Requirement.of(key, operator, List.of(number));
                    case EXISTS, DOES_NOT_EXIST -> Requirement.of(key, operator, List.of());
                });
    }

    @Provide
    Arbitrary<LabelSelector> selector() {
        return Arbitraries.frequencyOf(
                Tuple.of(20, requirement().list().ofMaxSize(4).map(LabelSelectors::of)),
                Tuple.of(1, Arbitraries.just(LabelSelectors.nothing())));
    }

    @Property
    void whatIsPrintedParsesToTheSame(@ForAll("selector") LabelSelector selector) {
        if (!selector.isNothing()) {
            assertThat(LabelSelectors.parse(selector.toString())).isEqualTo(selector);
        }
    }

    @Property
    void anyTextParsesOrIsRefusedAndWhatParsesPrintsStably(@ForAll("text") String text) {
        LabelSelector parsed;
        try {
            parsed = LabelSelectors.parse(text);
        } catch (InvalidSelectorException e) {
            assertThat(e.getMessage()).isNotEmpty();
            return;
        }
        assertThat(LabelSelectors.parse(parsed.toString())).isEqualTo(parsed);
    }

    @Provide
    Arbitrary<String> text() {
        return Arbitraries.of("a", "b", "1", "-", ",", "(", ")", "=", "==", "!=", "!", "<", ">", " in ", " notin ", " ")
                .list()
                .ofMaxSize(10)
                .map(parts -> String.join("", parts));
    }

    @Property
    void compiledSelectorsMatchWhatTheirRequirementsMatch(
            @ForAll("selector") LabelSelector selector, @ForAll("labels") Map<String, String> labels) {
        boolean naive =
                !selector.isNothing() && selector.requirements().stream().allMatch(r -> r.matches(labels));

        assertThat(selector.matches(labels)).isEqualTo(naive);
    }

    @Property(tries = 500)
    void theForwardIndexFindsWhatAScanFinds(
            @ForAll("objectChanges") List<ObjectChange> changes, @ForAll("selector") LabelSelector selector) {
        SelectorIndex<Integer> index = new SelectorIndex<>();
        Map<Integer, Map<String, String>> model = new HashMap<>();

        for (ObjectChange change : changes) {
            if (change.remove()) {
                index.remove(change.id());
                model.remove(change.id());
            } else {
                index.put(change.id(), change.labels());
                model.put(change.id(), change.labels());
            }
        }

        List<Integer> scan = model.keySet().stream()
                .filter(id -> selector.matches(model.get(id)))
                .toList();
        assertThat(index.matching(selector)).containsExactlyInAnyOrderElementsOf(scan);
        assertThat(index.count(selector)).isEqualTo(scan.size());
        assertThat(index.size()).isEqualTo(model.size());
    }

    record ObjectChange(int id, boolean remove, Map<String, String> labels) {}

    @Provide
    Arbitrary<List<ObjectChange>> objectChanges() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, 9),
                        Arbitraries.integers().between(0, 3).map(i -> i == 0),
                        labels())
                .as(ObjectChange::new)
                .list()
                .ofMaxSize(40);
    }

    @Property(tries = 500)
    void theReverseIndexFindsWhatAScanFinds(
            @ForAll("selectorChanges") List<SelectorChange> changes,
            @ForAll("labels") Map<String, String> labels,
            @ForAll("labels") Map<String, String> other) {
        ReverseSelectorIndex<Integer> index = new ReverseSelectorIndex<>();
        Map<Integer, LabelSelector> model = new LinkedHashMap<>();

        for (SelectorChange change : changes) {
            if (change.remove()) {
                index.remove(change.id());
                model.remove(change.id());
            } else {
                index.put(change.id(), change.selector());
                model.put(change.id(), change.selector());
            }
        }

        List<Integer> scan = new ArrayList<>();
        List<Integer> either = new ArrayList<>();
        model.forEach((id, selector) -> {
            if (selector.matches(labels)) {
                scan.add(id);
            }
            if (selector.matches(labels) || selector.matches(other)) {
                either.add(id);
            }
        });
        assertThat(index.matching(labels)).containsExactlyInAnyOrderElementsOf(scan);
        assertThat(index.matchingEither(labels, other)).containsExactlyInAnyOrderElementsOf(either);
        assertThat(index.size()).isEqualTo(model.size());
    }

    record SelectorChange(int id, boolean remove, LabelSelector selector) {}

    @Provide
    Arbitrary<List<SelectorChange>> selectorChanges() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, 9),
                        Arbitraries.integers().between(0, 3).map(i -> i == 0),
                        selector())
                .as(SelectorChange::new)
                .list()
                .ofMaxSize(40);
    }
}
