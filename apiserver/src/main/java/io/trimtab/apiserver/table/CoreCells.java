package io.trimtab.apiserver.table;

import static io.trimtab.apiserver.table.Texts.NONE;
import static io.trimtab.apiserver.table.Texts.name;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** The core group, and events of both groups. */
final class CoreCells {
    private CoreCells() {}

    static void register(Map<String, RowFunction> rows) {
        rows.put("pods", PodCells::row);
        rows.put("podtemplates", CoreCells::podTemplate);
        rows.put("replicationcontrollers", CoreCells::replicationController);
        rows.put("services", CoreCells::service);
        rows.put("endpoints", CoreCells::endpoints);
        rows.put("nodes", CoreCells::node);
        rows.put("events", CoreCells::event);
        rows.put("events.events.k8s.io", CoreCells::event);
        rows.put(
                "namespaces",
                (o, now) -> new Row()
                        .add(name(o))
                        .add(o.path("status").path("phase").asText(""))
                        .add(Ages.of(o, now)));
        rows.put(
                "configmaps",
                (o, now) -> new Row()
                        .add(name(o))
                        .add(o.path("data").size() + o.path("binaryData").size())
                        .add(Ages.of(o, now)));
        rows.put(
                "secrets",
                (o, now) -> new Row()
                        .add(name(o))
                        .add(o.path("type").asText(""))
                        .add(o.path("data").size())
                        .add(Ages.of(o, now)));
        rows.put(
                "serviceaccounts",
                (o, now) -> new Row().add(name(o)).add(o.path("secrets").size()).add(Ages.of(o, now)));
        rows.put("persistentvolumes", CoreCells::persistentVolume);
        rows.put("persistentvolumeclaims", CoreCells::persistentVolumeClaim);
        rows.put("resourcequotas", CoreCells::resourceQuota);
        rows.put("componentstatuses", CoreCells::componentStatus);
    }

    private static Row podTemplate(JsonNode o, Instant now) {
        JsonNode template = o.path("template");
        return Texts.containers(new Row().add(name(o)), template.path("spec"))
                .add(Texts.labels(template.path("metadata").path("labels")));
    }

    private static Row replicationController(JsonNode o, Instant now) {
        Row row = new Row()
                .add(name(o))
                .add(o.path("spec").path("replicas").asLong())
                .add(o.path("status").path("replicas").asLong())
                .add(o.path("status").path("readyReplicas").asLong())
                .add(Ages.of(o, now));
        return Texts.containers(row, o.path("spec").path("template").path("spec"))
                .add(Texts.labels(o.path("spec").path("selector")));
    }

    private static Row service(JsonNode o, Instant now) {
        JsonNode spec = o.path("spec");
        JsonNode ips = spec.path("clusterIPs");
        String ip =
                ips.isEmpty() ? spec.path("clusterIP").asText("") : ips.get(0).asText("");
        return new Row()
                .add(name(o))
                .add(spec.path("type").asText(""))
                .add(Texts.orNone(ip))
                .add(externalAddress(o))
                .add(ports(spec.path("ports")))
                .add(Ages.of(o, now))
                .add(Texts.labels(spec.path("selector")));
    }

    private static String externalAddress(JsonNode service) {
        JsonNode spec = service.path("spec");
        List<String> given = new ArrayList<>();
        spec.path("externalIPs").forEach(ip -> given.add(ip.asText("")));
        switch (spec.path("type").asText("")) {
            case "ClusterIP", "NodePort" -> {
                return Texts.orNone(String.join(",", given));
            }
            case "LoadBalancer" -> {
                List<String> all =
                        new ArrayList<>(loadBalancer(service.path("status").path("loadBalancer")));
                all.addAll(given);
                return all.isEmpty() ? "<pending>" : String.join(",", all);
            }
            case "ExternalName" -> {
                return spec.path("externalName").asText("");
            }
            default -> {
                return Ages.UNKNOWN;
            }
        }
    }

    /** Addresses and host names of a load balancer, sorted. */
    static TreeSet<String> loadBalancer(JsonNode status) {
        TreeSet<String> all = new TreeSet<>();
        for (JsonNode ingress : status.path("ingress")) {
            String ip = ingress.path("ip").asText("");
            String host = ingress.path("hostname").asText("");
            if (!ip.isEmpty()) {
                all.add(ip);
            } else if (!host.isEmpty()) {
                all.add(host);
            }
        }
        return all;
    }

