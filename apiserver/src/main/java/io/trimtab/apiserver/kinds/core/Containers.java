package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.ResourceRequirements;
import io.trimtab.apiserver.kinds.Trees;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Rules for the containers of a pod, of all three sorts. Stateless. */
final class Containers {
    static final List<String> PROTOCOLS = List.of("SCTP", "TCP", "UDP");
    private static final List<String> PULL_POLICIES = List.of("Always", "IfNotPresent", "Never");
    private static final String ONE_HANDLER = "may not specify more than 1 handler type";
    private static final String ONLY_SIDECARS = "may not be set for init containers without restartPolicy=Always";
    private static final List<String> NOT_EPHEMERAL = List.of(
            "ports",
            "resources",
            "resizePolicy",
            "restartPolicy",
            "restartPolicyRules",
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
            "lifecycle");

    /**
     * What the rules need to know of the pod around.
     *
     * @param volumes that may be mounted, by name
     * @param claims names of its resource claims
     */
    record Pod(JsonNode spec, Map<String, JsonNode> volumes, Collection<String> claims) {
        boolean hostUsers() {
            return !Trees.has(spec, "hostUsers") || Trees.flag(spec, "hostUsers");
        }
    }

    private Containers() {}

    static void regular(FieldErrors errors, String path, Pod pod) {
        List<ObjectNode> containers = Trees.objects(pod.spec(), "containers");
        if (containers.isEmpty()) {
            errors.required(path, "");
            return;
        }
        Set<String> names = new HashSet<>();
        for (int i = 0; i < containers.size(); i++) {
            ObjectNode container = containers.get(i);
            String at = path + "[" + i + "]";
            common(errors, at, container, pod);
            String name = Trees.text(container, "name");
            if (!names.add(name)) {
                errors.duplicate(at + ".name", Trees.textNode(name));
            }
            hooksAndProbes(errors, at, container, pod);
            if (Trees.has(container, "restartPolicy")) {
                errors.forbidden(at + ".restartPolicy", "may not be set for non-init containers");
            }
        }
        hostPorts(errors, path, containers);
    }

    static void init(FieldErrors errors, String path, Pod pod) {
        Set<String> names = new HashSet<>(Trees.items(pod.spec(), "containers").stream()
                .map(c -> Trees.text(c, "name"))
                .toList());
        List<ObjectNode> containers = Trees.objects(pod.spec(), "initContainers");
        for (int i = 0; i < containers.size(); i++) {
            ObjectNode container = containers.get(i);
            String at = path + "[" + i + "]";
            common(errors, at, container, pod);
            boolean restarts = Trees.text(container, "restartPolicy").equals("Always");
            if (Trees.has(container, "restartPolicy") && !restarts) {
                errors.notSupportedInOrder(at + ".restartPolicy", container.get("restartPolicy"), List.of("Always"));
            }
            String name = Trees.text(container, "name");
            if (names.contains(name)) {
                errors.duplicate(at + ".name", Trees.textNode(name));
            } else if (!name.isEmpty()) {
                names.add(name);
            }
            hostPorts(errors, path, List.of(container));
            if (restarts) {
                hooksAndProbes(errors, at, container, pod);
            } else {
                for (String field : List.of("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")) {
                    if (Trees.has(container, field)) {
                        errors.forbidden(at + "." + field, ONLY_SIDECARS);
                    }
                }
            }
        }
    }

