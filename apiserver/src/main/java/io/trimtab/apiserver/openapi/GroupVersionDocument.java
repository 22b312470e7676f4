package io.trimtab.apiserver.openapi;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.openapi.Parameters.Parameter;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.Served;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Builds the document of one group version. For one thread, and one use. */
final class GroupVersionDocument {
    private static final String STATUS = Definitions.META + "Status";
    private static final List<String> OBJECT_TYPES =
            List.of("application/json", "application/vnd.kubernetes.protobuf", "application/yaml");
    private static final List<String> STREAM_TYPES = List.of(
            "application/json",
            "application/json;stream=watch",
            "application/vnd.kubernetes.protobuf",
            "application/vnd.kubernetes.protobuf;stream=watch",
            "application/yaml");
    private static final List<String> CUSTOM_OBJECT_TYPES = List.of("application/json", "application/yaml");
    private static final List<String> PATCH_TYPES = List.of(
            "application/apply-patch+yaml",
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/strategic-merge-patch+json");
    private static final List<String> PROXY_METHODS =
            List.of("get", "put", "post", "delete", "options", "head", "patch");

    private final String group;
    private final String version;
    private final Definitions definitions;
    private final Function<Served, @Nullable ObjectNode> customSchemas;
    /** Whether the document will be made into one of version 2, which has fewer words for types. */
    private final boolean version2;
    /** Operations by path, then by method, with their parameters still aside. */
    private final Map<String, Map<String, Operation>> paths = new TreeMap<>();

    private final Set<String> roots = new TreeSet<>();
    private final Map<String, ObjectNode> own = new LinkedHashMap<>();

    private record Operation(ObjectNode json, Set<Parameter> parameters) {}

    /** A kind, and the name of its type. */
    private record Type(String group, String version, String kind, String schema) {}

    GroupVersionDocument(
            String group,
            String version,
            Definitions definitions,
            Function<Served, @Nullable ObjectNode> customSchemas,
            boolean version2) {
        this.group = group;
        this.version = version;
        this.definitions = definitions;
        this.customSchemas = customSchemas;
        this.version2 = version2;
    }

    ObjectNode build(Collection<Served> resources) {
        boolean custom =
                !resources.isEmpty() && resources.iterator().next().resource().custom();
        if (!custom) {
            Operation discovery = operation(
                    "get",
                    "get" + title() + "APIResources",
                    "get available resources",
                    OBJECT_TYPES,
                    Definitions.META + "APIResourceList",
                    List.of("200"));
            put(prefix() + "/", "get", discovery, Set.of());
        }
        for (Served served : resources) {
            resource(served);
        }
        return document();
    }

    private String prefix() {
        return group.isEmpty() ? "/api/" + version : "/apis/" + group + "/" + version;
    }

    /** {@code core}, {@code apps}, {@code rbacAuthorization}. */
    static String tagOf(String group) {
        if (group.isEmpty()) {
            return "core";
        }
        String bare = group.endsWith(".k8s.io") ? group.substring(0, group.length() - 7) : group;
        StringBuilder tag = new StringBuilder();
        for (String part : bare.split("[.-]")) {
            tag.append(tag.length() == 0 ? part : capital(part));
        }
        return tag.toString();
    }

    private String title() {
        return capital(tagOf(group)) + capital(version);
    }

    private static String capital(String word) {
        return word.isEmpty() ? word : word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
    }

    private void resource(Served served) {
        ApiResource resource = served.resource();
        Type type = type(served);
        String scoped = resource.namespaced() ? "Namespaced" : "";
        String kind = resource.kind();
        Set<Parameter> scope = new LinkedHashSet<>();
        scope.add(Parameters.PRETTY);
        if (resource.namespaced()) {
            scope.add(Parameters.NAMESPACE);
        }
        String collection = prefix() + (resource.namespaced() ? "/namespaces/{namespace}/" : "/") + resource.plural();
        List<String> objects = resource.custom() ? CUSTOM_OBJECT_TYPES : OBJECT_TYPES;
        List<String> streams = resource.custom() ? CUSTOM_OBJECT_TYPES : STREAM_TYPES;
        boolean stored = resource.hasVerb("list");

        if (stored) {
            String list = type.schema() + "List";
            put(
                    collection,
                    "get",
                    op("list", "list" + title() + scoped + kind, "list objects of kind " + kind, type, streams, list),
                    with(scope, Parameters.LIST));
            if (resource.namespaced()) {
                Set<Parameter> all = new LinkedHashSet<>(Parameters.LIST);
                all.add(Parameters.PRETTY);
                put(
                        prefix() + "/" + resource.plural(),
                        "get",
                        op(
                                "list",
                                "list" + title() + kind + "ForAllNamespaces",
                                "list objects of kind " + kind,
                                type,
                                streams,
                                list),
                        all);
            }
        }
        if (resource.hasVerb("create")) {
            put(
                    collection,
                    "post",
                    body(
                            op(
                                    "post",
                                    "create" + title() + scoped + kind,
                                    "create a " + kind,
                                    type,
                                    objects,
                                    type.schema(),
                                    "201",
                                    "202"),
                            type.schema(),
                            true),
                    with(scope, Parameters.WRITE));
        }
        if (resource.hasVerb("deletecollection")) {
            put(
                    collection,
                    "delete",
                    body(
                            op(
                                    "deletecollection",
                                    "delete" + title() + "Collection" + scoped + kind,
                                    "delete collection of " + kind,
                                    type,
                                    objects,
                                    STATUS),
                            Definitions.META + "DeleteOptions",
                            false),
                    with(scope, Parameters.DELETE_COLLECTION));
        }
        Set<Parameter> named = new LinkedHashSet<>(scope);
        named.add(Parameters.NAME);
        String item = collection + "/{name}";
        object(item, named, resource.verbs(), "", kind, scoped, type, objects, resource.custom());
        if (resource.hasVerb("delete")) {
            boolean answersObject = served.kind().returnsDeletedObject();
            put(
                    item,
                    "delete",
                    body(
                            op(
                                    "delete",
                                    "delete" + title() + scoped + kind,
                                    "delete a " + kind,
                                    type,
                                    objects,
                                    answersObject ? type.schema() : STATUS,
                                    "202"),
                            Definitions.META + "DeleteOptions",
                            false),
                    with(named, Parameters.DELETE));
        }
        if (resource.hasVerb("watch") && !resource.custom()) {
            watches(resource, type, scoped);
        }
        for (ApiResource.Subresource sub : resource.subresources().values()) {
            subresource(resource, sub, type, item, named, scoped, objects);
        }
    }

    /** The old paths of watches. */
    private void watches(ApiResource resource, Type type, String scoped) {
        String event = Definitions.META + "WatchEvent";
        Set<Parameter> parameters = new LinkedHashSet<>(Parameters.LIST);
        parameters.add(Parameters.PRETTY);
        String kind = resource.kind();
        if (resource.namespaced()) {
            put(
                    prefix() + "/watch/" + resource.plural(),
                    "get",
                    op(
                            "watchlist",
                            "watch" + title() + kind + "ListForAllNamespaces",
                            "watch changes to a list of " + kind,
                            type,
                            STREAM_TYPES,
                            event),
                    new LinkedHashSet<>(parameters));
            parameters.add(Parameters.NAMESPACE);
        }
        String collection =
                prefix() + "/watch/" + (resource.namespaced() ? "namespaces/{namespace}/" : "") + resource.plural();
        put(
                collection,
                "get",
                op(
                        "watchlist",
                        "watch" + title() + scoped + kind + "List",
                        "watch changes to a list of " + kind,
                        type,
                        STREAM_TYPES,
                        event),
                new LinkedHashSet<>(parameters));
        if (resource.hasVerb("get")) {
            parameters.add(Parameters.NAME);
            put(
                    collection + "/{name}",
                    "get",
                    op(
                            "watch",
                            "watch" + title() + scoped + kind,
                            "watch changes to an object of kind " + kind,
                            type,
                            STREAM_TYPES,
                            event),
                    parameters);
        }
    }

    /** Read, replace and update of what is an object: a resource, or a subresource like status. */
    private void object(
            String path,
            Set<Parameter> named,
            Set<String> verbs,
            String suffix,
            String kind,
            String scoped,
            Type type,
            List<String> types,
            boolean custom) {
        String id = title() + scoped + kind + suffix;
        String of = suffix.isEmpty()
                ? "the specified " + kind
                : suffix.toLowerCase(Locale.ROOT) + " of the specified " + kind;
        if (verbs.contains("get")) {
            put(path, "get", op("get", "read" + id, "read " + of, type, types, type.schema()), named);
        }
        if (verbs.contains("update")) {
            put(
                    path,
                    "put",
                    body(
                            op("put", "replace" + id, "replace " + of, type, types, type.schema(), "201"),
                            type.schema(),
                            true),
                    with(named, Parameters.WRITE));
        }
        if (verbs.contains("patch")) {
            Operation patch = op(
                    "patch",
                    "patch" + id,
                    "partially update " + of,
                    type,
                    types,
                    type.schema(),
                    custom ? new String[0] : new String[] {"201"});
            ObjectNode content = patch.json().putObject("requestBody").putObject("content");
            for (String patchType : PATCH_TYPES) {
                if (!custom || !patchType.startsWith("application/strategic")) {
                    schema(content.putObject(patchType), Definitions.META + "Patch");
                }
            }
            ((ObjectNode) patch.json().get("requestBody")).put("required", true);
            put(path, "patch", patch, with(named, Parameters.PATCH));
        }
    }

    private void subresource(
            ApiResource resource,
            ApiResource.Subresource sub,
            Type parent,
            String item,
            Set<Parameter> named,
            String scoped,
            List<String> objects) {
        String path = item + "/" + sub.name();
        String suffix = suffix(sub.name());
        switch (sub.name()) {
            case "exec", "attach", "portforward", "proxy" -> {
                connect(resource, sub, path, named, scoped);
                return;
            }
            case "log" -> {
                Operation log = operation(
                        "get",
                        "read" + title() + scoped + resource.kind() + suffix,
                        "read log of the specified " + resource.kind(),
                        List.of(),
                        "",
                        List.of("200"));
                ObjectNode content = ((ObjectNode) log.json().path("responses").path("200")).putObject("content");
                for (String type : List.of(
                        "application/json", "application/vnd.kubernetes.protobuf", "application/yaml", "text/plain")) {
                    content.putObject(type).putObject("schema").put("type", "string");
                }
                action(log, "get", parent);
                put(path, "get", log, with(named, Parameters.connect("log")));
                return;
            }
            default -> {}
        }
        String subGroup =
                sub.version() == null || sub.version().isEmpty() ? group : sub.group() == null ? "" : sub.group();
        String subVersion = sub.version() == null || sub.version().isEmpty() ? version : sub.version();
        Type type = parent;
        if (!sub.kind().equals(resource.kind())) {
            String name = definitions.nameOf(subGroup, subVersion, sub.kind());
            type = new Type(subGroup, subVersion, sub.kind(), name == null ? STATUS : name);
        }
        object(path, named, sub.verbs(), suffix, resource.kind(), scoped, type, objects, resource.custom());
        if (sub.verbs().contains("create")) {
            put(
                    path,
                    "post",
                    body(
                            op(
                                    "post",
                                    "create" + title() + scoped + resource.kind() + suffix,
                                    "create " + sub.name() + " of a " + resource.kind(),
                                    type,
                                    objects,
                                    type.schema(),
                                    "201",
                                    "202"),
                            type.schema(),
                            true),
                    with(named, Parameters.WRITE));
        }
    }

    private static String suffix(String subresource) {
        return capital(subresource);
    }

    private void connect(
            ApiResource resource, ApiResource.Subresource sub, String path, Set<Parameter> named, String scoped) {
        Set<Parameter> parameters = new LinkedHashSet<>(named);
        parameters.remove(Parameters.PRETTY);
        parameters.addAll(Parameters.connect(sub.name()));
        boolean proxy = sub.name().equals("proxy");
        Type type = new Type(group, version, sub.kind(), "");
        for (String method : proxy ? PROXY_METHODS : List.of("get", "post")) {
            String id = "connect" + title() + capital(method) + scoped + resource.kind() + suffix(sub.name());
            put(path, method, connection(method, id, resource, sub, type), parameters);
            if (proxy) {
                Set<Parameter> deeper = new LinkedHashSet<>(parameters);
                deeper.add(new Parameter("path", "path", "string"));
                put(path + "/{path}", method, connection(method, id + "WithPath", resource, sub, type), deeper);
            }
        }
    }

    private Operation connection(
            String method, String id, ApiResource resource, ApiResource.Subresource sub, Type type) {
        Operation operation = operation(
                method,
                id,
                "connect " + method.toUpperCase(Locale.ROOT) + " requests to " + sub.name() + " of " + resource.kind(),
                List.of(),
                "",
                List.of("200"));
        ((ObjectNode) operation.json().path("responses").path("200"))
                .putObject("content")
                .putObject("*/*")
                .putObject("schema")
                .put("type", "string");
        action(operation, "connect", type);
        return operation;
    }

    private Type type(Served served) {
        ApiResource resource = served.resource();
        String name = definitions.nameOf(group, version, resource.kind());
        if (name == null) {
            name = customName(resource);
            ObjectNode schema = customSchemas.apply(served);
            own.put(name, CustomSchemas.object(schema, resource, definitions, version2));
            own.put(name + "List", CustomSchemas.list(name, resource, definitions));
        }
        return new Type(group, version, resource.kind(), name);
    }

    /** {@code com.example.v1.Widget}. */
    private static String customName(ApiResource resource) {
        List<String> parts = new ArrayList<>(List.of(resource.group().split("\\.")));
        java.util.Collections.reverse(parts);
        return String.join(".", parts) + "." + resource.version() + "." + resource.kind();
    }

    private Operation op(
            String action,
            String id,
            String description,
            Type type,
            List<String> contentTypes,
            String answer,
            String... moreCodes) {
        List<String> codes = new ArrayList<>();
        codes.add("200");
        codes.addAll(List.of(moreCodes));
        Operation operation = operation("", id, description, contentTypes, answer, codes);
        action(operation, action, type);
        return operation;
    }

    private Operation operation(
            String method,
            String id,
            String description,
            List<String> contentTypes,
            String answer,
            List<String> codes) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.putArray("tags").add(tagOf(group) + "_" + version);
        json.put("description", description).put("operationId", id);
        ObjectNode responses = json.putObject("responses");
        for (String code : codes) {
            ObjectNode response = responses.putObject(code);
            response.put(
                    "description",
                    switch (code) {
                        case "201" -> "Created";
                        case "202" -> "Accepted";
                        default -> "OK";
                    });
            if (!contentTypes.isEmpty()) {
                ObjectNode content = response.putObject("content");
                contentTypes.forEach(t -> schema(content.putObject(t), answer));
            }
        }
        responses.putObject("401").put("description", "Unauthorized");
        return new Operation(json, new LinkedHashSet<>());
    }

