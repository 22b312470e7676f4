package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Amounts;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.IpAddresses;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.ResourceRequirements;
import io.trimtab.apiserver.kinds.Trees;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** What a pod's spec must look like, in a pod and in every template of pods; in Kubernetes' order. Stateless. */
public final class PodSpecRules {
    private static final List<String> RESTART = List.of("Always", "OnFailure", "Never");
    private static final List<String> DNS = List.of("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None");

    private PodSpecRules() {}

    /** A template: labels, annotations and spec. */
    public static void template(FieldErrors errors, String path, JsonNode template) {
        JsonNode metadata = Trees.child(template, "metadata");
        FieldRules.labels(errors, path + ".labels", Trees.map(metadata, "labels"));
        Map<String, String> annotations = Trees.map(metadata, "annotations");
        FieldRules.annotations(errors, path + ".annotations", annotations);
        JsonNode spec = Trees.child(template, "spec");
        annotations(errors, path + ".annotations", annotations, spec);
        validate(errors, path + ".spec", spec, null);
        if (Trees.hasContent(spec, "ephemeralContainers")) {
            errors.forbidden(path + ".spec.ephemeralContainers", "ephemeral containers not allowed in pod template");
        }
    }

    /** The template of a kind whose pods run for ever. */
    public static void alwaysRunningTemplate(FieldErrors errors, String path, JsonNode template, String kind) {
        template(errors, path, template);
        JsonNode spec = Trees.child(template, "spec");
        if (!Trees.text(spec, "restartPolicy").equals("Always")) {
            errors.notSupportedInOrder(
                    path + ".spec.restartPolicy", Trees.textNode(Trees.text(spec, "restartPolicy")), List.of("Always"));
        }
        if (Trees.has(spec, "activeDeadlineSeconds")) {
            errors.forbidden(
                    path + ".spec.activeDeadlineSeconds", "activeDeadlineSeconds in " + kind + " is not Supported");
        }
    }

    /** The annotations that mean something for pods. */
    public static void annotations(FieldErrors errors, String path, Map<String, String> annotations, JsonNode spec) {
        String mirror = annotations.get("kubernetes.io/config.mirror");
        if (mirror != null && Trees.text(spec, "nodeName").isEmpty()) {
            errors.invalid(
                    path + "[kubernetes.io/config.mirror]",
                    mirror,
                    "must set spec.nodeName if mirror pod annotation is set");
        }
        String cost = annotations.get("controller.kubernetes.io/pod-deletion-cost");
        if (cost != null && !cost.isEmpty() && !isInt(cost)) {
            errors.invalid(path + "[controller.kubernetes.io/pod-deletion-cost]", cost, "must be a 32bit integer");
        }
        Set<String> names = new HashSet<>();
        PodResources.containers(spec, "").values().forEach(c -> names.add(Trees.text(c, "name")));
        String prefix = "container.apparmor.security.beta.kubernetes.io/";
        new TreeMap<>(annotations).forEach((key, value) -> {
            if (key.startsWith(prefix)) {
                String name = key.substring(prefix.length());
                if (!names.contains(name)) {
                    errors.invalid(path + "[" + key + "]", name, "container not found");
                }
                if (!value.isEmpty()
                        && !value.equals("runtime/default")
                        && !value.equals("unconfined")
                        && !value.startsWith("localhost/")) {
                    errors.invalid(
                            path + "[" + key + "]",
                            value,
                            "invalid AppArmor profile name: " + FieldErrors.quote(value));
                }
            }
        });
    }

