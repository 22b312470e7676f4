package io.trimtab.apiserver.kinds.apps;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.DisabledFields;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.IntOrPercent;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.kinds.core.ClaimRules;
import io.trimtab.apiserver.kinds.core.PodDefaults;
import io.trimtab.apiserver.kinds.core.PodSpecRules;
import io.trimtab.apiserver.kinds.core.PodWarnings;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** StatefulSets. Stateless. */
public final class StatefulSetKind implements Kind {
    private static final List<String> MUTABLE = List.of(
            "replicas",
            "template",
            "updateStrategy",
            "minReadySeconds",
            "ordinals",
            "revisionHistoryLimit",
            "persistentVolumeClaimRetentionPolicy");

    private final DisabledFields disabled;

    /** Stateless but for what it is told of the cluster. */
    public StatefulSetKind(DisabledFields disabled) {
        this.disabled = disabled;
    }

    @Override
    public void dropDisabled(ObjectNode object) {
        disabled.ofPodSpec(Trees.object(Trees.object(Trees.object(object, "spec"), "template"), "spec"));
        ObjectNode strategy = Trees.object(Trees.object(object, "spec"), "updateStrategy");
        disabled.drop("MaxUnavailableStatefulSet", Trees.object(strategy, "rollingUpdate"), "maxUnavailable");
    }

    @Override
    public void defaults(ObjectNode set) {
        ObjectNode spec = Trees.make(set, "spec");
        Trees.fill(spec, "replicas", 1);
        PodDefaults.template(Trees.make(spec, "template"));
        for (ObjectNode claim : Trees.objects(spec, "volumeClaimTemplates")) {
            Trees.fill(claim, "kind", "PersistentVolumeClaim");
            Trees.fill(claim, "apiVersion", "v1");
            Trees.make(claim, "metadata");
            ObjectNode claimSpec = Trees.make(claim, "spec");
            Trees.make(claimSpec, "resources");
            Trees.fill(claimSpec, "volumeMode", "Filesystem");
            Trees.fill(Trees.make(claim, "status"), "phase", "Pending");
        }
        Trees.fill(spec, "podManagementPolicy", "OrderedReady");
        ObjectNode strategy = Trees.make(spec, "updateStrategy");
        if (Trees.text(strategy, "type").isEmpty()) {
            strategy.put("type", "RollingUpdate");
            Trees.make(strategy, "rollingUpdate");
        }
        ObjectNode rolling = Trees.object(strategy, "rollingUpdate");
        if (rolling != null && Trees.text(strategy, "type").equals("RollingUpdate")) {
            Trees.fill(rolling, "partition", 0);
        }
        ObjectNode retention = Trees.make(spec, "persistentVolumeClaimRetentionPolicy");
        Trees.fill(retention, "whenDeleted", "Retain");
        Trees.fill(retention, "whenScaled", "Retain");
        Trees.fill(spec, "revisionHistoryLimit", 10);
        counters(Trees.make(set, "status"));
    }

    private static void counters(ObjectNode status) {
        Trees.fill(status, "replicas", 0);
        Trees.fill(status, "availableReplicas", 0);
    }

    @Override
    public void prepareCreate(ObjectNode set, WriteContext context) {
        counters(set.putObject("status"));
    }

    @Override
    public void validateCreate(ObjectNode set, FieldErrors errors, WriteContext context) {
        validate(set, errors, true);
    }

    private static void validate(ObjectNode set, FieldErrors errors, boolean create) {
        JsonNode spec = Trees.child(set, "spec");
        strategies(errors, spec);
        if (create) {
            int i = 0;
            for (JsonNode claim : Trees.items(spec, "volumeClaimTemplates")) {
                ClaimRules.spec(errors, "spec.volumeClaimTemplates[" + i++ + "].spec", Trees.child(claim, "spec"));
            }
        }
        FieldRules.notNegative(errors, "spec", spec, "replicas");
        FieldRules.notNegative(errors, "spec", spec, "minReadySeconds");
        if (Trees.has(spec, "ordinals")) {
            FieldRules.notNegative(errors, "spec.ordinals", spec.get("ordinals"), "start");
        }
        String service = Trees.text(spec, "serviceName");
        if (create && !service.isEmpty()) {
            FieldRules.invalid(errors, "spec.serviceName", service, Names.label(service));
        }
        Workloads.selector(errors, spec, "statefulset");
        JsonNode selector = Trees.child(spec, "selector");
        if (!Workloads.isConvertible(selector)) {
            errors.invalid("spec.selector", Trees.shown(spec, "selector"), "");
        } else {
            // An absent selector matches nothing, an empty one is left to the error above.
            if (!selector.isObject() || !LabelSelectorRules.isEmpty(selector)) {
                Workloads.mismatch(errors, spec);
            }
            PodSpecRules.template(errors, "spec.template", withClaims(spec));
            JsonNode metadata = Trees.at(spec, "template", "metadata");
            FieldRules.labels(errors, "spec.template.labels", Trees.map(metadata, "labels"));
            Map<String, String> annotations = Trees.map(metadata, "annotations");
            FieldRules.annotations(errors, "spec.template.annotations", annotations);
            PodSpecRules.annotations(
                    errors, "spec.template.annotations", annotations, Trees.at(spec, "template", "spec"));
        }
        JsonNode template = Trees.at(spec, "template", "spec");
        if (!Trees.text(template, "restartPolicy").equals("Always")) {
            errors.notSupportedInOrder(
                    "spec.template.spec.restartPolicy",
                    Trees.textNode(Trees.text(template, "restartPolicy")),
                    List.of("Always"));
        }
        if (Trees.has(template, "activeDeadlineSeconds")) {
            errors.forbidden(
                    "spec.template.spec.activeDeadlineSeconds",
                    "activeDeadlineSeconds in StatefulSet is not Supported");
        }
    }