    private static String ports(JsonNode ports) {
        List<String> all = new ArrayList<>();
        for (JsonNode port : ports) {
            long nodePort = port.path("nodePort").asLong();
            String number = port.path("port").asText("");
            all.add((nodePort > 0 ? number + ":" + nodePort : number) + "/"
                    + port.path("protocol").asText(""));
        }
        return Texts.orNone(String.join(",", all));
    }

    private static Row endpoints(JsonNode o, Instant now) {
        return new Row().add(name(o)).add(addresses(o.path("subsets"))).add(Ages.of(o, now));
    }

    private static String addresses(JsonNode subsets) {
        if (subsets.isEmpty()) {
            return NONE;
        }
        List<String> shown = new ArrayList<>();
        int count = 0;
        for (JsonNode subset : subsets) {
            JsonNode ports = subset.path("ports");
            int times = Math.max(1, ports.size());
            for (int p = 0; p < times; p++) {
                for (JsonNode address : subset.path("addresses")) {
                    if (count++ < 3) {
                        String ip = address.path("ip").asText("");
                        shown.add(
                                ports.isEmpty()
                                        ? ip
                                        : (ip.indexOf(':') >= 0 ? "[" + ip + "]" : ip) + ":"
                                                + ports.get(p).path("port").asText(""));
                    }
                }
            }
        }
        String text = String.join(",", shown);
        return count > 3 ? text + " + " + (count - 3) + " more..." : text;
    }

    private static Row node(JsonNode o, Instant now) {
        JsonNode info = o.path("status").path("nodeInfo");
        JsonNode ready = Texts.condition(o, "Ready");
        String status = ready.isMissingNode() ? "Unknown" : Texts.isTrue(ready) ? "Ready" : "NotReady";
        if (o.path("spec").path("unschedulable").asBoolean()) {
            status += ",SchedulingDisabled";
        }
        return new Row()
                .add(name(o))
                .add(status)
                .add(roles(o.path("metadata").path("labels")))
                .add(Ages.of(o, now))
                .add(info.path("kubeletVersion").asText(""))
                .add(address(o, "InternalIP"))
                .add(address(o, "ExternalIP"))
                .add(orUnknown(info.path("osImage")))
                .add(orUnknown(info.path("kernelVersion")))
                .add(orUnknown(info.path("containerRuntimeVersion")));
    }

    private static String orUnknown(JsonNode text) {
        return text.asText("").isEmpty() ? Ages.UNKNOWN : text.asText();
    }

    private static String roles(JsonNode labels) {
        String prefix = "node-role.kubernetes.io/";
        TreeSet<String> roles = new TreeSet<>();
        labels.fields().forEachRemaining(l -> {
            if (l.getKey().startsWith(prefix) && l.getKey().length() > prefix.length()) {
                roles.add(l.getKey().substring(prefix.length()));
            } else if (l.getKey().equals("kubernetes.io/role")
                    && !l.getValue().asText("").isEmpty()) {
                roles.add(l.getValue().asText());
            }
        });
        return Texts.orNone(String.join(",", roles));
    }

    private static String address(JsonNode node, String type) {
        for (JsonNode address : node.path("status").path("addresses")) {
            if (address.path("type").asText("").equals(type)) {
                return address.path("address").asText("");
            }
        }
        return NONE;
    }

    private static Row event(JsonNode o, Instant now) {
        // The two groups have other names for the same things.
        JsonNode object = either(o, "involvedObject", "regarding");
        JsonNode first = either(o, "firstTimestamp", "deprecatedFirstTimestamp");
        JsonNode last = either(o, "lastTimestamp", "deprecatedLastTimestamp");
        JsonNode source = either(o, "source", "deprecatedSource");
        String firstSeen = Ages.instant(first) == null ? Ages.since(o.path("eventTime"), now) : Ages.since(first, now);
        String lastSeen = Ages.instant(last) == null ? firstSeen : Ages.since(last, now);
        long count = either(o, "count", "deprecatedCount").asLong();
        JsonNode series = o.path("series");
        if (series.isObject()) {
            lastSeen = Ages.since(series.path("lastObservedTime"), now);
            count = series.path("count").asLong();
        } else if (count == 0) {
            count = 1;
        }
        String kind = object.path("kind").asText("").toLowerCase(Locale.ROOT);
        String objectName = object.path("name").asText("");
        String component = source.path("component").asText("");
        if (component.isEmpty()) {
            component = either(o, "reportingComponent", "reportingController").asText("");
        }
        String host = source.path("host").asText("");
        if (host.isEmpty()) {
            host = o.path("reportingInstance").asText("");
        }
        return new Row()
                .add(lastSeen)
                .add(o.path("type").asText(""))
                .add(o.path("reason").asText(""))
                .add(objectName.isEmpty() ? kind : kind + "/" + objectName)
                .add(object.path("fieldPath").asText(""))
                .add(host.isEmpty() ? component : component + ", " + host)
                .add(either(o, "message", "note").asText("").strip())
                .add(firstSeen)
                .add(count)
                .add(name(o));
    }

