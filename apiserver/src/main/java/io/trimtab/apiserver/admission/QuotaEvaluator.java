package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.quantity.Quantity;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.runtime.Driver;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Knows what objects of a resource use of a quota. Stateless. */
interface QuotaEvaluator {

    /** Whether this write uses anything. */
    boolean handles(AdmissionPlugin.Attributes attributes);

    /** Which of a quota's resources objects of this sort can use. */
    List<String> matching(Collection<String> names);

    /** What the object uses, by name. */
    TreeMap<String, Quantity> usage(ObjectNode object, Driver driver);

    /** What must be said in the object for the quota to be counted: the rest of the sentence; empty if nothing. */
    default String missing(Collection<String> names, ObjectNode object) {
        return "";
    }

    /** Whether the object is in a quota's scope. Objects of most sorts are in none. */
    default boolean matchesScope(String scope, String operator, List<String> values, ObjectNode object) {
        return false;
    }

    /** The one for a resource; null if its objects are never counted. */
    static @Nullable QuotaEvaluator of(ApiResource resource) {
        String name = resource.qualifiedName();
        if (IGNORED.contains(name) || resource.group().equals("authorization.k8s.io")) {
            return null;
        }
        return switch (name) {
            case "pods" -> QuotaOfPods.INSTANCE;
            case "services" -> QuotaOfServices.INSTANCE;
            case "persistentvolumeclaims" -> QuotaOfClaims.INSTANCE;
            case "resourceclaims.resource.k8s.io" -> QuotaOfResourceClaims.INSTANCE;
            default -> new QuotaOfObjects(resource);
        };
    }

    /** What makes no objects, or none that would be counted. */
    Set<String> IGNORED = Set.of("bindings", "events", "events.events.k8s.io", "tokenreviews.authentication.k8s.io");
}