    private static void action(Operation operation, String action, Type type) {
        operation.json().put("x-kubernetes-action", action);
        operation
                .json()
                .putObject("x-kubernetes-group-version-kind")
                .put("group", type.group())
                .put("version", type.version())
                .put("kind", type.kind());
    }

    private Operation body(Operation operation, String schema, boolean required) {
        ObjectNode body = operation.json().putObject("requestBody");
        schema(body.putObject("content").putObject("*/*"), schema);
        if (required) {
            body.put("required", true);
        }
        return operation;
    }

    private void schema(ObjectNode content, String name) {
        roots.add(name);
        content.putObject("schema").put("$ref", "#/components/schemas/" + name);
    }

    private static Set<Parameter> with(Set<Parameter> some, List<Parameter> more) {
        Set<Parameter> all = new LinkedHashSet<>(some);
        all.addAll(more);
        return all;
    }

    private void put(String path, String method, Operation operation, Set<Parameter> parameters) {
        // The namespace is an object as well as a scope, so its path is short.
        operation.parameters().addAll(parameters);
        paths.computeIfAbsent(path, p -> new LinkedHashMap<>()).put(method, operation);
    }

    private ObjectNode document() {
        ObjectNode document = JsonNodeFactory.instance.objectNode().put("openapi", "3.0.0");
        document.putObject("info").put("title", "Kubernetes").put("version", "1.34");
        ObjectNode items = document.putObject("paths");
        paths.forEach((path, operations) -> items.set(path, item(operations)));
        ObjectNode components = document.putObject("components");
        components.set("schemas", definitions.closure(roots, own));
        components
                .putObject("securitySchemes")
                .putObject("BearerToken")
                .put("type", "apiKey")
                .put("description", "Bearer Token authentication")
                .put("name", "authorization")
                .put("in", "header");
        return document;
    }