    static void ephemeral(FieldErrors errors, String path, Pod pod) {
        Set<String> others = new HashSet<>();
        Trees.items(pod.spec(), "containers").forEach(c -> others.add(Trees.text(c, "name")));
        Trees.items(pod.spec(), "initContainers").forEach(c -> others.add(Trees.text(c, "name")));
        Set<String> names = new HashSet<>(others);
        List<ObjectNode> containers = Trees.objects(pod.spec(), "ephemeralContainers");
        for (int i = 0; i < containers.size(); i++) {
            ObjectNode container = containers.get(i);
            String at = path + "[" + i + "]";
            common(errors, at, container, pod);
            imageBlanks(errors, at, container);
            String name = Trees.text(container, "name");
            if (!names.add(name)) {
                errors.duplicate(at + ".name", Trees.textNode(name));
            }
            String target = Trees.text(container, "targetContainerName");
            if (!target.isEmpty() && !others.contains(target)) {
                errors.notFound(at + ".targetContainerName", Trees.textNode(target));
            }
            for (String field : NOT_EPHEMERAL) {
                // An empty hook or probe is one, too; empty resources are none.
                boolean isSet = Trees.hasContent(container, field)
                        || Trees.child(container, field).isObject() && !field.equals("resources");
                if (isSet) {
                    errors.forbidden(at + "." + field, "cannot be set for an Ephemeral Container");
                }
            }
            int j = 0;
            for (JsonNode mount : Trees.items(container, "volumeMounts")) {
                for (String field : List.of("subPath", "subPathExpr")) {
                    if (Trees.hasContent(mount, field)) {
                        errors.forbidden(
                                at + ".volumeMounts[" + j + "]." + field, "cannot be set for an Ephemeral Container");
                    }
                }
                j++;
            }
        }
    }

    /** Blanks around the image's name; pods only, since templates with them have been accepted in the past. */
    static void imageBlanks(FieldErrors errors, String path, JsonNode container) {
        String image = Trees.text(container, "image");
        if (!image.equals(image.strip())) {
            errors.invalid(path + ".image", image, "must not have leading or trailing whitespace");
        }
    }

    private static void common(FieldErrors errors, String path, ObjectNode container, Pod pod) {
        FieldRules.requiredLabel(errors, path + ".name", Trees.text(container, "name"));
        if (Trees.text(container, "image").isEmpty()) {
            errors.required(path + ".image", "");
        }
        FieldRules.requiredChoice(
                errors, path, container, "terminationMessagePolicy", List.of("File", "FallbackToLogsOnError"));
        ports(errors, path + ".ports", Trees.items(container, "ports"));
        Environment.variables(errors, path + ".env", Trees.items(container, "env"));
        Environment.from(errors, path + ".envFrom", Trees.items(container, "envFrom"));
        mounts(errors, path + ".volumeMounts", container, pod.volumes());
        devices(errors, path + ".volumeDevices", container, pod.volumes());
        pullPolicy(errors, path + ".imagePullPolicy", container, "imagePullPolicy");
        ResourceRequirements.container(errors, path + ".resources", Trees.child(container, "resources"), pod.claims());
        resizePolicy(errors, path + ".resizePolicy", container, pod.spec());
        SecurityContexts.container(
                errors, path + ".securityContext", Trees.object(container, "securityContext"), pod.hostUsers());
    }

    static void pullPolicy(FieldErrors errors, String path, JsonNode parent, String field) {
        String policy = Trees.text(parent, field);
        if (policy.isEmpty()) {
            errors.required(path, "");
        } else if (!PULL_POLICIES.contains(policy)) {
            errors.notSupportedInOrder(path, parent.get(field), PULL_POLICIES);
        }
    }

    private static void ports(FieldErrors errors, String path, List<JsonNode> ports) {
        Set<String> names = new HashSet<>();
        for (int i = 0; i < ports.size(); i++) {
            JsonNode port = ports.get(i);
            String at = path + "[" + i + "]";
            String name = Trees.text(port, "name");
            if (!name.isEmpty()) {
                List<String> wrong = Names.portName(name);
                FieldRules.invalid(errors, at + ".name", name, wrong);
                if (wrong.isEmpty() && !names.add(name)) {
                    errors.duplicate(at + ".name", Trees.textNode(name));
                }
            }
            long number = Trees.number(port, "containerPort");
            if (number == 0) {
                errors.required(at + ".containerPort", "");
            } else {
                FieldRules.invalid(errors, at + ".containerPort", number, Names.portNumber(number));
            }
            long hostPort = Trees.number(port, "hostPort");
            if (hostPort != 0) {
                FieldRules.invalid(errors, at + ".hostPort", hostPort, Names.portNumber(hostPort));
            }
            FieldRules.requiredChoice(errors, at, port, "protocol", PROTOCOLS);
        }
    }

