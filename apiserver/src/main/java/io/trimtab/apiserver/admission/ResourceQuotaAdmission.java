package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.quantity.Quantity;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Objects;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Charges writes to the quotas of their namespace, and refuses what would exceed one. Usage is kept in the quota's status and
 * added by compare-and-write, so that several servers charge the same account. Nothing is given back here: a controller counts
 * again.
 */
final class ResourceQuotaAdmission implements AdmissionPlugin {
    private static final int TRIES = 10;
    // Writers of one namespace wait for each other here rather than fail at the same compare-and-write again and again.
    private final ReentrantLock[] locks = new ReentrantLock[64];

    ResourceQuotaAdmission() {
        for (int i = 0; i < locks.length; i++) {
            locks[i] = new ReentrantLock();
        }
    }

    @Override
    public String name() {
        return "ResourceQuota";
    }

    @Override
    public void validate(Attributes attributes) {
        ObjectNode object = attributes.object();
        boolean isNamespace = attributes.resource().group().isEmpty()
                && attributes.resource().plural().equals("namespaces");
        if (object == null || attributes.namespace().isEmpty() || isNamespace) {
            return;
        }
        QuotaEvaluator evaluator = QuotaEvaluator.of(attributes.resource());
        if (evaluator == null || !evaluator.handles(attributes)) {
            return;
        }
        Storage storage = attributes.context().storage();
        if (Objects.list(storage, CoreResources.RESOURCE_QUOTAS, attributes.namespace())
                .isEmpty()) {
            return;
        }
        ReentrantLock lock = locks[Math.floorMod(attributes.namespace().hashCode(), locks.length)];
        lock.lock();
        try {
            charge(attributes, object, evaluator);
        } finally {
            lock.unlock();
        }
    }

    private static void charge(Attributes attributes, ObjectNode object, QuotaEvaluator evaluator) {
        Storage storage = attributes.context().storage();
        // Quotas that were charged must not be charged again when another one's write has to be tried again.
        Set<String> charged = new HashSet<>();
        String failed = "";
        for (int i = 0; i < TRIES; i++) {
            List<StoredObject> quotas =
                    new ArrayList<>(Objects.list(storage, CoreResources.RESOURCE_QUOTAS, attributes.namespace()));
            quotas.removeIf(quota -> charged.contains(quota.name()));
            failed = "";
            for (Charge charge : check(attributes, object, evaluator, quotas)) {
                boolean done = attributes.context().dryRun()
                        || storage.replace(CoreResources.RESOURCE_QUOTAS, charge.quota, charge.changed())
                                .isPresent();
                if (done) {
                    charged.add(charge.quota.name());
                } else {
                    failed = charge.quota.name();
                }
            }
            if (failed.isEmpty()) {
                return;
            }
        }
        throw Statuses.conflict(
                "",
                "resourcequotas",
                failed,
                "the object has been modified; please apply your changes to the latest version and try again");
    }

    /** What is to be written, if all quotas allow it. */
    private static List<Charge> check(
            Attributes attributes, ObjectNode object, QuotaEvaluator evaluator, List<StoredObject> quotas) {
        TreeMap<String, Quantity> usage = null;
        List<Charge> charges = new ArrayList<>();
        for (StoredObject quota : quotas) {
            JsonNode tree = quota.tree();
            TreeMap<String, Quantity> hard = Amounts.of(tree.path("status").path("hard"));
            List<String> concerned = evaluator.matching(hard.keySet());
            if (concerned.isEmpty() || !matchesScopes(tree, object, evaluator)) {
                continue;
            }
            String missing = evaluator.missing(concerned, object);
            if (!missing.isEmpty()) {
                throw Refusals.forbidden(attributes, "failed quota: " + quota.name() + ": must specify " + missing);
            }
            TreeMap<String, Quantity> used = Amounts.of(tree.path("status").path("used"));
            if (!used.keySet().containsAll(concerned)) {
                throw Refusals.forbidden(
                        attributes,
                        "status unknown for quota: " + quota.name() + ", resources: "
                                + String.join(",", new TreeSet<>(concerned)));
            }
            usage = usage == null ? usageOf(attributes, object, evaluator) : usage;
            TreeMap<String, Quantity> delta = delta(attributes, tree, evaluator, usage);
            delta.values().removeIf(Quantity::isZero);
            if (!delta.isEmpty()) {
                TreeMap<String, Quantity> requested = Amounts.mask(delta, hard.keySet());
                charges.add(charge(attributes, quota, requested, used, hard));
            }
        }
        charges.removeIf(charge -> charge.requested.isEmpty());
        return charges;
    }