    /** What all operations of a path take stands once, beside them. */
    private static ObjectNode item(Map<String, Operation> operations) {
        Set<Parameter> common = null;
        for (Operation operation : operations.values()) {
            if (common == null) {
                common = new LinkedHashSet<>(operation.parameters());
            } else {
                common.retainAll(operation.parameters());
            }
        }
        Set<Parameter> shared = common == null ? Set.of() : common;
        ObjectNode item = JsonNodeFactory.instance.objectNode();
        for (String method : List.of("get", "put", "post", "delete", "options", "head", "patch")) {
            Operation operation = operations.get(method);
            if (operation == null) {
                continue;
            }
            Set<Parameter> rest = new LinkedHashSet<>(operation.parameters());
            rest.removeAll(shared);
            ObjectNode json = JsonNodeFactory.instance.objectNode();
            operation.json().properties().forEach(f -> {
                if (f.getKey().equals("responses") || f.getKey().equals("requestBody")) {
                    parameters(json, rest);
                }
                json.set(f.getKey(), f.getValue());
            });
            item.set(method, json);
        }
        parameters(item, shared);
        return item;
    }

    private static void parameters(ObjectNode json, Set<Parameter> parameters) {
        if (parameters.isEmpty() || json.has("parameters")) {
            return;
        }
        ArrayNode array = json.putArray("parameters");
        Parameters.sorted(parameters).forEach(p -> array.add(p.toJson()));
    }
}
