package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.quantity.Quantity;
import io.trimtab.runtime.Driver;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Counts claims and the storage they ask for, altogether and by class. */
enum QuotaOfClaims implements QuotaEvaluator {
    INSTANCE;

    private static final String BY_CLASS = ".storageclass.storage.k8s.io/";
    private static final Set<String> NAMES =
            Set.of("count/persistentvolumeclaims", "persistentvolumeclaims", "requests.storage");

    @Override
    public boolean handles(AdmissionPlugin.Attributes attributes) {
        if (attributes.subresource().equals("status")) {
            return attributes.object() != null
                    && attributes.old() != null
                    && (!allocated(attributes.object()).equals(allocated(attributes.old()))
                            || !attributeClasses(attributes.object()).equals(attributeClasses(attributes.old())));
        }
        return attributes.subresource().isEmpty()
                && (attributes.operation() == AdmissionPlugin.Operation.CREATE
                        || attributes.operation() == AdmissionPlugin.Operation.UPDATE);
    }

    @Override
    public List<String> matching(Collection<String> names) {
        return names.stream()
                .filter(name -> NAMES.contains(name)
                        || name.endsWith(BY_CLASS + "persistentvolumeclaims")
                        || name.endsWith(BY_CLASS + "requests.storage"))
                .toList();
    }

    @Override
    public TreeMap<String, Quantity> usage(ObjectNode claim, Driver driver) {
        TreeMap<String, Quantity> usage = new TreeMap<>();
        String name = DefaultStorageClass.classOf(claim);
        usage.put("persistentvolumeclaims", Quantity.of(1));
        usage.put("count/persistentvolumeclaims", Quantity.of(1));
        if (!name.isEmpty()) {
            usage.put(name + BY_CLASS + "persistentvolumeclaims", Quantity.of(1));
        }
        JsonNode asked = claim.path("spec").path("resources").path("requests").get("storage");
        if (asked != null) {
            Quantity size = wholeBytes(Quantity.parse(asked.asText()));
            JsonNode given = allocated(claim);
            if (!given.isMissingNode()) {
                Quantity other = wholeBytes(Quantity.parse(given.asText()));
                size = other.compareTo(size) > 0 ? other : size;
            }
            usage.put("requests.storage", size);
            if (!name.isEmpty()) {
                usage.put(name + BY_CLASS + "requests.storage", size);
            }
        }
        return usage;
    }

    @Override
    public boolean matchesScope(String scope, String operator, List<String> values, ObjectNode claim) {
        if (!scope.equals("VolumeAttributesClass")) {
            return false;
        }
        Set<String> names = attributeClasses(claim);
        return switch (operator) {
            case "Exists" -> !names.isEmpty();
            case "DoesNotExist" -> names.isEmpty();
            case "In" -> names.stream().anyMatch(values::contains);
            case "NotIn" -> names.stream().noneMatch(values::contains);
            default -> false;
        };
    }

    private static Set<String> attributeClasses(ObjectNode claim) {
        Set<String> names = new TreeSet<>();
        names.add(PodTrees.text(claim.path("spec"), "volumeAttributesClassName"));
        names.add(PodTrees.text(claim.path("status"), "currentVolumeAttributesClassName"));
        names.add(PodTrees.text(claim.path("status").path("modifyVolumeStatus"), "targetVolumeAttributesClassName"));
        names.remove("");
        return names;
    }

    private static JsonNode allocated(ObjectNode claim) {
        return claim.path("status").path("allocatedResources").path("storage");
    }

    private static Quantity wholeBytes(Quantity size) {
        BigDecimal rounded = size.value().setScale(0, RoundingMode.CEILING);
        return rounded.compareTo(size.value()) == 0 ? size : Quantity.of(rounded, size.format());
    }
}
