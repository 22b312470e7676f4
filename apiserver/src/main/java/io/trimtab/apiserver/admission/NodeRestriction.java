package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.certificates.Pem;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.StoredObject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Keeps a node to what is its own: its Node, its pods, its lease, tokens of accounts that its pods run as. Users of the group
 * {@code system:nodes} are nodes; others pass.
 */
final class NodeRestriction implements AdmissionPlugin {
    private static final String NODE_PREFIX = "system:node:";
    private static final Set<String> KUBELET_LABELS = Set.of(
            "kubernetes.io/hostname",
            "topology.kubernetes.io/zone",
            "topology.kubernetes.io/region",
            "failure-domain.beta.kubernetes.io/zone",
            "failure-domain.beta.kubernetes.io/region",
            "beta.kubernetes.io/instance-type",
            "node.kubernetes.io/instance-type",
            "kubernetes.io/os",
            "kubernetes.io/arch",
            "beta.kubernetes.io/os",
            "beta.kubernetes.io/arch");
    private static final Set<String> HARMLESS_VOLUMES = Set.of(
            "awsElasticBlockStore",
            "azureDisk",
            "cephfs",
            "cinder",
            "downwardAPI",
            "emptyDir",
            "fc",
            "flexVolume",
            "flocker",
            "gcePersistentDisk",
            "gitRepo",
            "hostPath",
            "image",
            "iscsi",
            "nfs",
            "photonPersistentDisk",
            "portworxVolume",
            "quobyte",
            "rbd",
            "scaleIO",
            "storageos",
            "vsphereVolume");

    private final Authorizer authorizer;

    NodeRestriction(Authorizer authorizer) {
        this.authorizer = authorizer;
    }

    @Override
    public String name() {
        return "NodeRestriction";
    }

    @Override
    public void admit(Attributes attributes) {
        UserInfo user = attributes.user();
        if (user == null
                || attributes.operation() == Operation.CONNECT
                || !user.name().startsWith(NODE_PREFIX)
                || !user.groups().contains("system:nodes")) {
            return;
        }
        String node = user.name().substring(NODE_PREFIX.length());
        if (node.isEmpty()) {
            throw Refusals.forbidden(
                    attributes, "could not determine node from user " + FieldErrors.quote(user.name()));
        }
        switch (attributes.resource().qualifiedName()) {
            case "pods" -> pods(attributes, node);
            case "nodes" -> nodes(attributes, node);
            case "persistentvolumeclaims" -> claims(attributes, node);
            case "serviceaccounts" -> tokens(attributes, user, node);
            case "leases.coordination.k8s.io" -> leases(attributes, node);
            case "csinodes.storage.k8s.io" ->
                own(attributes, node, "can only access CSINode with the same name as the requesting node");
            case "resourceslices.resource.k8s.io" -> slices(attributes, node);
            case "certificatesigningrequests.certificates.k8s.io" -> certificates(attributes, node);
            default -> {}
        }
    }

    // ---- Pods ----------------------------------------------------------------------------------------------------

    private static void pods(Attributes attributes, String node) {
        String quoted = FieldErrors.quote(node);
        switch (attributes.subresource()) {
            case "" -> {
                switch (attributes.operation()) {
                    case CREATE -> createPod(attributes, node);
                    case DELETE ->
                        require(
                                attributes,
                                isOn(pod(attributes, attributes.name()), node),
                                "node " + quoted + " can only delete pods with spec.nodeName set to itself");
                    default ->
                        throw Refusals.forbidden(
                                attributes,
                                "unexpected operation "
                                        + FieldErrors.quote(
                                                attributes.operation().name()) + ", node " + quoted
                                        + " can only create and delete mirror pods");
                }
            }
            case "status" -> podStatus(attributes, node);
            case "eviction" -> evict(attributes, node);
            default ->
                throw Refusals.forbidden(
                        attributes,
                        "unexpected pod subresource " + FieldErrors.quote(attributes.subresource())
                                + ", only 'status' and 'eviction' are allowed");
        }
    }

