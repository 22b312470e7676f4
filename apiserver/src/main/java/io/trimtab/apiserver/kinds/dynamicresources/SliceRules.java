package io.trimtab.apiserver.kinds.dynamicresources;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Amounts;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.kinds.core.Affinities;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The spec of a ResourceSlice. Belongs to one validation. */
record SliceRules(FieldErrors errors, JsonNode spec) {
    private static final int MOST_DEVICES = 128;
    private static final int MOST_PER_DEVICE = 32;
    private static final int MOST_COUNTERS = 1024;
    private static final int MOST_TAINTS = 4;
    private static final int MOST_VALUES = 10;
    private static final int LONGEST_VALUE = 64;
    private static final int LONGEST_NAME = 63 + 1 + 32;
    private static final String NUMBER = "(0|[1-9]\\d*)";
    private static final String PRERELEASE = "(0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)";
    private static final String BUILD = "[0-9a-zA-Z-]+";
    private static final Pattern VERSION = Pattern.compile(NUMBER + "\\." + NUMBER + "\\." + NUMBER + "(-" + PRERELEASE
            + "(\\." + PRERELEASE + ")*)?(\\+" + BUILD + "(\\." + BUILD + ")*)?");
    private static final String TRUE_OR_UNSET = "must be either unset or set to true";

    /** @param old null for a new slice */
    void spec(@Nullable JsonNode old) {
        DeviceRules.driver(errors, "spec.driver", Trees.text(spec, "driver"));
        JsonNode pool = Trees.child(spec, "pool");
        DeviceRules.pool(errors, "spec.pool.name", Trees.text(pool, "name"));
        FieldRules.positive(errors, "spec.pool.resourceSliceCount", Trees.number(pool, "resourceSliceCount"));
        if (Trees.number(pool, "generation") < 0) {
            errors.invalid(
                    "spec.pool.generation", Trees.number(pool, "generation"), "must be greater than or equal to zero");
        }
        if (old != null) {
            FieldRules.immutable(errors, "spec.pool", pool, Trees.child(old, "pool"), "name");
            FieldRules.immutable(errors, "spec", spec, old, "driver");
            FieldRules.immutable(errors, "spec", spec, old, "nodeName");
        }
        places();
        devices();
    }

    private void places() {
        List<String> set = new ArrayList<>();
        nodeName("spec", spec, "must be either unset or set to a non-empty string", set);
        if (Trees.has(spec, "nodeSelector")) {
            set.add("`nodeSelector`");
            JsonNode selector = spec.get("nodeSelector");
            Affinities.nodeSelector(errors, "spec.nodeSelector", selector, true);
            if (Trees.items(selector, "nodeSelectorTerms").size() != 1) {
                errors.invalidShown(
                        "spec.nodeSelector.nodeSelectorTerms",
                        Trees.has(selector, "nodeSelectorTerms")
                                ? InternalForm.of(selector.get("nodeSelectorTerms"), "[]core/v1.NodeSelectorTerm")
                                : "null",
                        "must have exactly one node selector term");
            }
        }
        truth("spec", spec, "allNodes", set);
        truth("spec", spec, "perDeviceNodeSelection", set);
        String one = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
        if (set.isEmpty()) {
            errors.required("spec", one);
        } else if (set.size() > 1) {
            errors.invalid("spec", "{" + String.join(", ", set) + "}", one + ", but multiple fields are set");
        }
    }

    private void nodeName(String path, JsonNode parent, String empty, List<String> set) {
        if (!Trees.has(parent, "nodeName")) {
            return;
        }
        String name = Trees.text(parent, "nodeName");
        if (name.isEmpty()) {
            errors.invalid(path + ".nodeName", name, empty);
        } else {
            set.add("`nodeName`");
            FieldRules.invalid(errors, path + ".nodeName", name, Names.subdomain(name));
        }
    }