    private static void hostPorts(FieldErrors errors, String path, List<ObjectNode> containers) {
        Set<String> taken = new HashSet<>();
        for (int i = 0; i < containers.size(); i++) {
            List<JsonNode> ports = Trees.items(containers.get(i), "ports");
            for (int j = 0; j < ports.size(); j++) {
                long hostPort = Trees.number(ports.get(j), "hostPort");
                if (hostPort == 0) {
                    continue;
                }
                String key = Trees.text(ports.get(j), "protocol") + "/" + Trees.text(ports.get(j), "hostIP") + "/"
                        + hostPort;
                if (!taken.add(key)) {
                    errors.duplicate(path + "[" + i + "].ports[" + j + "].hostPort", Trees.textNode(key));
                }
            }
        }
    }

    private static void mounts(FieldErrors errors, String path, ObjectNode container, Map<String, JsonNode> volumes) {
        Map<String, String> devices = new HashMap<>();
        Trees.items(container, "volumeDevices")
                .forEach(d -> devices.put(Trees.text(d, "name"), Trees.text(d, "devicePath")));
        Set<String> points = new HashSet<>();
        List<JsonNode> mounts = Trees.items(container, "volumeMounts");
        for (int i = 0; i < mounts.size(); i++) {
            JsonNode mount = mounts.get(i);
            String at = path + "[" + i + "]";
            String name = Trees.text(mount, "name");
            String target = Trees.text(mount, "mountPath");
            if (name.isEmpty()) {
                errors.required(at + ".name", "");
            }
            if (!volumes.containsKey(name)) {
                errors.notFound(at + ".name", Trees.textNode(name));
            }
            if (target.isEmpty()) {
                errors.required(at + ".mountPath", "");
            }
            if (!points.add(target)) {
                errors.invalid(at + ".mountPath", target, "must be unique");
            }
            if (devices.containsKey(name)) {
                errors.invalid(at + ".name", name, "must not already exist in volumeDevices");
            }
            if (devices.containsValue(target)) {
                errors.invalid(at + ".mountPath", target, "must not already exist as a path in volumeDevices");
            }
            // These paths are without the index: so Kubernetes has them.
            String subPath = Trees.text(mount, "subPath");
            if (!subPath.isEmpty()) {
                Volumes.descending(errors, path + ".subPath", subPath);
            }
            String expression = Trees.text(mount, "subPathExpr");
            if (!expression.isEmpty()) {
                if (!subPath.isEmpty()) {
                    errors.invalid(at + ".subPathExpr", expression, "subPathExpr and subPath are mutually exclusive");
                }
                Volumes.descending(errors, path + ".subPathExpr", expression);
            }
            propagation(errors, path, mount, container);
        }
    }

    private static void propagation(FieldErrors errors, String path, JsonNode mount, ObjectNode container) {
        FieldRules.choice(errors, path, mount, "mountPropagation", List.of("Bidirectional", "HostToContainer", "None"));
        String propagation = Trees.text(mount, "mountPropagation");
        if (propagation.equals("Bidirectional")
                && !Trees.flag(Trees.child(container, "securityContext"), "privileged")) {
            errors.forbidden(
                    path + ".mountPropagation",
                    "Bidirectional mount propagation is available only to privileged containers");
        }
        switch (Trees.text(mount, "recursiveReadOnly")) {
            case "Enabled", "IfPossible" -> {
                if (!Trees.flag(mount, "readOnly")) {
                    errors.forbidden(path + ".recursiveReadOnly", "may only be specified when readOnly is true");
                }
                if (!propagation.isEmpty() && !propagation.equals("None")) {
                    errors.forbidden(
                            path + ".recursiveReadOnly",
                            "may only be specified when mountPropagation is None or not specified");
                }
            }
            default ->
                FieldRules.choice(
                        errors, path, mount, "recursiveReadOnly", List.of("Disabled", "Enabled", "IfPossible"));
        }
    }

