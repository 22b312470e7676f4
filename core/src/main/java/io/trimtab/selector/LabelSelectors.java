package io.trimtab.selector;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** Makes {@link LabelSelector}s. */
public final class LabelSelectors {
    private LabelSelectors() {}

    /** Selects every object. */
    public static LabelSelector everything() {
        return CompiledLabelSelector.EVERYTHING;
    }

    /** Selects no object. Its text is empty, like that of everything: only the structured form can say it. */
    public static LabelSelector nothing() {
        return CompiledLabelSelector.NOTHING;
    }

    /**
     * Reads the text form: {@code k=v}, {@code k==v}, {@code k!=v}, {@code k in (a,b)}, {@code k notin (a,b)}, {@code k},
     * {@code !k}, {@code k>1}, {@code k<1}, joined by commas.
     *
     * @throws InvalidSelectorException with the message Kubernetes gives
     */
    public static LabelSelector parse(String text) {
        return text.isEmpty() ? everything() : of(LabelSelectorParser.parse(text));
    }

    /** Selects objects that have all these labels; everything if there are none. Checks nothing, as Kubernetes. */
    public static LabelSelector of(Map<String, String> labels) {
        if (labels.isEmpty()) {
            return everything();
        }
        List<Requirement> requirements = new ArrayList<>(labels.size());
        labels.forEach((key, value) -> requirements.add(new Requirement(key, Operator.EQUALS, List.of(value))));
        return of(requirements);
    }

    /** Selects objects that fulfil all requirements; everything if there are none. */
    public static LabelSelector of(List<Requirement> requirements) {
        if (requirements.isEmpty()) {
            return everything();
        }
        List<Requirement> sorted = new ArrayList<>(requirements);
        sorted.sort(Comparator.comparing(Requirement::key)); // stable: requirements of one key stay as written
        return CompiledLabelSelector.compile(List.copyOf(sorted));
    }

    /** Selects what both select. */
    public static LabelSelector and(LabelSelector one, LabelSelector other) {
        if (one.isNothing() || other.isEverything()) {
            return one;
        }
        if (other.isNothing() || one.isEverything()) {
            return other;
        }
        List<Requirement> all = new ArrayList<>(one.requirements());
        all.addAll(other.requirements());
        return of(all);
    }
}
