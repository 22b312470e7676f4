package io.trimtab.apiserver.openapi;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The documents of paths that are no group versions: one operation each. */
final class SmallDocuments {
    /** Those that are always there; groups have one each besides. */
    static final Set<String> PATHS =
            Set.of(".well-known/openid-configuration", "api", "apis", "openid/v1/jwks", "version");

    private SmallDocuments() {}

    static ObjectNode document(String path, Definitions definitions) {
        return switch (path) {
            case ".well-known/openid-configuration" ->
                of(
                        path,
                        definitions,
                        "WellKnown",
                        "getServiceAccountIssuerOpenIDConfiguration",
                        "",
                        "application/json");
            case "openid/v1/jwks" ->
                of(path, definitions, "openid", "getServiceAccountIssuerOpenIDKeyset", "", "application/jwk-set+json");
            case "version" ->
                of(
                        path,
                        definitions,
                        "version",
                        "getCodeVersion",
                        "io.k8s.apimachinery.pkg.version.Info",
                        "application/json");
            case "api" -> objects(path, definitions, "core", "getCoreAPIVersions", "APIVersions");
            case "apis" -> objects(path, definitions, "apis", "getAPIVersions", "APIGroupList");
            default -> {
                String tag = GroupVersionDocument.tagOf(path.substring("apis/".length()));
                String title = tag.substring(0, 1).toUpperCase(Locale.ROOT) + tag.substring(1);
                yield objects(path, definitions, tag, "get" + title + "APIGroup", "APIGroup");
            }
        };
    }

    private static ObjectNode objects(String path, Definitions definitions, String tag, String id, String type) {
        return of(
                path,
                definitions,
                tag,
                id,
                Definitions.META + type,
                "application/json",
                "application/vnd.kubernetes.protobuf",
                "application/yaml");
    }

    private static ObjectNode of(
            String path, Definitions definitions, String tag, String id, String type, String... contentTypes) {
        ObjectNode document = JsonNodeFactory.instance.objectNode().put("openapi", "3.0.0");
        document.putObject("info").put("title", "Kubernetes").put("version", "1.34");
        ObjectNode get = document.putObject("paths").putObject("/" + path + "/").putObject("get");
        get.putArray("tags").add(tag);
        get.put("description", "get /" + path).put("operationId", id);
        ObjectNode responses = get.putObject("responses");
        ObjectNode content = responses.putObject("200").put("description", "OK").putObject("content");
        for (String contentType : contentTypes) {
            ObjectNode schema = content.putObject(contentType).putObject("schema");
            if (type.isEmpty()) {
                schema.put("type", "string");
            } else {
                schema.put("$ref", "#/components/schemas/" + type);
            }
        }
        responses.putObject("401").put("description", "Unauthorized");
        ObjectNode components = document.putObject("components");
        if (!type.isEmpty()) {
            components.set("schemas", definitions.closure(Set.copyOf(List.of(type)), Map.of()));
        }
        components
                .putObject("securitySchemes")
                .putObject("BearerToken")
                .put("type", "apiKey")
                .put("description", "Bearer Token authentication")
                .put("name", "authorization")
                .put("in", "header");
        return document;
    }
}