    /** The template as its pods will see it: with the claims' volumes, and with host names that each pod gets anew. */
    private static JsonNode withClaims(JsonNode spec) {
        JsonNode template = Trees.child(spec, "template");
        if (template.isMissingNode()) {
            return template;
        }
        ObjectNode copy = template.deepCopy();
        ObjectNode podSpec = Trees.make(copy, "spec");
        podSpec.remove("hostname");
        podSpec.remove("subdomain");
        List<JsonNode> claims = Trees.items(spec, "volumeClaimTemplates");
        if (!claims.isEmpty()) {
            Set<String> names = new HashSet<>();
            ArrayNode volumes = copy.arrayNode();
            for (JsonNode claim : claims) {
                String name = Trees.text(claim.get("metadata"), "name");
                if (names.add(name)) {
                    volumes.addObject()
                            .put("name", name)
                            .putObject("persistentVolumeClaim")
                            .put("claimName", name);
                }
            }
            for (JsonNode volume : Trees.items(podSpec, "volumes")) {
                if (!names.contains(Trees.text(volume, "name"))) {
                    volumes.add(volume);
                }
            }
            podSpec.set("volumes", volumes);
        }
        return copy;
    }

    private static void strategies(FieldErrors errors, JsonNode spec) {
        String management = Trees.text(spec, "podManagementPolicy");
        if (management.isEmpty()) {
            errors.required("spec.podManagementPolicy", "");
        } else if (!management.equals("OrderedReady") && !management.equals("Parallel")) {
            errors.invalid("spec.podManagementPolicy", management, "must be 'OrderedReady' or 'Parallel'");
        }
        JsonNode strategy = Trees.child(spec, "updateStrategy");
        String path = "spec.updateStrategy";
        switch (Trees.text(strategy, "type")) {
            case "" -> errors.required(path, "");
            case "OnDelete" -> {
                if (Trees.has(strategy, "rollingUpdate")) {
                    errors.invalidShown(
                            path + ".rollingUpdate",
                            InternalForm.of(strategy.get("rollingUpdate"), "apps/v1.RollingUpdateStatefulSetStrategy"),
                            "only allowed for updateStrategy 'RollingUpdate'");
                }
            }
            case "RollingUpdate" -> {
                if (Trees.has(strategy, "rollingUpdate")) {
                    rollingUpdate(errors, path + ".rollingUpdate", strategy.get("rollingUpdate"));
                }
            }
            default ->
                errors.invalidShown(
                        path,
                        InternalForm.of(strategy, "apps/v1.StatefulSetUpdateStrategy"),
                        "must be 'RollingUpdate' or 'OnDelete'");
        }
        JsonNode retention = Trees.child(spec, "persistentVolumeClaimRetentionPolicy");
        for (String when : List.of("whenDeleted", "whenScaled")) {
            FieldRules.choice(
                    errors, "spec.persistentVolumeClaimRetentionPolicy", retention, when, List.of("Retain", "Delete"));
        }
    }

    private static void rollingUpdate(FieldErrors errors, String path, JsonNode rolling) {
        FieldRules.notNegative(errors, path, rolling, "partition");
        JsonNode unavailable = Trees.child(rolling, "maxUnavailable");
        if (!unavailable.isMissingNode()) {
            IntOrPercent.validate(errors, path + ".maxUnavailable", unavailable);
            if (IntOrPercent.amount(unavailable) == 0) {
                errors.invalid(path + ".maxUnavailable", unavailable, "cannot be 0");
            }
            IntOrPercent.notOver100Percent(errors, path + ".maxUnavailable", unavailable);
        }
    }

    @Override
    public void validateUpdate(ObjectNode set, ObjectNode old, FieldErrors errors, WriteContext context) {
        validate(set, errors, false);
        ObjectNode spec = Trees.child(set, "spec").deepCopy();
        JsonNode before = Trees.child(old, "spec");
        MUTABLE.forEach(field -> Trees.carry(spec, before, field));
        if (!Trees.same(spec, before)) {
            errors.forbidden(
                    "spec",
                    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template',"
                            + " 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and"
                            + " 'minReadySeconds' are forbidden");
        }
    }

    @Override
    public void validateStatusUpdate(ObjectNode set, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode status = Trees.child(set, "status");
        Workloads.counters(
                errors,
                status,
                List.of(
                        "replicas",
                        "readyReplicas",
                        "currentReplicas",
                        "updatedReplicas",
                        "availableReplicas",
                        "observedGeneration",
                        "collisionCount"));
        Workloads.partsOfReplicas(
                errors,
                status,
                List.of("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"),
                "status.readyReplicas");
        Workloads.collisionsGrow(errors, status, Trees.child(old, "status"));
    }

    @Override
    public NameRule nameRule() {
        return NameRule.LABEL;
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode set, ObjectNode old) {
        return !Trees.same(set, old, "spec");
    }

    @Override
    public Scale scale() {
        return new Scale(
                "/spec/replicas",
                "/status/replicas",
                set -> LabelSelectorRules.text(Trees.at(set, "spec", "selector")));
    }

    @Override
    public void warn(ObjectNode object, List<String> warnings) {
        PodWarnings.template(Trees.at(object, "spec", "template"), "spec.template", warnings);
        int i = 0;
        for (JsonNode claim : Trees.items(Trees.child(object, "spec"), "volumeClaimTemplates")) {
            PodWarnings.fractionalBytes(
                    Trees.at(claim, "spec", "resources"), "spec.volumeClaimTemplates[" + i++ + "].resources", warnings);
        }
    }
}
