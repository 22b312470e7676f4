package io.trimtab.apiserver.cel;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.admission.AdmissionPlugin.Attributes;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.resource.ApiResource;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What expressions see of one write. Belongs to one write and one thread; trees are read where they are.
 *
 * @param object the new state, perhaps in another version than it was sent in; null on delete
 * @param old the stored state; null on create
 * @param request the AdmissionRequest, without the objects
 * @param namespace of a namespaced object; null for others
 * @param params null where there are none
 * @param authorizer null where it may not be named
 * @param user who asks
 */
public record AdmissionInput(
        @Nullable ObjectNode object,
        @Nullable ObjectNode old,
        ObjectNode request,
        @Nullable ObjectNode namespace,
        @Nullable ObjectNode params,
        @Nullable Authorizer authorizer,
        UserInfo user) {

    /** Of a write as it was sent: no version is converted. */
    public static AdmissionInput of(Attributes attributes, @Nullable Authorizer authorizer) {
        return of(attributes, attributes.object(), attributes.old(), attributes.resource(), authorizer);
    }

    /**
     * Of a write that is shown in an equivalent version.
     *
     * @param matched the resource that was matched, of the same objects
     */
    public static AdmissionInput of(
            Attributes attributes,
            @Nullable ObjectNode object,
            @Nullable ObjectNode old,
            ApiResource matched,
            @Nullable Authorizer authorizer) {
        UserInfo user = attributes.user() == null ? UserInfo.ANONYMOUS : attributes.user();
        return new AdmissionInput(
                object, old, request(attributes, object, old, matched, user), null, null, authorizer, user);
    }

    public AdmissionInput withNamespace(@Nullable ObjectNode of) {
        return new AdmissionInput(object, old, request, of, params, authorizer, user);
    }

    public AdmissionInput withParams(@Nullable ObjectNode with) {
        return new AdmissionInput(object, old, request, namespace, with, authorizer, user);
    }

    public AdmissionInput withObject(@Nullable ObjectNode changed) {
        return new AdmissionInput(changed, old, request, namespace, params, authorizer, user);
    }

    private static ObjectNode request(
            Attributes attributes,
            @Nullable ObjectNode object,
            @Nullable ObjectNode old,
            ApiResource matched,
            UserInfo user) {
        ApiResource sent = attributes.resource();
        ObjectNode request = JsonNodeFactory.instance.objectNode();
        request.put("uid", "");
        JsonNode shown = object != null ? object : old;
        request.set("kind", kind(matched, shown));
        request.set("resource", resource(matched));
        putUnlessEmpty(request, "subResource", attributes.subresource());
        request.set("requestKind", kind(sent, attributes.object() != null ? attributes.object() : attributes.old()));
        request.set("requestResource", resource(sent));
        putUnlessEmpty(request, "requestSubResource", attributes.subresource());
        putUnlessEmpty(request, "name", attributes.name());
        putUnlessEmpty(request, "namespace", attributes.namespace());
        request.put("operation", attributes.operation().name());
        ObjectNode by = request.putObject("userInfo");
        putUnlessEmpty(by, "username", user.name());
        putUnlessEmpty(by, "uid", user.uid());
        if (!user.groups().isEmpty()) {
            user.groups().forEach(by.putArray("groups")::add);
        }
        if (!user.extra().isEmpty()) {
            ObjectNode extra = by.putObject("extra");
            user.extra().forEach((key, values) -> values.forEach(extra.withArray(key)::add));
        }
        request.put("dryRun", attributes.context().dryRun());
        request.set("options", attributes.options());
        return request;
    }

    private static ObjectNode kind(ApiResource resource, @Nullable JsonNode shown) {
        String apiVersion = shown == null ? "" : shown.path("apiVersion").asText("");
        String kind = shown == null ? "" : shown.path("kind").asText("");
        if (apiVersion.isEmpty() || kind.isEmpty()) {
            apiVersion = resource.apiVersion();
            kind = resource.kind();
        }
        int slash = apiVersion.indexOf('/');
        return JsonNodeFactory.instance
                .objectNode()
                .put("group", slash < 0 ? "" : apiVersion.substring(0, slash))
                .put("version", apiVersion.substring(slash + 1))
                .put("kind", kind);
    }

    private static ObjectNode resource(ApiResource resource) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("group", resource.group())
                .put("version", resource.version())
                .put("resource", resource.plural());
    }

    private static void putUnlessEmpty(ObjectNode node, String field, String value) {
        if (!value.isEmpty()) {
            node.put(field, value);
        }
    }

    /**
     * The values of the names.
     *
     * @param more for names that are not known here; may answer null
     */
    public Function<String, @Nullable Object> variables(Function<String, @Nullable Object> more) {
        return name -> switch (name) {
            case "object" -> Values.of(object);
            case "oldObject" -> Values.of(old);
            case "request" -> Values.of(request);
            case "namespaceObject" -> Values.of(namespace);
            case "params" -> Values.of(params);
            case "authorizer" -> authorizer == null ? null : new AuthorizerLibrary.Asker(authorizer, user);
            case "authorizer.requestResource" ->
                authorizer == null ? null : requestResource(new AuthorizerLibrary.Asker(authorizer, user));
            default -> more.apply(name);
        };
    }

    private Object requestResource(AuthorizerLibrary.Asker asker) {
        JsonNode resource = request.path("requestResource");
        return new AuthorizerLibrary.ResourceCheck(
                asker,
                resource.path("group").asText(),
                resource.path("resource").asText(),
                request.path("subResource").asText(""),
                request.path("namespace").asText(""),
                request.path("name").asText(""),
                "",
                "");
    }
}
