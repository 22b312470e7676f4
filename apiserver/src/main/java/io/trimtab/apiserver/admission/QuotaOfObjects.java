package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.quantity.Quantity;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.runtime.Driver;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/**
 * Counts objects: {@code count/deployments.apps}, and for some of old also by the plain name.
 *
 * @param resource whose objects are counted
 */
record QuotaOfObjects(ApiResource resource) implements QuotaEvaluator {
    private static final Set<String> PLAIN =
            Set.of("configmaps", "resourcequotas", "replicationcontrollers", "secrets");

    @Override
    public boolean handles(AdmissionPlugin.Attributes attributes) {
        return attributes.subresource().isEmpty() && attributes.operation() == AdmissionPlugin.Operation.CREATE;
    }

    @Override
    public List<String> matching(Collection<String> names) {
        return names.stream().filter(usage().keySet()::contains).toList();
    }

    @Override
    public TreeMap<String, Quantity> usage(ObjectNode object, Driver driver) {
        return usage();
    }

    private TreeMap<String, Quantity> usage() {
        TreeMap<String, Quantity> usage = new TreeMap<>();
        usage.put("count/" + resource.qualifiedName(), Quantity.of(1));
        if (PLAIN.contains(resource.qualifiedName())) {
            usage.put(resource.plural(), Quantity.of(1));
        }
        return usage;
    }
}