    private static void createPod(Attributes attributes, String node) {
        ObjectNode pod = object(attributes);
        String start = "node " + FieldErrors.quote(node) + " ";
        require(
                attributes,
                PodTrees.isMirror(pod),
                "pod does not have " + FieldErrors.quote(PodTrees.MIRROR_ANNOTATION) + " annotation, " + start
                        + "can only create mirror pods");
        require(attributes, isOn(pod, node), start + "can only create pods with spec.nodeName set to itself");
        JsonNode owners = pod.path("metadata").path("ownerReferences");
        require(
                attributes,
                owners.size() <= 1,
                start + "can only create pods with a single owner reference set to itself");
        JsonNode owner = owners.path(0);
        require(
                attributes,
                PodTrees.text(owner, "apiVersion").equals("v1")
                        && PodTrees.text(owner, "kind").equals("Node")
                        && PodTrees.text(owner, "name").equals(node),
                start + "can only create pods with an owner reference set to itself");
        require(
                attributes,
                owner.path("controller").asBoolean(false),
                start + "can only create pods with a controller owner reference set to itself");
        require(
                attributes,
                !owner.path("blockOwnerDeletion").asBoolean(false),
                start + "must not set blockOwnerDeletion on an owner reference");
        StoredObject self = attributes
                .context()
                .storage()
                .get(CoreResources.NODES, null, node)
                .orElseThrow(() -> Statuses.notFound("", "nodes", node));
        require(
                attributes,
                PodTrees.text(owner, "uid").equals(self.uid()),
                "node " + node + " UID mismatch: expected " + PodTrees.text(owner, "uid") + " got " + self.uid());
        String reference = reference(pod);
        require(attributes, reference.isEmpty(), start + "can not create pods that reference " + reference);
    }

    /** What of the API the pod would give its node access to; empty if nothing. */
    private static String reference(ObjectNode pod) {
        JsonNode spec = pod.path("spec");
        if (!PodTrees.text(spec, "serviceAccountName").isEmpty()) {
            return "serviceaccounts";
        }
        List<String> found = new ArrayList<>();
        PodTrees.secrets(pod, name -> found.add("secrets"));
        PodTrees.configMaps(pod, name -> found.add("configmaps"));
        if (!found.isEmpty()) {
            return found.get(0);
        }
        if (!spec.path("resourceClaims").isEmpty()) {
            return "resourceclaims";
        }
        for (JsonNode volume : spec.path("volumes")) {
            for (var fields = volume.fieldNames(); fields.hasNext(); ) {
                String reference = reference(fields.next(), volume);
                if (!reference.isEmpty()) {
                    return reference;
                }
            }
        }
        return "";
    }

    private static String reference(String kind, JsonNode volume) {
        return switch (kind) {
            case "name" -> "";
            case "configMap" -> "configmaps (via configmap volumes)";
            case "secret" -> "secrets (via secret volumes)";
            case "csi" -> "csidrivers (via CSI volumes)";
            case "glusterfs" -> "endpoints (via glusterFS volumes)";
            case "persistentVolumeClaim" -> "persistentvolumeclaims";
            case "ephemeral" -> "persistentvolumeclaims (via ephemeral volumes)";
            case "azureFile" -> "secrets (via azureFile volumes)";
            case "projected" -> {
                for (JsonNode source : volume.path("projected").path("sources")) {
                    if (source.has("configMap")) {
                        yield "configmaps (via projected volumes)";
                    } else if (source.has("secret")) {
                        yield "secrets (via projected volumes)";
                    } else if (source.has("serviceAccountToken")) {
                        yield "serviceaccounts (via projected volumes)";
                    } else if (source.has("clusterTrustBundle")) {
                        yield "clustertrustbundles";
                    } else if (source.has("podCertificate")) {
                        yield "podcertificates";
                    }
                }
                yield "";
            }
            default -> HARMLESS_VOLUMES.contains(kind) ? "" : "volumes of an unknown type";
        };
    }

    private static void podStatus(Attributes attributes, String node) {
        ObjectNode old = attributes.old();
        String quoted = FieldErrors.quote(node);
        if (attributes.operation() != Operation.UPDATE || old == null) {
            throw unexpected(attributes);
        }
        ObjectNode pod = object(attributes);
        require(
                attributes,
                isOn(old, node),
                "node " + quoted + " can only update pod status for pods with spec.nodeName set to itself");
        require(
                attributes,
                labels(old).equals(labels(pod)),
                "node " + quoted + " cannot update labels through pod status");
        require(
                attributes,
                sameStatus(old, pod, "resourceClaimStatuses"),
                "node " + quoted + " cannot update resource claim statues");
        require(
                attributes,
                sameStatus(old, pod, "extendedResourceClaimStatus"),
                "node " + quoted + " cannot update extended resource claim status");
    }

    private static boolean sameStatus(ObjectNode old, ObjectNode pod, String field) {
        JsonNode before = old.path("status").path(field);
        JsonNode after = pod.path("status").path(field);
        return before.isEmpty() && after.isEmpty() || before.equals(after);
    }

    private static void evict(Attributes attributes, String node) {
        if (attributes.operation() != Operation.CREATE) {
            throw unexpected(attributes);
        }
        String name = attributes.name();
        if (name.isEmpty()) {
            name = PodTrees.text(object(attributes).path("metadata"), "name");
        }
        require(attributes, !name.isEmpty(), "could not determine pod from request data");
        require(
                attributes,
                isOn(pod(attributes, name), node),
                "node " + node + " can only evict pods with spec.nodeName set to itself");
    }

