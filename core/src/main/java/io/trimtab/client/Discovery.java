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
        private record Answer(byte[] body, JsonNode tree) {}

        private final Map<String, Answer> byPath = new HashMap<>();

        private JsonNode read(String path, byte[] body) throws IOException {
            Answer before = byPath.get(path);
            if (before == null || !Arrays.equals(before.body(), body)) {
                before = new Answer(body, JSON.readTree(body));
                byPath.put(path, before);
            }
            return before.tree();
        }
    }

    /** The same for somebody who has asked before. */
    public static Found preferredResources(Client client, Answers answers) {
        List<Served> resources = new ArrayList<>();
        List<String> failures = new ArrayList<>();
        add(client, answers, "", "v1", resources, failures);
        Set<String> taken = new HashSet<>();
        for (JsonNode group : read(client, answers, "/apis").path("groups")) {
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
        return new Found(List.copyOf(resources), List.copyOf(failures));
    }

    private static void add(
            Client client,
            Answers answers,
            String group,
            String version,
            List<Served> resources,
            List<String> failures) {
        String apiVersion = group.isEmpty() ? version : group + "/" + version;
        JsonNode list;
        try {
            list = read(client, answers, (group.isEmpty() ? "/api/" : "/apis/") + apiVersion);
        } catch (ApiException e) {
            failures.add(apiVersion + ": " + e.getMessage());
            return;
        }
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
    }

    private static JsonNode read(Client client, Answers answers, String path) {
        try {
            return answers.read(path, client.raw("GET", path, null));
        } catch (IOException e) {
            throw new ApiException("the reply to GET " + path + " is no JSON", e);
        }
    }
}
