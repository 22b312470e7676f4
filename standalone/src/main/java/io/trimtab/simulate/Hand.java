package io.trimtab.simulate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.client.KubernetesJson;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.selector.FieldSelector;
import io.trimtab.selector.LabelSelectors;
import io.trimtab.standalone.Cluster;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Does what a scenario says, as an administrator with kubectl would. Runs on the simulation's thread. */
final class Hand {
    /** As kubectl does for an eviction that a budget refuses. */
    private static final Duration EVICTION_RETRY = Duration.ofSeconds(5);

    private static final byte[] DELETING = "\"deletionTimestamp\":".getBytes(StandardCharsets.US_ASCII);

    private static final UserInfo USER = UserInfo.of("scenario", UserInfo.MASTERS_GROUP, UserInfo.AUTHENTICATED_GROUP);

    private final Cluster cluster;
    private final VirtualDriver driver;
    private final Consumer<String> tell;
    private int added;

    Hand(Cluster cluster, VirtualDriver driver, Consumer<String> tell) {
        this.cluster = cluster;
        this.driver = driver;
        this.tell = tell;
    }

    /** Sees to it that everything is done in its time. */
    void schedule(Scenario scenario, Duration length) {
        for (Scenario.Action action : scenario.actions()) {
            if (action.at().compareTo(length) <= 0) {
                schedule(action, action.at(), 1, length);
            }
        }
    }

    private void schedule(Scenario.Action action, Duration delay, int turn, Duration length) {
        driver.schedule(delay, () -> {
            perform(action, turn);
            Duration every = action.every();
            if (every != null) {
                Duration next = action.at().plus(every.multipliedBy(turn));
                Duration until = action.until() == null ? length : action.until();
                if (next.compareTo(until) <= 0) {
                    schedule(action, every, turn + 1, length);
                }
            }
        });
    }

    /** What goes wrong is told, and the run goes on: that is a finding, too. */
    private void perform(Scenario.Action action, int turn) {
        try {
            switch (action.verb()) {
                case APPLY -> apply(action.subject(), turn);
                case DELETE -> delete(action);
                case PATCH -> patch(action);
                case SCALE -> scale(action);
                case RESTART -> restart(action);
                case CORDON -> cordon(action.subject().asText(), true);
                case UNCORDON -> cordon(action.subject().asText(), false);
                case DRAIN -> drain(action.subject().asText());
                case FAIL -> fail(action);
                case RECOVER -> {
                    tell.accept("recover node " + action.subject().asText());
                    cluster.resumeNode(action.subject().asText());
                }
                case ADD_NODES -> addNodes(action.subject().asInt());
            }
        } catch (SimulationException e) {
            tell.accept(action.verb().field + " failed: " + e.getMessage());
        }
    }

    // ---- what is done

    /** Objects in the order given, as by {@code kubectl apply --server-side --force-conflicts}. */
    void apply(JsonNode subject, int turn) {
        List<ObjectNode> objects = new ArrayList<>();
        if (subject.isTextual()) {
            objects.addAll(ClusterState.parse(subject.asText().replace("${n}", Integer.toString(turn)), "apply")
                    .objects());
        } else {
            for (JsonNode one : subject.isArray() ? subject : List.of(subject)) {
                objects.add(Objects.parse(
                        one.toString().replace("${n}", Integer.toString(turn)).getBytes(StandardCharsets.UTF_8)));
            }
        }
        objects.forEach(this::apply);
    }

    void apply(ObjectNode object) {
        Served served = served(object);
        String name = object.path("metadata").path("name").asText("");
        String namespace = object.path("metadata").path("namespace").asText("default");
        String shown = described(served.resource(), namespace, name);
        if (name.isEmpty()) {
            request("POST", path(served.resource(), namespace, null), Map.of(), "application/json", object.toString());
            tell.accept("create " + shown);
            return;
        }
        Map<String, List<String>> query = new LinkedHashMap<>();
        query.put("fieldManager", List.of("scenario"));
        query.put("force", List.of("true"));
        ObjectNode applied = object.deepCopy();
        ((ObjectNode) applied.get("metadata")).remove(List.of("managedFields", "resourceVersion"));
        request(
                "PATCH",
                path(served.resource(), namespace, name),
                query,
                "application/apply-patch+yaml",
                applied.toString());
        tell.accept("apply " + shown);
    }