    private static TreeMap<String, Quantity> usageOf(
            Attributes attributes, ObjectNode object, QuotaEvaluator evaluator) {
        TreeMap<String, Quantity> usage =
                evaluator.usage(object, attributes.context().driver());
        TreeSet<String> negative = new TreeSet<>();
        usage.forEach((name, amount) -> {
            if (amount.signum() < 0) {
                negative.add(name);
            }
        });
        if (!negative.isEmpty()) {
            throw Refusals.forbidden(
                    attributes, "quota usage is negative for resource(s): " + String.join(",", negative));
        }
        return usage;
    }

    /** What the write uses more than before; what becomes less is given back by the controller. */
    private static TreeMap<String, Quantity> delta(
            Attributes attributes, JsonNode quota, QuotaEvaluator evaluator, TreeMap<String, Quantity> usage) {
        TreeMap<String, Quantity> delta = new TreeMap<>(usage);
        ObjectNode old = attributes.old();
        if (attributes.operation() == Operation.UPDATE && old != null && matchesScopes(quota, old, evaluator)) {
            evaluator
                    .usage(old, attributes.context().driver())
                    .forEach((name, amount) -> delta.computeIfPresent(
                            name, (n, now) -> now.compareTo(amount) > 0 ? now.subtract(amount) : Quantity.ZERO));
        }
        return delta;
    }

    private static Charge charge(
            Attributes attributes,
            StoredObject quota,
            TreeMap<String, Quantity> requested,
            TreeMap<String, Quantity> used,
            TreeMap<String, Quantity> hard) {
        TreeMap<String, Quantity> after = new TreeMap<>(used);
        Amounts.add(after, requested);
        Set<String> exceeded = new TreeSet<>();
        for (String name : requested.keySet()) {
            if (java.util.Objects.requireNonNull(after.get(name))
                            .compareTo(java.util.Objects.requireNonNull(hard.get(name)))
                    > 0) {
                exceeded.add(name);
            }
        }
        if (!exceeded.isEmpty() && !attributes.subresource().equals("status")) {
            throw Refusals.forbidden(
                    attributes,
                    "exceeded quota: " + quota.name() + ", requested: "
                            + Amounts.show(Amounts.mask(requested, exceeded)) + ", used: "
                            + Amounts.show(Amounts.mask(used, exceeded)) + ", limited: "
                            + Amounts.show(Amounts.mask(hard, exceeded)));
        }
        return new Charge(quota, requested, after);
    }

    private static boolean matchesScopes(JsonNode quota, ObjectNode object, QuotaEvaluator evaluator) {
        for (JsonNode scope : quota.path("spec").path("scopes")) {
            if (!evaluator.matchesScope(scope.asText(), "Exists", List.of(), object)) {
                return false;
            }
        }
        for (JsonNode one : quota.path("spec").path("scopeSelector").path("matchExpressions")) {
            List<String> values = new ArrayList<>();
            one.path("values").forEach(value -> values.add(value.asText()));
            if (!evaluator.matchesScope(
                    PodTrees.text(one, "scopeName"), PodTrees.text(one, "operator"), values, object)) {
                return false;
            }
        }
        return true;
    }

    /** A quota's status as it is to be written. */
    private record Charge(StoredObject quota, TreeMap<String, Quantity> requested, TreeMap<String, Quantity> used) {
        ObjectNode changed() {
            ObjectNode tree = quota.copy();
            ObjectNode amounts = PodTrees.object(PodTrees.object(tree, "status"), "used");
            used.forEach((name, amount) -> amounts.put(name, amount.toString()));
            return tree;
        }
    }
}
