package io.trimtab.selector;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Label selectors as a chain of small tests, each final and without state, so that the JIT can inline a match. */
abstract class CompiledLabelSelector implements LabelSelector {

    static final LabelSelector EVERYTHING = new CompiledLabelSelector(List.of()) {
        @Override
        public boolean matches(Map<String, String> labels) {
            return true;
        }

        @Override
        public boolean isEverything() {
            return true;
        }
    };

    static final LabelSelector NOTHING = new CompiledLabelSelector(List.of()) {
        @Override
        public boolean matches(Map<String, String> labels) {
            return false;
        }

        @Override
        public boolean isNothing() {
            return true;
        }
    };

    private final List<Requirement> requirements;
    private final String text;

    private CompiledLabelSelector(List<Requirement> requirements) {
        this.requirements = requirements;
        this.text = requirements.stream().map(Requirement::toString).collect(Collectors.joining(","));
    }

    static LabelSelector compile(List<Requirement> requirements) {
        if (requirements.stream()
                .allMatch(r -> r.operator().isPositive() && r.values().size() == 1)) {
            return requirements.size() == 1 ? new Single(requirements) : new Equalities(requirements);
        }
        return new Conjunction(requirements);
    }

    @Override
    public boolean isEverything() {
        return false;
    }

    @Override
    public boolean isNothing() {
        return false;
    }

    @Override
    public List<Requirement> requirements() {
        return requirements;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CompiledLabelSelector that
                && isNothing() == that.isNothing()
                && requirements.equals(that.requirements);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return text;
    }

    /** By far the most common: {@code app=web}. */
    private static final class Single extends CompiledLabelSelector {
        private final String key;
        private final String value;

        Single(List<Requirement> requirements) {
            super(requirements);
            this.key = requirements.get(0).key();
            this.value = requirements.get(0).values().get(0);
        }

        @Override
        public boolean matches(Map<String, String> labels) {
            return value.equals(labels.get(key));
        }
    }

    /** A plain map: keys and values in turn. */
    private static final class Equalities extends CompiledLabelSelector {
        private final String[] pairs;

        Equalities(List<Requirement> requirements) {
            super(requirements);
            this.pairs = new String[2 * requirements.size()];
            for (int i = 0; i < requirements.size(); i++) {
                pairs[2 * i] = requirements.get(i).key();
                pairs[2 * i + 1] = requirements.get(i).values().get(0);
            }
        }

        @Override
        public boolean matches(Map<String, String> labels) {
            String[] p = pairs;
            for (int i = 0; i < p.length; i += 2) {
                if (!p[i + 1].equals(labels.get(p[i]))) {
                    return false;
                }
            }
            return true;
        }
    }

    private static final class Conjunction extends CompiledLabelSelector {
        private final Test[] tests;

        Conjunction(List<Requirement> requirements) {
            super(requirements);
            this.tests = requirements.stream().map(Test::of).toArray(Test[]::new);
        }

        @Override
        public boolean matches(Map<String, String> labels) {
            for (Test test : tests) {
                if (!test.matches(labels.get(test.key))) {
                    return false;
                }
            }
            return true;
        }
    }

    /** One requirement; its value is null when the label is missing. */
    private static final class Test {
        /** Up to here an array is looked through faster than a hash is computed. */
        private static final int LINEAR = 8;

        final String key;
        private final Operator operator;
        private final String[] few;
        private final Set<String> many;
        private final boolean numeric;
        private final long bound;

        private Test(Requirement requirement) {
            this.key = requirement.key();
            this.operator = requirement.operator();
            List<String> values = requirement.values();
            this.few = values.size() <= LINEAR ? values.toArray(String[]::new) : new String[0];
            this.many = values.size() <= LINEAR ? Set.of() : Set.copyOf(values);
            this.numeric = values.size() == 1 && Decimal.isLong(values.get(0));
            this.bound = numeric ? Decimal.parse(values.get(0)) : 0;
        }

        static Test of(Requirement requirement) {
            return new Test(requirement);
        }

        boolean matches(@Nullable String value) {
            return switch (operator) {
                case EQUALS, DOUBLE_EQUALS, IN -> value != null && contains(value);
                case NOT_EQUALS, NOT_IN -> value == null || !contains(value);
                case EXISTS -> value != null;
                case DOES_NOT_EXIST -> value == null;
                case GREATER_THAN -> value != null && numeric && Decimal.isLong(value) && Decimal.parse(value) > bound;
                case LESS_THAN -> value != null && numeric && Decimal.isLong(value) && Decimal.parse(value) < bound;
            };
        }

        private boolean contains(String value) {
            for (String candidate : few) {
                if (candidate.equals(value)) {
                    return true;
                }
            }
            return !many.isEmpty() && many.contains(value);
        }

        @Override
        public String toString() {
            return key + operator + Arrays.toString(few) + many;
        }
    }
}