    private void delete(Scenario.Action action) {
        String subject = action.subject().asText();
        Target target = target(subject, action.text("namespace"));
        if (target.name() != null) {
            remove(target.resource(), target.namespace(), target.name());
            tell.accept("delete " + described(target.resource(), target.namespace(), target.name()));
            return;
        }
        String selector = action.text("selector");
        List<StoredObject> found =
                list(target.resource(), action.details().has("namespace") ? target.namespace() : null, selector);
        int count = action.details().path("count").asInt(found.size());
        List<StoredObject> chosen = new ArrayList<>();
        while (chosen.size() < count && !found.isEmpty()) {
            chosen.add(found.remove(driver.random().nextInt(found.size())));
        }
        for (StoredObject one : chosen) {
            remove(target.resource(), one.namespace(), one.name());
            tell.accept("delete " + described(target.resource(), one.namespace(), one.name()));
        }
        if (chosen.isEmpty()) {
            tell.accept("delete " + subject + (selector.isEmpty() ? "" : " " + selector) + ": there is none");
        }
    }

    private void remove(ApiResource resource, String namespace, String name) {
        request(
                "DELETE",
                path(resource, namespace, name),
                Map.of(),
                "application/json",
                "{\"propagationPolicy\":\"Background\"}");
    }

    private void patch(Scenario.Action action) {
        Target target = named(action);
        merge(target, action.details().path("with").toString());
        tell.accept("patch " + target);
    }

    private void merge(Target target, String patch) {
        request(
                "PATCH",
                path(target.resource(), target.namespace(), target.name()),
                Map.of(),
                "application/merge-patch+json",
                patch);
    }

    private void scale(Scenario.Action action) {
        Target target = named(action);
        int replicas = action.details().path("replicas").asInt(-1);
        if (replicas < 0) {
            throw new SimulationException("scale " + target + ": expected replicas");
        }
        request(
                "PATCH",
                path(target.resource(), target.namespace(), target.name()) + "/scale",
                Map.of(),
                "application/merge-patch+json",
                "{\"spec\":{\"replicas\":" + replicas + "}}");
        tell.accept("scale " + target + " to " + replicas);
    }

    private void restart(Scenario.Action action) {
        Target target = named(action);
        merge(
                target,
                "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/restartedAt\":\""
                        + driver.now() + "\"}}}}}");
        tell.accept("restart " + target);
    }

    private void cordon(String node, boolean unschedulable) {
        merge(target("node/" + node, ""), "{\"spec\":{\"unschedulable\":" + (unschedulable ? "true" : "null") + "}}");
        tell.accept((unschedulable ? "cordon" : "uncordon") + " node " + node);
    }

    private void drain(String node) {
        cordon(node, true);
        Set<String> pods = new TreeSet<>();
        ApiResource resource = target("pods", "").resource();
        for (StoredObject pod : list(resource, null, "")) {
            JsonNode tree = pod.tree();
            boolean daemon = false;
            for (JsonNode owner : tree.path("metadata").path("ownerReferences")) {
                daemon |= owner.path("kind").asText().equals("DaemonSet")
                        && owner.path("controller").asBoolean();
            }
            boolean mirror = tree.path("metadata").path("annotations").has("kubernetes.io/config.mirror");
            if (!daemon
                    && !mirror
                    && tree.path("spec").path("nodeName").asText().equals(node)) {
                pods.add(pod.namespace() + "/" + pod.name());
            }
        }
        tell.accept("drain node " + node + ": " + pods.size() + " pods to evict");
        evict(node, pods, true);
    }

    private void evict(String node, Set<String> pods, boolean first) {
        Set<String> refused = new TreeSet<>();
        for (String pod : pods) {
            String[] parts = pod.split("/", 2);
            String path = "/api/v1/namespaces/" + parts[0] + "/pods/" + parts[1] + "/eviction";
            ApiResponse.Whole answer = send(
                    "POST",
                    path,
                    Map.of(),
                    "application/json",
                    "{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"" + parts[1]
                            + "\",\"namespace\":\"" + parts[0] + "\"}}");
            if (answer.code() == 429) {
                refused.add(pod);
                if (first) {
                    tell.accept("eviction of pod " + pod + " waits: " + message(answer));
                }
            }
        }
        if (refused.isEmpty()) {
            tell.accept("drain node " + node + ": all evicted");
        } else {
            driver.schedule(EVICTION_RETRY, () -> evict(node, refused, false));
        }
    }

    private void fail(Scenario.Action action) {
        String node = action.subject().asText();
        cluster.stopNode(node);
        tell.accept("fail node " + node);
        if (action.details().has("for")) {
            driver.schedule(Times.parse(action.text("for"), "fail " + node + ", for"), () -> {
                cluster.resumeNode(node);
                tell.accept("recover node " + node);
            });
        }
    }

    private void addNodes(int count) {
        for (int i = 0; i < count; i++) {
            added++;
            cluster.addNode("added-" + added);
        }
        tell.accept("add " + count + " nodes");
    }

    // ---- how it is said

    private record Target(
            ApiResource resource,
            String namespace,
            @Nullable String name) {
        @Override
        public String toString() {
            return described(resource, namespace, name);
        }
    }