    private static void devices(FieldErrors errors, String path, ObjectNode container, Map<String, JsonNode> volumes) {
        Map<String, String> mounts = new HashMap<>();
        Trees.items(container, "volumeMounts")
                .forEach(m -> mounts.put(Trees.text(m, "name"), Trees.text(m, "mountPath")));
        Set<String> paths = new HashSet<>();
        Set<String> names = new HashSet<>();
        List<JsonNode> devices = Trees.items(container, "volumeDevices");
        for (int i = 0; i < devices.size(); i++) {
            JsonNode device = devices.get(i);
            String at = path + "[" + i + "]";
            String name = Trees.text(device, "name");
            String target = Trees.text(device, "devicePath");
            JsonNode volume = volumes.get(name);
            if (name.isEmpty()) {
                errors.required(at + ".name", "");
            }
            if (names.contains(name)) {
                errors.invalid(at + ".name", name, "must be unique");
            }
            if (volume == null) {
                errors.notFound(at + ".name", Trees.textNode(name));
            } else if (!Trees.has(volume, "persistentVolumeClaim") && !Trees.has(volume, "ephemeral")) {
                errors.invalid(
                        at + ".name",
                        name,
                        "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
            }
            if (target.isEmpty()) {
                errors.required(at + ".devicePath", "");
            }
            if (paths.contains(target)) {
                errors.invalid(at + ".devicePath", target, "must be unique");
            }
            if (List.of(target.split("/", -1)).contains("..")) {
                errors.invalid(at + ".devicePath", target, "can not contain backsteps ('..')");
            } else {
                paths.add(target);
            }
            if (mounts.containsKey(name)) {
                errors.invalid(at + ".name", name, "must not already exist in volumeMounts");
            }
            if (mounts.containsValue(target)) {
                errors.invalid(at + ".devicePath", target, "must not already exist as a path in volumeMounts");
            }
            if (!name.isEmpty()) {
                names.add(name);
            }
        }
    }

    private static void resizePolicy(FieldErrors errors, String path, ObjectNode container, JsonNode spec) {
        Set<String> seen = new HashSet<>();
        int i = 0;
        for (JsonNode policy : Trees.items(container, "resizePolicy")) {
            String resource = Trees.text(policy, "resourceName");
            if (!seen.add(resource)) {
                errors.duplicate(path + "[" + i + "]", Trees.textNode(resource));
            }
            i++;
            if (resource.isEmpty()) {
                errors.required(path, "");
            } else if (!resource.equals("cpu") && !resource.equals("memory")) {
                errors.notSupported(path, Trees.textNode(resource), List.of("cpu", "memory"));
            }
            String restart = Trees.text(policy, "restartPolicy");
            if (restart.isEmpty()) {
                errors.required(path, "");
            } else if (!restart.equals("NotRequired") && !restart.equals("RestartContainer")) {
                errors.notSupported(path, Trees.textNode(restart), List.of("NotRequired", "RestartContainer"));
            }
            if (Trees.text(spec, "restartPolicy").equals("Never") && !restart.equals("NotRequired")) {
                errors.invalid(path, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'");
            }
        }
    }

    private static void hooksAndProbes(FieldErrors errors, String path, ObjectNode container, Pod pod) {
        JsonNode grace = Trees.child(pod.spec(), "terminationGracePeriodSeconds");
        for (String hook : List.of("postStart", "preStop")) {
            JsonNode handler = Trees.at(container, "lifecycle", hook);
            if (!handler.isMissingNode()) {
                handler(errors, path + ".lifecycle." + hook, handler, grace, true);
            }
        }
        for (String name : List.of("livenessProbe", "readinessProbe", "startupProbe")) {
            if (!Trees.has(container, name)) {
                continue;
            }
            JsonNode probe = container.get(name);
            String at = path + "." + name;
            probe(errors, at, probe, grace);
            if (name.equals("readinessProbe")) {
                if (Trees.has(probe, "terminationGracePeriodSeconds")) {
                    errors.invalid(
                            at + ".terminationGracePeriodSeconds",
                            probe.get("terminationGracePeriodSeconds"),
                            "must not be set for readinessProbes");
                }
            } else if (Trees.number(probe, "successThreshold") != 1) {
                errors.invalid(at + ".successThreshold", Trees.number(probe, "successThreshold"), "must be 1");
            }
        }
    }

    private static void probe(FieldErrors errors, String path, JsonNode probe, JsonNode grace) {
        handler(errors, path, probe, grace, false);
        for (String field : List.of(
                "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")) {
            FieldRules.notNegative(errors, path, probe, field);
        }
        if (Trees.has(probe, "terminationGracePeriodSeconds")
                && Trees.number(probe, "terminationGracePeriodSeconds") <= 0) {
            errors.invalid(
                    path + ".terminationGracePeriodSeconds",
                    Trees.number(probe, "terminationGracePeriodSeconds"),
                    "must be greater than 0");
        }
    }

    private static void handler(
            FieldErrors errors, String path, JsonNode handler, JsonNode grace, boolean ofLifecycle) {
        Map<String, Runnable> handlers = new LinkedHashMap<>();
        handlers.put("exec", () -> {
            if (!Trees.hasContent(handler.get("exec"), "command")) {
                errors.required(path + ".exec.command", "");
            }
        });
        handlers.put("httpGet", () -> httpGet(errors, path + ".httpGet", handler.get("httpGet")));
        handlers.put(
                "tcpSocket",
                () -> FieldRules.portNumberOrName(
                        errors,
                        path + ".tcpSocket.port",
                        handler.get("tcpSocket").get("port")));
        if (ofLifecycle) {
            handlers.put("sleep", () -> {
                long seconds = Trees.number(handler.get("sleep"), "seconds");
                if (!grace.isMissingNode() && (seconds < 0 || seconds > grace.asLong())) {
                    errors.invalid(
                            path + ".sleep",
                            seconds,
                            "must be non-negative and less than terminationGracePeriodSeconds (" + grace.asLong()
                                    + ")");
                }
            });
        } else {
            handlers.put(
                    "grpc",
                    () -> FieldRules.portNumberOrName(
                            errors, path + ".grpc.port", handler.get("grpc").get("port")));
        }
        boolean found = false;
        for (Map.Entry<String, Runnable> entry : handlers.entrySet()) {
            if (!Trees.has(handler, entry.getKey())) {
                continue;
            }
            if (found) {
                errors.forbidden(path + "." + entry.getKey(), ONE_HANDLER);
            } else {
                found = true;
                entry.getValue().run();
            }
        }
        if (!found) {
            errors.required(path, "must specify a handler type");
        }
    }

    private static void httpGet(FieldErrors errors, String path, JsonNode get) {
        if (Trees.text(get, "path").isEmpty()) {
            errors.required(path + ".path", "");
        }
        FieldRules.portNumberOrName(errors, path + ".port", get.get("port"));
        if (!List.of("HTTP", "HTTPS").contains(Trees.text(get, "scheme"))) {
            errors.notSupported(path + ".scheme", Trees.shown(get, "scheme"), List.of("HTTP", "HTTPS"));
        }
        for (JsonNode header : Trees.items(get, "httpHeaders")) {
            String name = Trees.text(header, "name");
            FieldRules.invalid(errors, path + ".httpHeaders", name, Names.httpHeader(name));
        }
    }
}