    private void truth(String path, JsonNode parent, String field, List<String> set) {
        if (!Trees.has(parent, field)) {
            return;
        }
        if (Trees.flag(parent, field)) {
            set.add("`" + field + "`");
        } else {
            errors.invalid(path + "." + field, parent.get(field), TRUE_OR_UNSET);
        }
    }

    private void devices() {
        List<JsonNode> devices = Trees.items(spec, "devices");
        int counters = 0;
        for (int i = 0; i < devices.size(); i++) {
            device("spec.devices[" + i + "]", devices.get(i));
            counters += counters(devices.get(i), "consumesCounters");
        }
        DeviceRules.tooMany(errors, "spec.devices", devices.size(), MOST_DEVICES);
        DeviceRules.distinct(errors, "spec.devices", DeviceClaimRules.texts(devices, "name"), ".name");
        if (counters > MOST_COUNTERS) {
            errors.invalid(
                    "spec.devices",
                    counters,
                    "the total number of counters in devices must not exceed " + MOST_COUNTERS);
        }
        int shared = counters(spec, "sharedCounters");
        if (shared > MOST_PER_DEVICE) {
            errors.invalid(
                    "spec.sharedCounters",
                    shared,
                    "the total number of shared counters must not exceed " + MOST_PER_DEVICE);
        }
        List<JsonNode> sets = Trees.items(spec, "sharedCounters");
        for (int i = 0; i < sets.size(); i++) {
            String at = "spec.sharedCounters[" + i + "]";
            FieldRules.requiredLabel(errors, at + ".name", Trees.text(sets.get(i), "name"));
            counterNames(at, sets.get(i));
        }
        DeviceRules.distinct(errors, "spec.sharedCounters", DeviceClaimRules.texts(sets, "name"), ".name");
    }

    private static int counters(JsonNode parent, String field) {
        return Trees.items(parent, field).stream()
                .mapToInt(set -> Trees.child(set, "counters").size())
                .sum();
    }

    private void counterNames(String path, JsonNode set) {
        if (!Trees.hasContent(set, "counters")) {
            errors.required(path + ".counters", "");
        }
        for (String name : Trees.entries(set, "counters").keySet()) {
            DeviceRules.label(errors, path + ".counters[" + DeviceRules.shortened(name, 63) + "]", name);
        }
    }

    private void device(String path, JsonNode device) {
        DeviceRules.label(errors, path + ".name", Trees.text(device, "name"));
        Map<String, JsonNode> attributes = Trees.entries(device, "attributes");
        Map<String, JsonNode> capacity = Trees.entries(device, "capacity");
        int size = attributes.size() + capacity.size();
        if (size > MOST_PER_DEVICE) {
            errors.invalid(
                    path, size, "the total number of attributes and capacities must not exceed " + MOST_PER_DEVICE);
        }
        attributes.forEach((name, attribute) -> {
            String at = path + ".attributes[" + DeviceRules.shortened(name, LONGEST_NAME) + "]";
            DeviceRules.qualified(errors, at, name);
            attribute(at, attribute);
        });
        boolean multiple = Trees.flag(device, "allowMultipleAllocations");
        capacity.forEach((name, amount) -> {
            String at = path + ".capacity[" + DeviceRules.shortened(name, LONGEST_NAME) + "]";
            DeviceRules.qualified(errors, at, name);
            if (Trees.has(amount, "requestPolicy")) {
                if (multiple) {
                    policy(at + ".requestPolicy", Trees.child(amount, "value"), amount.get("requestPolicy"));
                } else {
                    errors.forbidden(at + ".requestPolicy", "allowMultipleAllocations must be true");
                }
            }
        });
        List<JsonNode> taints = Trees.items(device, "taints");
        for (int i = 0; i < taints.size(); i++) {
            DeviceRules.taint(errors, path + ".taints[" + i + "]", taints.get(i));
        }
        DeviceRules.tooMany(errors, path + ".taints", taints.size(), MOST_TAINTS);
        consumption(path, device);
        placesOf(path, device);
        DeviceRules.binding(errors, path, device);
    }

