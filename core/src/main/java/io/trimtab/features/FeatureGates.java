package io.trimtab.features;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which features of Kubernetes are switched on. The gates, their stages and their defaults are those of Kubernetes 1.34, for all
 * components alike: a gate may be known here whose feature there is not. Immutable.
 *
 * @since 0.1
 */
public final class FeatureGates {
    private static final Logger LOG = LoggerFactory.getLogger(FeatureGates.class);
    private static final String RESOURCE = "kubernetes-1.34-feature-gates.txt";
    private static final String ALL_ALPHA = "AllAlpha";
    private static final String ALL_BETA = "AllBeta";
    /** The component that gates belong to which name none. */
    private static final String KUBE = "kube";

    private static final Set<String> TRUE = Set.of("1", "t", "T", "TRUE", "true", "True");
    private static final Set<String> FALSE = Set.of("0", "f", "F", "FALSE", "false", "False");
    /** Every gate as it is when nobody says. */
    public static final FeatureGates DEFAULT = new FeatureGates(Map.of());

    /** How far a feature has come. */
    public enum Stage {
        ALPHA("ALPHA"),
        BETA("BETA"),
        GA(""),
        DEPRECATED("DEPRECATED");

        private final String label;

        Stage(String label) {
            this.label = label;
        }

        /** As the metric {@code kubernetes_feature_enabled} calls it: nothing for those that are generally available. */
        public String label() {
            return label;
        }
    }

    /**
     * One gate.
     *
     * @param byDefault whether the feature is on when nobody says
     * @param locked whether it cannot be otherwise
     */
    public record Feature(String name, Stage stage, boolean byDefault, boolean locked) {}

    /** Read when the first gate is asked for, and not by who only passes the gates on. */
    private static final class Known {
        static final Map<String, Feature> ALL = known();
    }

    private final Map<String, Boolean> set;

    private FeatureGates(Map<String, Boolean> set) {
        this.set = set;
    }

    /**
     * Reads the values of a flag {@code --feature-gates}.
     *
     * @param pairs such as {@code Name=true} or {@code kube:Name=true}; commas may join several; later ones win
     * @throws IllegalArgumentException in Kubernetes' words, if a gate is unknown, locked, or its value is neither true nor false
     */
    public static FeatureGates parse(Collection<String> pairs) {
        Map<String, List<String>> byComponent = new LinkedHashMap<>();
        for (String text : pairs) {
            for (String pair : text.split(",", -1)) {
                if (pair.isEmpty()) {
                    continue;
                }
                int colon = pair.indexOf(':');
                String component = colon < 0 ? "" : pair.substring(0, colon).strip();
                byComponent
                        .computeIfAbsent(component, c -> new ArrayList<>())
                        .add(pair.substring(colon + 1).strip());
            }
        }
        if (byComponent.containsKey("") && byComponent.containsKey(KUBE)) {
            throw new IllegalArgumentException(
                    "set kube feature gates with default empty prefix or kube: prefix consistently, do not mix use");
        }
        Map<String, Boolean> values = new LinkedHashMap<>();
        byComponent.forEach((component, gates) -> {
            if (!component.isEmpty() && !component.equals(KUBE)) {
                throw new IllegalArgumentException("component not registered: " + component);
            }
            gates.forEach(gate -> read(gate, values));
        });
        return of(values);
    }

    private static void read(String gate, Map<String, Boolean> values) {
        int equals = gate.indexOf('=');
        String name = (equals < 0 ? gate : gate.substring(0, equals)).strip();
        if (equals < 0) {
            if (gate.isEmpty()) {
                return;
            }
            throw new IllegalArgumentException("missing bool value for " + name);
        }
        String value = gate.substring(equals + 1).strip();
        if (!TRUE.contains(value) && !FALSE.contains(value)) {
            throw new IllegalArgumentException("invalid value of " + name + "=" + value
                    + ", err: strconv.ParseBool: parsing \"" + value + "\": invalid syntax");
        }
        values.put(name, TRUE.contains(value));
    }

    /**
     * The gates with some of them set.
     *
     * @param values by name; {@code AllAlpha} and {@code AllBeta} stand for all of that stage which are not named themselves
     * @throws IllegalArgumentException in Kubernetes' words, if a gate is unknown or locked
     */
    public static FeatureGates of(Map<String, Boolean> values) {
        Map<String, Boolean> set = new TreeMap<>();
        List<String> wrong = new ArrayList<>();
        for (Map.Entry<String, Boolean> entry : values.entrySet()) {
            String name = entry.getKey();
            boolean value = entry.getValue();
            Feature feature = Known.ALL.get(name);
            if (feature == null) {
                wrong.add("unrecognized feature gate: " + name);
                break;
            }
            if (feature.locked() && feature.byDefault() != value) {
                wrong.add("cannot set feature gate " + name + " to " + value + ", feature is locked to "
                        + feature.byDefault());
                continue;
            }
            set.put(name, value);
            if (feature.stage() == Stage.DEPRECATED || feature.stage() == Stage.GA) {
                LOG.warn(
                        "Setting {} feature gate {}={}. It will be removed in a future release.",
                        feature.stage() == Stage.GA ? "GA" : "deprecated",
                        name,
                        value);
            }
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException(wrong.size() == 1 ? wrong.get(0) : "[" + String.join(", ", wrong) + "]");
        }
        setAll(set, ALL_ALPHA, Stage.ALPHA);
        setAll(set, ALL_BETA, Stage.BETA);
        return new FeatureGates(Map.copyOf(set));
    }

    private static void setAll(Map<String, Boolean> set, String gate, Stage stage) {
        Boolean value = set.get(gate);
        if (value == null) {
            return;
        }
        for (Feature feature : Known.ALL.values()) {
            boolean group = feature.name().equals(ALL_ALPHA) || feature.name().equals(ALL_BETA);
            if (!group && feature.stage() == stage) {
                set.putIfAbsent(feature.name(), value);
            }
        }
    }

    /**
     * Whether a feature is on.
     *
     * @throws IllegalArgumentException if there is no such gate
     */
    public boolean enabled(String name) {
        Boolean said = set.get(name);
        if (said != null) {
            return said;
        }
        Feature feature = Known.ALL.get(name);
        if (feature == null) {
            throw new IllegalArgumentException("feature \"" + name + "\" is not registered in FeatureGate");
        }
        return feature.byDefault();
    }

    /** Every gate there is, by name. */
    public static Collection<Feature> all() {
        return Known.ALL.values();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FeatureGates gates && gates.set.equals(set);
    }

    @Override
    public int hashCode() {
        return set.hashCode();
    }

    /** What is set, as the flag takes it. */
    @Override
    public String toString() {
        List<String> pairs = new ArrayList<>();
        new TreeSet<>(set.keySet()).forEach(name -> pairs.add(name + "=" + set.get(name)));
        return String.join(",", pairs);
    }

    private static Map<String, Feature> known() {
        Map<String, Feature> known = new TreeMap<>();
        try (InputStream in =
                Objects.requireNonNull(FeatureGates.class.getResourceAsStream(RESOURCE), "resource " + RESOURCE)) {
            for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
                if (!line.startsWith("#")) {
                    String[] parts = line.split(" ");
                    boolean locked = parts.length > 3;
                    known.put(
                            parts[0],
                            new Feature(parts[0], Stage.valueOf(parts[1]), Boolean.parseBoolean(parts[2]), locked));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("resource " + RESOURCE + " cannot be read", e);
        }
        return Collections.unmodifiableMap(known);
    }
}