    // ---- Nodes ---------------------------------------------------------------------------------------------------

    private static void nodes(Attributes attributes, String node) {
        String start = "node " + FieldErrors.quote(node) + " is not allowed to ";
        String name = attributes.name();
        ObjectNode changed = attributes.object();
        if (name.isEmpty() && changed != null) {
            name = PodTrees.text(changed.path("metadata"), "name");
        }
        require(attributes, name.equals(node), start + "modify node " + FieldErrors.quote(name));
        if (changed == null) {
            return;
        }
        ObjectNode old = attributes.old();
        JsonNode source = changed.path("spec").path("configSource");
        if (attributes.operation() == Operation.CREATE) {
            require(attributes, !source.isObject(), start + "create pods with a non-nil configSource");
            Set<String> forbidden = forbiddenLabels(labels(changed), Map.of());
            require(
                    attributes,
                    forbidden.isEmpty(),
                    start + "set the following labels: " + String.join(", ", forbidden));
        } else if (attributes.operation() == Operation.UPDATE && old != null) {
            require(
                    attributes,
                    !source.isObject() || source.equals(old.path("spec").path("configSource")),
                    start + "update configSource to a new non-nil configSource");
            require(
                    attributes,
                    same(changed.path("spec").path("taints"), old.path("spec").path("taints")),
                    start + "modify taints");
            require(
                    attributes,
                    same(
                            changed.path("metadata").path("ownerReferences"),
                            old.path("metadata").path("ownerReferences")),
                    start + "modify ownerReferences");
            Set<String> forbidden = forbiddenLabels(labels(changed), labels(old));
            require(
                    attributes,
                    forbidden.isEmpty(),
                    "is not allowed to modify labels: " + String.join(", ", forbidden));
        }
    }

    private static boolean same(JsonNode one, JsonNode other) {
        return one.isEmpty() && other.isEmpty() || one.equals(other);
    }

    private static Set<String> forbiddenLabels(Map<String, String> now, Map<String, String> before) {
        Set<String> keys = new TreeSet<>(now.keySet());
        keys.addAll(before.keySet());
        keys.removeIf(key -> {
            boolean unchanged = now.containsKey(key) && now.get(key).equals(before.get(key));
            return unchanged || !isForbidden(key);
        });
        return keys;
    }

    private static boolean isForbidden(String label) {
        int slash = label.indexOf('/');
        String domain = slash < 0 ? "" : label.substring(0, slash);
        if (isIn(domain, "node-restriction.kubernetes.io")) {
            return true;
        }
        boolean ours = isIn(domain, "kubernetes.io") || isIn(domain, "k8s.io");
        boolean kubelets = KUBELET_LABELS.contains(label)
                || isIn(domain, "kubelet.kubernetes.io")
                || isIn(domain, "node.kubernetes.io");
        return ours && !kubelets;
    }

    private static boolean isIn(String domain, String parent) {
        return domain.equals(parent) || domain.endsWith("." + parent);
    }

    // ---- The rest ------------------------------------------------------------------------------------------------

    private static void claims(Attributes attributes, String node) {
        require(attributes, attributes.subresource().equals("status"), "may only update PVC status");
        ObjectNode old = attributes.old();
        if (attributes.operation() != Operation.UPDATE || old == null) {
            throw unexpected(attributes);
        }
        require(
                attributes,
                comparable(old).equals(comparable(object(attributes))),
                "node " + FieldErrors.quote(node)
                        + " is not allowed to update fields other than status.quantity and status.conditions");
    }

    private static ObjectNode comparable(ObjectNode claim) {
        ObjectNode copy = claim.deepCopy();
        PodTrees.object(copy, "metadata").remove(List.of("resourceVersion", "managedFields"));
        PodTrees.object(copy, "status")
                .remove(List.of("capacity", "conditions", "allocatedResourceStatuses", "allocatedResources"));
        return copy;
    }

    private void tokens(Attributes attributes, UserInfo user, String node) {
        if (attributes.operation() != Operation.CREATE
                || !attributes.subresource().equals("token")) {
            return;
        }
        JsonNode spec = object(attributes).path("spec");
        JsonNode bound = spec.path("boundObjectRef");
        String name = PodTrees.text(bound, "name");
        String uid = PodTrees.text(bound, "uid");
        require(
                attributes,
                PodTrees.text(bound, "apiVersion").equals("v1")
                        && PodTrees.text(bound, "kind").equals("Pod")
                        && !name.isEmpty(),
                "node requested token not bound to a pod");
        require(attributes, !uid.isEmpty(), "node requested token with a pod binding without a uid");
        StoredObject pod = attributes
                .context()
                .storage()
                .get(CoreResources.PODS, attributes.namespace(), name)
                .orElseThrow(() -> Statuses.notFound("", "pods", name));
        require(
                attributes,
                uid.equals(pod.uid()),
                "the UID in the bound object reference (" + uid
                        + ") does not match the UID in record. The object might have been deleted and then recreated");
        require(
                attributes,
                isOn(pod.tree(), node),
                "node requested token bound to a pod scheduled on a different node");
        audience(attributes, user, spec.path("audiences"), pod.tree());
    }