    private void attribute(String path, JsonNode attribute) {
        int values = 0;
        for (String field : List.of("bool", "int", "string", "version")) {
            values += Trees.has(attribute, field) ? 1 : 0;
        }
        if (FieldRules.utf8Length(Trees.text(attribute, "string")) > LONGEST_VALUE) {
            errors.tooLong(path + ".string", LONGEST_VALUE);
        }
        if (Trees.has(attribute, "version")) {
            String version = Trees.text(attribute, "version");
            if (!VERSION.matcher(version).matches()) {
                errors.invalid(path + ".version", version, "must be a string compatible with semver.org spec 2.0.0");
            }
            if (FieldRules.utf8Length(version) > LONGEST_VALUE) {
                errors.tooLong(path + ".version", LONGEST_VALUE);
            }
        }
        String one = "exactly one value must be specified";
        if (values == 0) {
            errors.required(path, one);
        } else if (values > 1) {
            errors.invalidShown(path, InternalForm.of(attribute, "resource/v1.DeviceAttribute"), one);
        }
    }

    private void consumption(String path, JsonNode device) {
        List<JsonNode> sets = Trees.items(device, "consumesCounters");
        for (int i = 0; i < sets.size(); i++) {
            String at = path + ".consumesCounters[" + i + "]";
            if (!Trees.hasContent(sets.get(i), "counterSet")) {
                errors.required(at + ".counterSet", "");
            }
            counterNames(at, sets.get(i));
        }
        DeviceRules.distinct(
                errors, path + ".consumesCounters", DeviceClaimRules.texts(sets, "counterSet"), ".counterSet");
        int size = counters(device, "consumesCounters");
        if (size > MOST_PER_DEVICE) {
            errors.invalid(path, size, "the total number of counters must not exceed " + MOST_PER_DEVICE);
        }
        Map<String, Set<String>> shared = new java.util.HashMap<>();
        for (JsonNode set : Trees.items(spec, "sharedCounters")) {
            shared.put(
                    Trees.text(set, "name"),
                    new HashSet<>(Trees.entries(set, "counters").keySet()));
        }
        for (int i = 0; i < sets.size(); i++) {
            String at = path + ".consumesCounters[" + i + "]";
            String set = Trees.text(sets.get(i), "counterSet");
            Set<String> names = shared.get(set);
            if (names == null) {
                errors.invalid(
                        at + ".counterSet",
                        set,
                        "must reference a counterSet defined in the ResourceSlice sharedCounters");
                continue;
            }
            for (String name : Trees.entries(sets.get(i), "counters").keySet()) {
                if (!names.contains(name)) {
                    errors.invalid(
                            at + ".counters",
                            name,
                            "must reference a counter defined in the ResourceSlice sharedCounters");
                }
            }
        }
    }

    private void placesOf(String path, JsonNode device) {
        if (!Trees.flag(spec, "perDeviceNodeSelection")) {
            if (Trees.has(device, "nodeName") || Trees.has(device, "nodeSelector") || Trees.has(device, "allNodes")) {
                errors.invalidShown(
                        path,
                        "null",
                        "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to"
                                + " true in the ResourceSlice spec");
            }
            return;
        }
        List<String> set = new ArrayList<>();
        nodeName(path, device, "must not be empty", set);
        if (Trees.has(device, "nodeSelector")) {
            set.add("`nodeSelector`");
            Affinities.nodeSelector(errors, path + ".nodeSelector", device.get("nodeSelector"), true);
        }
        truth(path, device, "allNodes", set);
        String one = "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when"
                + " `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
        if (set.isEmpty()) {
            errors.required(path, one);
        } else if (set.size() > 1) {
            errors.invalid(path, "{" + String.join(", ", set) + "}", one);
        }
    }

