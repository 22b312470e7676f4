package io.trimtab.simulate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.Interceptor;
import io.fabric8.kubernetes.client.utils.HttpClientUtils;
import io.trimtab.client.ApiException;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.client.FabricClient;
import io.trimtab.client.KubernetesJson;
import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Reads all objects of a live cluster. Nothing but GET leaves it: an interceptor between the client and the wire refuses any
 * other method, whoever asks for it, so that an administrator's kubeconfig is safe to give. Stateless.
 *
 * @since 0.1
 */
public final class LiveCluster {
    private static final int PAGE = 500;

    /** Said about what happened, or about what is elsewhere: no state of the cluster's own. */
    private static final Set<String> NOT_READ = Set.of(
            "events", "events.events.k8s.io", "componentstatuses", "nodes.metrics.k8s.io", "pods.metrics.k8s.io");

    /**
     * What was read, and what was not.
     *
     * @param notes resources that could not be read, and why
     */
    public record Reading(ClusterState state, List<String> notes) {}

    private LiveCluster() {}

    /**
     * Reads everything that the credentials may list.
     *
     * @throws SimulationException if the cluster does not answer
     */
    public static Reading read(Config config, Driver driver) {
        try (FabricClient client = Clients.connect(
                readOnly(HttpClientUtils.getHttpClientFactory()), config, driver, ClientOptions.DEFAULT)) {
            return read(client, config.getMasterUrl());
        }
    }

    /** A transport that carries nothing but GET. */
    static HttpClient.Factory readOnly(HttpClient.Factory transport) {
        Interceptor wall = new Interceptor() {
            @Override
            public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
                if (!request.method().equals("GET")) {
                    throw new IllegalStateException(
                            "a live cluster is only read, but this would be " + request.method() + " " + request.uri());
                }
            }
        };
        return () -> transport.newBuilder().addOrReplaceInterceptor("read-only", wall);
    }

    private static Reading read(FabricClient client, String url) {
        List<ObjectNode> objects = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        try {
            resources(client).forEach((path, resource) -> {
                try {
                    list(client, path, resource, objects);
                } catch (ApiException e) {
                    if (e.code() == 0) {
                        throw e;
                    }
                    notes.add("not read: " + resource.path("name").asText() + " (" + path + "): " + e.getMessage());
                }
            });
        } catch (ApiException e) {
            throw new SimulationException("the cluster at " + url + " cannot be read: " + e.getMessage(), e);
        }
        return new Reading(new ClusterState(objects, url), notes);
    }

    /** What can be listed, at the versions that the server prefers, by path. */
    private static Map<String, JsonNode> resources(FabricClient client) {
        Set<String> prefixes = new TreeSet<>();
        prefixes.add("/api/v1");
        for (JsonNode group : get(client, "/apis").path("groups")) {
            prefixes.add("/apis/"
                    + group.path("preferredVersion").path("groupVersion").asText());
        }
        Map<String, JsonNode> found = new LinkedHashMap<>();
        for (String prefix : prefixes) {
            JsonNode list;
            try {
                list = get(client, prefix);
            } catch (ApiException e) {
                if (e.code() == 0) {
                    throw e;
                }
                continue; // an aggregated server that is down
            }
            String groupVersion = list.path("groupVersion").asText();
            for (JsonNode resource : list.path("resources")) {
                String name = resource.path("name").asText();
                int slash = groupVersion.indexOf('/');
                String qualified = slash < 0 ? name : name + "." + groupVersion.substring(0, slash);
                boolean lists = false;
                for (JsonNode verb : resource.path("verbs")) {
                    lists |= verb.asText().equals("list");
                }
                if (lists && !name.contains("/") && !NOT_READ.contains(qualified)) {
                    ((ObjectNode) resource).put("groupVersion", groupVersion);
                    found.put(prefix + "/" + name, resource);
                }
            }
        }
        return found;
    }

    private static void list(FabricClient client, String path, JsonNode resource, List<ObjectNode> objects) {
        String next = "";
        do {
            JsonNode page = get(
                    client,
                    path + "?limit=" + PAGE
                            + (next.isEmpty() ? "" : "&continue=" + URLEncoder.encode(next, StandardCharsets.UTF_8)));
            for (JsonNode item : page.path("items")) {
                ObjectNode object = (ObjectNode) item;
                object.put("apiVersion", resource.path("groupVersion").asText());
                object.put("kind", resource.path("kind").asText());
                objects.add(object);
            }
            next = page.path("metadata").path("continue").asText("");
        } while (!next.isEmpty());
    }

    private static JsonNode get(FabricClient client, String path) {
        try {
            return KubernetesJson.mapper().readTree(client.raw("GET", path, null));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