    private static JsonNode either(JsonNode o, String one, String other) {
        return o.has(one) ? o.path(one) : o.path(other);
    }

    private static Row persistentVolume(JsonNode o, Instant now) {
        JsonNode spec = o.path("spec");
        JsonNode claim = spec.path("claimRef");
        String phase = Texts.isDeleting(o)
                ? "Terminating"
                : o.path("status").path("phase").asText("");
        return new Row()
                .add(name(o))
                .add(spec.path("capacity").path("storage").asText("0"))
                .add(accessModes(spec.path("accessModes")))
                .add(spec.path("persistentVolumeReclaimPolicy").asText(""))
                .add(phase)
                .add(
                        claim.isObject()
                                ? claim.path("namespace").asText("") + "/"
                                        + claim.path("name").asText("")
                                : "")
                .add(storageClass(o))
                .add(Texts.orUnset(spec.path("volumeAttributesClassName")))
                .add(o.path("status").path("reason").asText(""))
                .add(Ages.of(o, now))
                .add(Texts.orUnset(spec.path("volumeMode")));
    }

    private static Row persistentVolumeClaim(JsonNode o, Instant now) {
        JsonNode spec = o.path("spec");
        String volume = spec.path("volumeName").asText("");
        String phase = Texts.isDeleting(o)
                ? "Terminating"
                : o.path("status").path("phase").asText("");
        return new Row()
                .add(name(o))
                .add(phase)
                .add(volume)
                .add(
                        volume.isEmpty()
                                ? ""
                                : o.path("status")
                                        .path("capacity")
                                        .path("storage")
                                        .asText("0"))
                .add(volume.isEmpty() ? "" : accessModes(o.path("status").path("accessModes")))
                .add(storageClass(o))
                .add(Texts.orUnset(spec.path("volumeAttributesClassName")))
                .add(Ages.of(o, now))
                .add(Texts.orUnset(spec.path("volumeMode")));
    }

    /** The annotation is how the class was given before there was a field. */
    private static String storageClass(JsonNode o) {
        JsonNode annotation = o.path("metadata").path("annotations").path("volume.beta.kubernetes.io/storage-class");
        return annotation.isTextual()
                ? annotation.asText()
                : o.path("spec").path("storageClassName").asText("");
    }

    private static String accessModes(JsonNode modes) {
        List<String> given = new ArrayList<>();
        modes.forEach(m -> given.add(m.asText("")));
        List<String> texts = new ArrayList<>();
        List.of("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod").stream()
                .filter(given::contains)
                .forEach(m -> texts.add(
                        switch (m) {
                            case "ReadWriteOnce" -> "RWO";
                            case "ReadOnlyMany" -> "ROX";
                            case "ReadWriteMany" -> "RWX";
                            default -> "RWOP";
                        }));
        return String.join(",", texts);
    }

    private static Row resourceQuota(JsonNode o, Instant now) {
        TreeMap<String, JsonNode> hard = new TreeMap<>();
        o.path("status").path("hard").fields().forEachRemaining(f -> hard.put(f.getKey(), f.getValue()));
        List<String> requests = new ArrayList<>();
        List<String> limits = new ArrayList<>();
        hard.forEach((resource, limit) -> (resource.startsWith("limits") ? limits : requests)
                .add(resource + ": "
                        + o.path("status").path("used").path(resource).asText("0") + "/" + limit.asText()));
        return new Row()
                .add(name(o))
                .add(String.join(", ", requests))
                .add(String.join(", ", limits))
                .add(Ages.of(o, now));
    }

    private static Row componentStatus(JsonNode o, Instant now) {
        String status = "Unknown";
        String message = "";
        String error = "";
        for (JsonNode condition : o.path("conditions")) {
            if (condition.path("type").asText("").equals("Healthy")) {
                status = Texts.isTrue(condition) ? "Healthy" : "Unhealthy";
                message = condition.path("message").asText("");
                error = condition.path("error").asText("");
                break;
            }
        }
        return new Row().add(name(o)).add(status).add(message).add(error);
    }
}
