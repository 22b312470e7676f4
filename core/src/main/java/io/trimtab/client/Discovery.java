package io.trimtab.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Asks a server what it serves. Stateless: each call goes to the server. */
public final class Discovery {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Discovery() {}

    /**
     * A resource, at its group's preferred version.
     *
     * @param verbs such as {@code list} and {@code deletecollection}
     */
    public record Served(ResourceType<GenericKubernetesResource> type, Set<String> verbs) {
        /** True if all of these verbs are served. */
        public boolean can(String... wanted) {
            return verbs.containsAll(List.of(wanted));
        }
    }

    /**
     * What is served, as far as it could be found out.
     *
     * @param resources without subresources
     * @param failures groups that could not be asked, and why
     */
    public record Found(List<Served> resources, List<String> failures) {}

    /**
     * All resources at their preferred versions.
     *
     * @throws ApiException if not even the list of groups can be had
     */
    public static Found preferredResources(Client client) {
        return preferredResources(client, new Answers());
    }

    /**
     * What a server has answered, for those who ask again and again: an answer that is the same as before is not read anew. For one
     * thread at a time.
     */
    public static final class Answers {
        private static final class Answer {
            final byte[] body;
            final JsonNode tree;
            /** What a list of resources says; null until somebody has read it. */
            @Nullable
            List<Served> served;

            Answer(byte[] body, JsonNode tree) {
                this.body = body;
                this.tree = tree;
            }
        }

        private final Map<String, Answer> byPath = new HashMap<>();
        /** Since when all answers are the same. */
        private int changes;

        private int foundAt;
        private @Nullable Found found;

        private Answer read(String path, byte[] body) throws IOException {
            Answer before = byPath.get(path);
            if (before == null || !Arrays.equals(before.body, body)) {
                before = new Answer(body, JSON.readTree(body));
                byPath.put(path, before);
                changes++;
            }
            return before;
        }
    }

    /** The same for somebody who has asked before; who is told the same object if nothing has changed. */
    public static Found preferredResources(Client client, Answers answers) {
        List<Served> resources = new ArrayList<>();
        List<String> failures = new ArrayList<>();
        add(client, answers, "", "v1", resources, failures);
        Set<String> taken = new HashSet<>();
        for (JsonNode group : read(client, answers, "/apis").tree.path("groups")) {
            String name = group.path("name").asText();
            String preferred = group.path("preferredVersion").path("version").asText();
            Set<String> seen = new HashSet<>();
            List<Served> found = new ArrayList<>();
            add(client, answers, name, preferred, found, failures);
            found.forEach(served -> seen.add(served.type().plural()));
            for (JsonNode version : group.path("versions")) {
                String other = version.path("version").asText();
                if (!other.equals(preferred)) {
                    // A resource that only another version has is at its best there.
                    List<Served> more = new ArrayList<>();
                    add(client, answers, name, other, more, failures);
                    more.stream()
                            .filter(served -> seen.add(served.type().plural()))
                            .forEach(found::add);
                }
            }
            if (taken.add(name)) {
                resources.addAll(found);
            }
        }
        Found before = answers.found;
        if (before != null
                && answers.foundAt == answers.changes
                && before.failures().equals(failures)) {
            return before;
        }
        Found found = new Found(List.copyOf(resources), List.copyOf(failures));
        answers.found = found;
        answers.foundAt = answers.changes;
        return found;
    }

    private static void add(
            Client client,
            Answers answers,
            String group,
            String version,
            List<Served> resources,
            List<String> failures) {
        String apiVersion = group.isEmpty() ? version : group + "/" + version;
        Answers.Answer list;
        try {
            list = read(client, answers, (group.isEmpty() ? "/api/" : "/apis/") + apiVersion);
        } catch (ApiException e) {
            failures.add(apiVersion + ": " + e.getMessage());
            return;
        }
        if (list.served == null) {
            list.served = served(list.tree, group, version);
        }
        resources.addAll(list.served);
    }

    private static List<Served> served(JsonNode list, String group, String version) {
        List<Served> resources = new ArrayList<>();
        for (JsonNode resource : list.path("resources")) {
            String plural = resource.path("name").asText();
            if (plural.contains("/")) {
                continue;
            }
            Set<String> verbs = new HashSet<>();
            resource.path("verbs").forEach(verb -> verbs.add(verb.asText()));
            resources.add(new Served(
                    ResourceType.dynamic(
                            group,
                            version,
                            plural,
                            resource.path("kind").asText(),
                            resource.path("namespaced").asBoolean()),
                    Set.copyOf(verbs)));
        }
        return List.copyOf(resources);
    }

    private static Answers.Answer read(Client client, Answers answers, String path) {
        try {
            return answers.read(path, client.raw("GET", path, null));
        } catch (IOException e) {
            throw new ApiException("the reply to GET " + path + " is no JSON", e);
        }
    }
}