    private void policy(String path, JsonNode most, JsonNode policy) {
        List<JsonNode> values = Trees.items(policy, "validValues");
        boolean range = Trees.has(policy, "validRange");
        JsonNode otherwise = Trees.child(policy, "default");
        if (!values.isEmpty() && range) {
            errors.forbidden(
                    path,
                    "exactly one policy can be specified, cannot specify \"validValues\" and \"validRange\" at the same"
                            + " time");
        } else if (otherwise.isMissingNode()) {
            if (!values.isEmpty() || range) {
                errors.required(
                        path + ".default", "required when " + (range ? "validRange" : "validValues") + " is defined");
            }
        } else if (range) {
            range(path + ".validRange", most, policy.get("validRange"), otherwise);
        } else if (!values.isEmpty()) {
            values(path + ".validValues", most, values, otherwise);
        }
    }

    private void values(String path, JsonNode most, List<JsonNode> values, JsonNode otherwise) {
        for (int i = 1; i < values.size(); i++) {
            if (Amounts.compare(values.get(i - 1), values.get(i)) > 0) {
                errors.invalid(
                        path + "[" + i + "]", Amounts.text(values.get(i)), "values must be sorted in ascending order");
            }
        }
        boolean found = false;
        List<String> keys = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            JsonNode value = values.get(i);
            if (Amounts.compare(value, most) > 0) {
                errors.invalid(
                        path + "[" + i + "]",
                        Amounts.text(value),
                        "option is larger than capacity value: " + Amounts.text(most));
            }
            found |= Amounts.compare(value, otherwise) == 0;
            keys.add(whole(value).toPlainString());
        }
        DeviceRules.tooMany(errors, path, values.size(), MOST_VALUES);
        DeviceRules.distinct(errors, path, keys, "");
        if (!found) {
            errors.invalid(path, Amounts.text(otherwise), "default value is not valid according to the requestPolicy");
        }
    }

    private void range(String path, JsonNode most, JsonNode range, JsonNode otherwise) {
        JsonNode low = Trees.child(range, "min");
        JsonNode high = Trees.child(range, "max");
        JsonNode step = Trees.child(range, "step");
        if (low.isMissingNode()) {
            errors.required(path + ".min", "required when validRange is defined");
            return;
        }
        ordered(path + ".min", low, most, low, "min is larger than capacity value");
        ordered(path + ".min", low, otherwise, otherwise, "default is less than min", low);
        if (!high.isMissingNode()) {
            ordered(path + ".max", low, high, low, "min is larger than max");
            ordered(path + ".max", high, most, high, "max is larger than capacity value");
            ordered(path + ".max", otherwise, high, otherwise, "default is more than max");
        }
        if (!step.isMissingNode()) {
            String first = Amounts.of(low).add(Amounts.of(step)).toString();
            ordered(
                    path + ".step",
                    Trees.textNode(first),
                    most,
                    step,
                    "one step " + first + " is larger than capacity value");
            step(path + ".step", otherwise, low, step);
            if (!high.isMissingNode()) {
                step(path + ".step", high, low, step);
            }
        }
    }

    /** The first may not be more than the second, which the message shows. */
    private void ordered(String path, JsonNode less, JsonNode more, JsonNode value, String message) {
        ordered(path, less, more, value, message, more);
    }

    private void ordered(String path, JsonNode less, JsonNode more, JsonNode value, String message, JsonNode shown) {
        if (Amounts.compare(less, more) > 0) {
            errors.invalid(path, Amounts.text(value), message + ": " + Amounts.text(shown));
        }
    }

    private void step(String path, JsonNode value, JsonNode low, JsonNode step) {
        BigDecimal size = whole(step);
        if (size.signum() != 0
                && whole(value).subtract(whole(low)).remainder(size).signum() != 0) {
            errors.invalid(
                    path,
                    Amounts.text(value),
                    "value is not a multiple of a given step (" + Amounts.text(step) + ") from (" + Amounts.text(low)
                            + ")");
        }
    }

    private static BigDecimal whole(JsonNode amount) {
        return Amounts.of(amount).value().setScale(0, RoundingMode.UP);
    }
}