    private void audience(Attributes attributes, UserInfo user, JsonNode audiences, JsonNode pod) {
        require(attributes, audiences.size() <= 1, "node may only request 0 or 1 audiences");
        String audience = audiences.path(0).asText("");
        for (JsonNode volume : pod.path("spec").path("volumes")) {
            for (JsonNode source : volume.path("projected").path("sources")) {
                JsonNode token = source.path("serviceAccountToken");
                if (token.isObject() && PodTrees.text(token, "audience").equals(audience)) {
                    return;
                }
            }
        }
        boolean allowed = authorizer
                        .authorize(
                                user,
                                Authorizer.Attributes.resource(
                                        "request-serviceaccounts-token-audience",
                                        "",
                                        "v1",
                                        audience,
                                        "",
                                        attributes.namespace(),
                                        attributes.name()))
                        .verdict()
                == Authorizer.Verdict.ALLOW;
        require(
                attributes,
                allowed,
                "audience " + FieldErrors.quote(audience) + " not found in pod spec volume, " + user.name()
                        + " is not authorized to request tokens for this audience");
    }

    private static void leases(Attributes attributes, String node) {
        require(
                attributes,
                attributes.namespace().equals("kube-node-lease"),
                "can only access leases in the \"kube-node-lease\" system namespace");
        own(attributes, node, "can only access node lease with the same name as the requesting node");
    }

    private static void own(Attributes attributes, String node, String why) {
        String name = attributes.operation() == Operation.CREATE
                ? PodTrees.text(object(attributes).path("metadata"), "name")
                : attributes.name();
        require(attributes, name.equals(node), why);
    }

    private static void slices(Attributes attributes, String node) {
        boolean creates = attributes.operation() == Operation.CREATE;
        ObjectNode slice = creates ? attributes.object() : attributes.old();
        if (slice == null || !creates && attributes.operation() != Operation.DELETE) {
            return;
        }
        require(
                attributes,
                PodTrees.text(slice.path("spec"), "nodeName").equals(node),
                "can only " + (creates ? "create" : "delete")
                        + " ResourceSlice with the same NodeName as the requesting node");
    }

    private static void certificates(Attributes attributes, String node) {
        if (attributes.operation() != Operation.CREATE
                || !attributes.subresource().isEmpty()) {
            return;
        }
        JsonNode spec = object(attributes).path("spec");
        String signer = PodTrees.text(spec, "signerName");
        if (!signer.equals("kubernetes.io/kubelet-serving")
                && !signer.equals("kubernetes.io/kube-apiserver-client-kubelet")) {
            return;
        }
        String commonName;
        try {
            commonName = Pem.requestCommonName(
                    new String(Base64.getDecoder().decode(PodTrees.text(spec, "request")), StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
            throw Refusals.forbidden(attributes, "unable to parse csr: " + e.getMessage());
        }
        require(
                attributes,
                commonName.equals(NODE_PREFIX + node),
                "can only create a node CSR with CN=" + NODE_PREFIX + node);
    }

    private static StatusException unexpected(Attributes attributes) {
        return Refusals.forbidden(
                attributes,
                "unexpected operation "
                        + FieldErrors.quote(attributes.operation().name()));
    }

    private static void require(Attributes attributes, boolean holds, String otherwise) {
        if (!holds) {
            throw Refusals.forbidden(attributes, otherwise);
        }
    }

    private static ObjectNode object(Attributes attributes) {
        ObjectNode object = attributes.object();
        return object == null ? JsonNodeFactory.instance.objectNode() : object;
    }

    private static JsonNode pod(Attributes attributes, String name) {
        return attributes
                .context()
                .storage()
                .get(CoreResources.PODS, attributes.namespace(), name)
                .orElseThrow(() -> Statuses.notFound("", "pods", name))
                .tree();
    }

    private static boolean isOn(JsonNode pod, String node) {
        return PodTrees.text(pod.path("spec"), "nodeName").equals(node);
    }

    private static Map<String, String> labels(JsonNode object) {
        Map<String, String> labels = new TreeMap<>();
        PodTrees.each(object.path("metadata").path("labels"), (key, value) -> labels.put(key, value.asText()));
        return labels;
    }
}
