package io.trimtab.junit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.selector.FieldSelector;
import io.trimtab.selector.LabelSelectors;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The objects that programs have left, as far as two runs should agree on them: without times, UIDs, revisions, names that are
 * drawn, nodes and addresses that are given by others. Immutable.
 */
final class EndState {
    private static final Pattern UID = Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
    private static final Pattern TIME = Pattern.compile("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z");
    private static final Set<String> IGNORED = Set.of(
            "uid",
            "resourceVersion",
            "generation",
            "observedGeneration",
            "managedFields",
            "creationTimestamp",
            "nodeName",
            "clusterIP",
            "clusterIPs",
            "nodePort");

    static final EndState NONE = new EndState(List.of(), Set.of());

    private final List<String> objects;
    private final Set<String> resources;

    private EndState(List<String> objects, Set<String> resources) {
        this.objects = objects;
        this.resources = resources;
    }

    static EndState of(Cluster cluster) {
        Set<String> written = new TreeSet<>();
        Set<String> statuses = new TreeSet<>();
        for (History.Entry entry : cluster.history().entries()) {
            if (entry instanceof History.Call call
                    && call.isWrite()
                    && call.changed()
                    && cluster.instance(call.actor()).isPresent()
                    && !call.target().resource().equals("events")
                    && !call.target().resource().equals("leases")) {
                String resource = call.target().resource() + "." + call.target().group();
                written.add(resource);
                if (call.target().subresource().equals("status")) {
                    statuses.add(resource);
                }
            }
        }
        return of(cluster, written, statuses);
    }

    private static EndState of(Cluster cluster, Set<String> written, Set<String> statuses) {
        List<String> objects = new ArrayList<>();
        Map<String, String> drawn = new TreeMap<>();
        Set<String> done = new LinkedHashSet<>();
        var server = cluster.parts().apiServer().server();
        for (Served served : server.resources().all()) {
            String resource =
                    served.resource().plural() + "." + served.resource().group();
            if (!written.contains(resource) || !done.add(resource)) {
                continue;
            }
            Storage.Listing listing = server.storage()
                    .list(
                            served.storage(),
                            new Storage.ListQuery(
                                    null, LabelSelectors.everything(), FieldSelector.everything(), 0, false, 0, null));
            listing.objects().forEachRemaining(object -> {
                if (!isStanding(object.namespace(), served.resource().plural(), object.name())) {
                    ObjectNode tree = object.copy();
                    if (!statuses.contains(resource)) {
                        tree.remove("status");
                    }
                    String prefix = tree.path("metadata").path("generateName").asText("");
                    if (!prefix.isEmpty()) {
                        drawn.put(object.name(), prefix + "*");
                    }
                    objects.add(resource + " " + canonical(tree));
                }
            });
        }
        // Names that were drawn show up in other objects, too.
        drawn.forEach((name, pattern) -> objects.replaceAll(text -> text.replace(name, pattern)));
        objects.sort(null);
        return new EndState(List.copyOf(objects), written);
    }

    /** What each cluster has anyway. */
    private static boolean isStanding(String namespace, String resource, String name) {
        return namespace.startsWith("kube-")
                || name.startsWith("system:")
                || name.equals("kube-root-ca.crt")
                || resource.equals("services") && name.equals("kubernetes")
                || resource.equals("serviceaccounts") && name.equals("default");
    }

    private static String canonical(ObjectNode object) {
        clean(object);
        String text = UID.matcher(object.toString()).replaceAll("<uid>");
        text = TIME.matcher(text).replaceAll("<time>");
        return text.replaceAll("kube-api-access-[a-z0-9]{5}", "kube-api-access-*");
    }

    private static void clean(@Nullable JsonNode node) {
        if (node instanceof ObjectNode object) {
            Map<String, JsonNode> sorted = new TreeMap<>();
            for (Iterator<Map.Entry<String, JsonNode>> fields = object.fields(); fields.hasNext(); ) {
                Map.Entry<String, JsonNode> field = fields.next();
                if (!IGNORED.contains(field.getKey()) && !field.getKey().startsWith(Cluster.MEDDLER)) {
                    sorted.put(field.getKey(), field.getValue());
                }
            }
            object.removeAll();
            sorted.forEach((key, value) -> {
                clean(value);
                if (!(value.isObject() && value.isEmpty())) {
                    object.set(key, value);
                }
            });
        } else if (node instanceof ArrayNode array) {
            array.forEach(EndState::clean);
        }
    }

    /** The first differences to another run's, in words; empty if there are none. */
    String differencesTo(EndState good) {
        List<String> missing = new ArrayList<>(good.objects);
        objects.forEach(missing::remove);
        List<String> extra = new ArrayList<>(objects);
        good.objects.forEach(extra::remove);
        if (missing.isEmpty() && extra.isEmpty()) {
            return "";
        }
        StringBuilder text = new StringBuilder();
        missing.stream()
                .limit(3)
                .forEach(o -> text.append("\n    only in the good run: ").append(cut(o)));
        extra.stream()
                .limit(3)
                .forEach(o -> text.append("\n    only in this run:     ").append(cut(o)));
        int more = missing.size() + extra.size() - Math.min(3, missing.size()) - Math.min(3, extra.size());
        return text + (more > 0 ? "\n    and " + more + " more" : "");
    }

    private static String cut(String text) {
        return text.length() > 700 ? text.substring(0, 700) + "..." : text;
    }

    /** Which resources programs have written. */
    Set<String> resources() {
        return resources;
    }

    List<String> objects() {
        return objects;
    }
}