    private Target named(Scenario.Action action) {
        Target target = target(action.subject().asText(), action.text("namespace"));
        if (target.name() == null) {
            throw new SimulationException("expected a kind and a name, such as deployment/web; found "
                    + action.subject().asText());
        }
        return target;
    }

    /** {@code deployment/web}, {@code pods}, {@code deploy.apps/web}. */
    private Target target(String text, String namespace) {
        int slash = text.indexOf('/');
        String kind = (slash < 0 ? text : text.substring(0, slash)).toLowerCase(Locale.ROOT);
        int dot = kind.indexOf('.');
        String plain = dot < 0 ? kind : kind.substring(0, dot);
        for (Served served : cluster.apiServer().server().resources().all()) {
            ApiResource resource = served.resource();
            boolean named = resource.plural().equals(plain)
                    || resource.singular().equals(plain)
                    || resource.kind().toLowerCase(Locale.ROOT).equals(plain)
                    || resource.shortNames().contains(plain);
            if (named && (dot < 0 || resource.group().equals(kind.substring(dot + 1)))) {
                return new Target(
                        resource,
                        resource.namespaced() ? namespace.isEmpty() ? "default" : namespace : "",
                        slash < 0 ? null : text.substring(slash + 1));
            }
        }
        throw new SimulationException("there is no kind named " + kind);
    }

    private Served served(ObjectNode object) {
        String apiVersion = object.path("apiVersion").asText();
        int slash = apiVersion.indexOf('/');
        Served served = cluster.apiServer()
                .server()
                .resources()
                .findByKind(
                        slash < 0 ? "" : apiVersion.substring(0, slash),
                        apiVersion.substring(slash + 1),
                        object.path("kind").asText());
        if (served == null) {
            throw new SimulationException(
                    "no matches for kind \"" + object.path("kind").asText() + "\" in version \"" + apiVersion + "\"");
        }
        return served;
    }

    private static String described(ApiResource resource, String namespace, @Nullable String name) {
        return resource.singular()
                + (name == null || name.isEmpty() ? "" : " " + (resource.namespaced() ? namespace + "/" : "") + name);
    }

    private static String path(ApiResource resource, String namespace, @Nullable String name) {
        return (resource.group().isEmpty() ? "/api/" : "/apis/") + resource.apiVersion()
                + (resource.namespaced() ? "/namespaces/" + namespace : "") + "/" + resource.plural()
                + (name == null ? "" : "/" + name);
    }

    private List<StoredObject> list(ApiResource resource, @Nullable String namespace, String selector) {
        Served served = java.util.Objects.requireNonNull(
                cluster.apiServer().server().resources().find(resource.group(), resource.version(), resource.plural()));
        List<StoredObject> found = new ArrayList<>();
        cluster.apiServer()
                .server()
                .storage()
                .list(
                        served.storage(),
                        new Storage.ListQuery(
                                namespace,
                                selector.isEmpty() ? LabelSelectors.everything() : LabelSelectors.parse(selector),
                                FieldSelector.everything(),
                                0,
                                false,
                                0,
                                null))
                .objects()
                .forEachRemaining(object -> {
                    if (!isDeleting(object)) {
                        found.add(object);
                    }
                });
        return found;
    }

    private static boolean isDeleting(StoredObject object) {
        byte[] json = object.json();
        for (int i = 0; i <= json.length - DELETING.length; i++) {
            // Few objects have such a field anywhere, and only those are parsed.
            if (json[i] == '"' && Arrays.equals(json, i, i + DELETING.length, DELETING, 0, DELETING.length)) {
                return object.tree().path("metadata").has("deletionTimestamp");
            }
        }
        return false;
    }

    private void request(String method, String path, Map<String, List<String>> query, String type, String body) {
        ApiResponse.Whole answer = send(method, path, query, type, body);
        if (answer.code() >= 300) {
            throw new SimulationException(message(answer));
        }
    }

    private static String message(ApiResponse.Whole answer) {
        String text = new String(answer.body(), StandardCharsets.UTF_8);
        return text.startsWith("{")
                ? Objects.parse(answer.body()).path("message").asText(text)
                : text;
    }

    private ApiResponse.Whole send(
            String method, String path, Map<String, List<String>> query, String type, String body) {
        ApiResponse answer = cluster.apiServer()
                .transport()
                .handle(new ApiRequest(
                        method,
                        path,
                        query,
                        Map.of(
                                "content-type", List.of(type),
                                "accept", List.of("application/json"),
                                "user-agent", List.of("scenario")),
                        body.getBytes(StandardCharsets.UTF_8),
                        ApiRequest.Peer.trusted(USER)));
        if (answer instanceof ApiResponse.Whole whole) {
            return whole;
        }
        return new ApiResponse.Whole(
                answer.code(), answer.headers(), KubernetesJson.write(Map.of()).getBytes(StandardCharsets.UTF_8));
    }
}