    private static boolean isInt(String text) {
        // No sign and no leading zeros, as the API asks: "+5" and "007" are refused.
        boolean odd = text.startsWith("+") || text.length() > 1 && text.startsWith("0");
        try {
            Integer.parseInt(text);
            return !odd;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    /**
     * A spec.
     *
     * @param pod the pod whose spec it is; null for a template
     */
    static void validate(
            FieldErrors errors, String path, JsonNode spec, @org.jspecify.annotations.Nullable JsonNode pod) {
        if (!Trees.has(spec, "terminationGracePeriodSeconds")) {
            errors.required(path + ".terminationGracePeriodSeconds", "");
        }
        JsonNode metadata = Trees.child(pod, "metadata");
        Map<String, JsonNode> volumes =
                Volumes.validate(errors, path + ".volumes", Trees.items(spec, "volumes"), Trees.text(metadata, "name"));
        List<String> claims = resourceClaims(errors, path + ".resourceClaims", spec, metadata);
        Containers.Pod around = new Containers.Pod(spec, volumes, claims);
        Containers.regular(errors, path + ".containers", around);
        Containers.init(errors, path + ".initContainers", around);
        Containers.ephemeral(errors, path + ".ephemeralContainers", around);
        podResources(errors, path, spec);
        hostNetworkPorts(errors, path, spec, pod != null);
        FieldRules.requiredChoice(errors, path, spec, "restartPolicy", RESTART);
        FieldRules.requiredChoice(errors, path, spec, "dnsPolicy", DNS);
        FieldRules.labels(errors, path + ".nodeSelector", Trees.map(spec, "nodeSelector"));
        SecurityContexts.pod(errors, path + ".securityContext", spec);
        Affinities.validate(errors, path + ".affinity", Trees.child(spec, "affinity"));
        dnsConfig(errors, path + ".dnsConfig", spec);
        int i = 0;
        for (JsonNode gate : Trees.items(spec, "readinessGates")) {
            String type = Trees.text(gate, "conditionType");
            FieldRules.invalid(
                    errors, path + ".readinessGates[" + i++ + "].conditionType", type, Names.qualified(type));
        }
        schedulingGates(errors, path + ".schedulingGates", spec);
        Affinities.spread(errors, path + ".topologySpreadConstraints", Trees.items(spec, "topologySpreadConstraints"));
        SecurityContexts.hostProcesses(errors, path, spec);
        hostUsers(errors, path, spec);
        names(errors, path, spec);
        Affinities.tolerations(errors, path + ".tolerations", Trees.items(spec, "tolerations"));
        hostAliases(errors, path + ".hostAliases", spec);
        subdomain(errors, path, spec, "priorityClassName");
        if (Trees.has(spec, "runtimeClassName")) {
            String name = Trees.text(spec, "runtimeClassName");
            FieldRules.invalid(errors, path + ".runtimeClassName", name, Names.subdomain(name));
        }
        if (Trees.has(spec, "preemptionPolicy")) {
            FieldRules.requiredChoice(errors, path, spec, "preemptionPolicy", List.of("PreemptLowerPriority", "Never"));
        }
        if (Trees.has(spec, "overhead")) {
            ObjectNode asLimits = ((ObjectNode) spec).objectNode();
            asLimits.set("limits", spec.get("overhead"));
            ResourceRequirements.container(errors, path + ".overhead", asLimits, List.of());
        }
        SecurityContexts.operatingSystem(errors, path, spec);
    }

    private static void names(FieldErrors errors, String path, JsonNode spec) {
        subdomain(errors, path, spec, "serviceAccountName");
        subdomain(errors, path, spec, "nodeName");
        if (Trees.has(spec, "activeDeadlineSeconds")) {
            long deadline = Trees.number(spec, "activeDeadlineSeconds");
            FieldRules.invalid(
                    errors, path + ".activeDeadlineSeconds", deadline, Names.inRange(deadline, 1, Integer.MAX_VALUE));
        }
        for (String field : List.of("hostname", "subdomain")) {
            String value = Trees.text(spec, field);
            if (!value.isEmpty()) {
                FieldRules.invalid(errors, path + "." + field, value, Names.label(value));
            }
        }
    }

    private static void subdomain(FieldErrors errors, String path, JsonNode spec, String field) {
        String value = Trees.text(spec, field);
        if (!value.isEmpty()) {
            FieldRules.invalid(errors, path + "." + field, value, Names.subdomain(value));
        }
    }

    private static List<String> resourceClaims(FieldErrors errors, String path, JsonNode spec, JsonNode metadata) {
        List<String> names = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        boolean mirror = Trees.map(metadata, "annotations").containsKey("kubernetes.io/config.mirror");
        int i = 0;
        for (JsonNode claim : Trees.items(spec, "resourceClaims")) {
            String at = path + "[" + i++ + "]";
            if (mirror) {
                errors.forbidden("", "static pods do not support resource claims");
                continue;
            }
            String name = Trees.text(claim, "name");
            if (name.isEmpty()) {
                errors.required(at + ".name", "");
            } else if (seen.contains(name)) {
                errors.duplicate(at + ".name", Trees.textNode(name));
            } else {
                FieldRules.invalid(errors, at + ".name", name, Names.label(name));
                seen.add(name);
                names.add(name);
            }
            boolean byName = Trees.has(claim, "resourceClaimName");
            boolean byTemplate = Trees.has(claim, "resourceClaimTemplateName");
            String shown = InternalForm.of(claim, "core/v1.PodResourceClaim");
            if (byName && byTemplate) {
                errors.invalidShown(
                        at,
                        shown,
                        "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified");
            }
            if (!byName && !byTemplate) {
                errors.invalidShown(at, shown, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
            }
            for (String field : List.of("resourceClaimName", "resourceClaimTemplateName")) {
                if (Trees.has(claim, field)) {
                    String value = Trees.text(claim, field);
                    FieldRules.invalid(errors, at + "." + field, value, Names.subdomain(value));
                }
            }
        }
        return names;
    }

    private static void podResources(FieldErrors errors, String path, JsonNode spec) {
        if (!Trees.has(spec, "resources")) {
            return;
        }
        JsonNode resources = spec.get("resources");
        String at = path + ".resources";
        if (Trees.text(Trees.child(spec, "os"), "name").equals("windows")) {
            errors.forbidden(at, "may not be set for a windows pod");
            return;
        }
        if (Trees.has(resources, "claims")) {
            errors.forbidden(at + ".claims", "claims may not be set for Resources at pod-level");
        }
        ResourceRequirements.pod(errors, at, resources);
        JsonNode requests = Trees.child(resources, "requests");
        PodResources.requests(spec).forEach((name, together) -> {
            JsonNode ofPod = Trees.child(requests, name);
            if (!ofPod.isMissingNode() && Amounts.compare(together, ofPod) > 0) {
                errors.invalid(
                        at + ".requests[" + name + "]",
                        Amounts.text(ofPod),
                        "must be greater than or equal to aggregate container requests of " + together.asText());
            }
        });
        JsonNode limits = Trees.child(resources, "limits");
        PodResources.limits(spec).forEach((name, together) -> {
            JsonNode ofPod = Trees.child(limits, name);
            if (ResourceRequirements.isHugePages(name)
                    && !ofPod.isMissingNode()
                    && Amounts.compare(together, ofPod) > 0) {
                errors.invalid(
                        at + ".limits[" + name + "]",
                        Amounts.text(ofPod),
                        "must be greater than or equal to aggregate container limits of " + together.asText());
            }
        });
        int i = 0;
        for (JsonNode container : Trees.items(spec, "containers")) {
            int index = i++;
            Trees.entries(Trees.child(container, "resources"), "limits").forEach((name, limit) -> {
                JsonNode ofPod = Trees.child(limits, name);
                if (!ofPod.isMissingNode() && Amounts.compare(limit, ofPod) > 0) {
                    errors.invalid(
                            at + ".containers[" + index + "][" + name + "].limits",
                            Amounts.text(limit),
                            "must be less than or equal to pod limits of " + Amounts.text(ofPod));
                }
            });
        }
    }

    private static void hostNetworkPorts(FieldErrors errors, String path, JsonNode spec, boolean isPod) {
        if (!Trees.flag(spec, "hostNetwork")) {
            return;
        }
        int i = 0;
        for (JsonNode container : Trees.items(spec, "containers")) {
            int j = 0;
            for (JsonNode port : Trees.items(container, "ports")) {
                long host = Trees.number(port, "hostPort");
                if ((isPod || host != 0) && host != Trees.number(port, "containerPort")) {
                    errors.invalid(
                            path + ".containers[" + i + "].ports[" + j + "].hostPort",
                            host,
                            "must match `containerPort` when `hostNetwork` is true");
                }
                j++;
            }
            i++;
        }
    }

    private static void dnsConfig(FieldErrors errors, String path, JsonNode spec) {
        JsonNode config = Trees.child(spec, "dnsConfig");
        List<String> servers = Trees.texts(config, "nameservers");
        if (Trees.text(spec, "dnsPolicy").equals("None")) {
            if (config.isMissingNode()) {
                errors.required(path, "must provide `dnsConfig` when `dnsPolicy` is None");
                return;
            }
            if (servers.isEmpty()) {
                errors.required(
                        path + ".nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None");
                return;
            }
        }
        if (servers.size() > 3) {
            errors.invalid(path + ".nameservers", config.get("nameservers"), "must not have more than 3 nameservers");
        }
        for (int i = 0; i < servers.size(); i++) {
            IpAddresses.validate(errors, path + ".nameservers[" + i + "]", servers.get(i));
        }
        List<String> searches = Trees.texts(config, "searches");
        if (searches.size() > 32) {
            errors.invalid(path + ".searches", config.get("searches"), "must not have more than 32 search paths");
        }
        if (String.join(" ", searches).length() > 2048) {
            errors.invalid(
                    path + ".searches",
                    config.get("searches"),
                    "must not have more than 2048 characters (including spaces) in the search list");
        }
        for (int i = 0; i < searches.size(); i++) {
            String search = searches.get(i);
            if (!search.equals(".")) {
                String bare = search.endsWith(".") ? search.substring(0, search.length() - 1) : search;
                FieldRules.invalid(errors, path + ".searches[" + i + "]", bare, Names.subdomainWithUnderscore(bare));
            }
        }
        int i = 0;
        for (JsonNode option : Trees.items(config, "options")) {
            if (Trees.text(option, "name").isEmpty()) {
                errors.required(path + ".options[" + i + "]", "must not be empty");
            }
            i++;
        }
    }

    private static void schedulingGates(FieldErrors errors, String path, JsonNode spec) {
        Set<String> seen = new HashSet<>();
        int i = 0;
        for (JsonNode gate : Trees.items(spec, "schedulingGates")) {
            String at = path + "[" + i++ + "]";
            String name = Trees.text(gate, "name");
            FieldRules.invalid(errors, at, name, Names.qualified(name));
            if (!seen.add(name)) {
                errors.duplicate(at, Trees.textNode(name));
            }
        }
    }

    private static void hostUsers(FieldErrors errors, String path, JsonNode spec) {
        if (!Trees.has(spec, "hostUsers") || Trees.flag(spec, "hostUsers")) {
            return;
        }
        String why = "when `hostUsers` is false";
        if (Trees.flag(spec, "hostNetwork")) {
            errors.forbidden(path + ".hostNetwork", why);
        }
        if (Trees.flag(spec, "hostPID")) {
            errors.forbidden(path + ".HostPID", why);
        }
        if (Trees.flag(spec, "hostIPC")) {
            errors.forbidden(path + ".HostIPC", why);
        }
        PodResources.containers(spec, path).forEach((at, container) -> {
            if (Trees.hasContent(container, "volumeDevices")) {
                errors.forbidden(at + ".volumeDevices", why);
            }
        });
    }

    private static void hostAliases(FieldErrors errors, String path, JsonNode spec) {
        int i = 0;
        for (JsonNode alias : Trees.items(spec, "hostAliases")) {
            String at = path + "[" + i++ + "]";
            IpAddresses.validate(errors, at + ".ip", Trees.text(alias, "ip"));
            List<String> names = Trees.texts(alias, "hostnames");
            for (int j = 0; j < names.size(); j++) {
                FieldRules.invalid(errors, at + ".hostnames[" + j + "]", names.get(j), Names.subdomain(names.get(j)));
            }
        }
    }
}
