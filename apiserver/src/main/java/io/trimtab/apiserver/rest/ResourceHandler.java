package io.trimtab.apiserver.rest;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.RequestTrail;
import io.trimtab.apiserver.resource.Served;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Serves requests for resources that were authorized: finds the resource and what to do with it. Safe for use by any thread. */
public final class ResourceHandler {
    private final Environment env;

    public ResourceHandler(Environment env) {
        this.env = env;
    }

    /**
     * The answer.
     *
     * @param warnings gets what the client should be told along with the answer, or with the refusal
     * @param trail gets what the audit log should know
     * @throws io.trimtab.apiserver.errors.StatusException if the request is refused
     */
    public ApiResponse handle(
            ApiRequest request, RequestInfo info, UserInfo user, List<String> warnings, RequestTrail trail) {
        List<String> versions = env.resources().versions(info.group());
        if (versions.isEmpty()) {
            return notFoundPage();
        }
        Served served = env.resources().find(info.group(), info.version(), info.resource());
        if (served == null) {
            // Custom resources have a router of their own, which hands on what it does not know.
            if (env.resources().isCustom(info.group())) {
                return notFoundPage();
            }
            throw Statuses.noSuchResource();
        }
        checkRoute(request, info, served.resource());
        Call call = new Call(env, request, info, user, served, warnings, trail);
        warnOfDeprecation(call);
        return info.subresource().isEmpty() ? main(call) : Subresources.handle(call);
    }

    /** What Go's router says to paths it does not know. */
    public static ApiResponse notFoundPage() {
        return new ApiResponse.Whole(
                404,
                Map.of(
                        "Content-Type", List.of("text/plain; charset=utf-8"),
                        "X-Content-Type-Options", List.of("nosniff")),
                "404 page not found\n".getBytes(StandardCharsets.UTF_8));
    }

    private static ApiResponse main(Call call) {
        if (VirtualResources.serves(call.resource())) {
            return VirtualResources.handle(call);
        }
        return switch (call.info.verb()) {
            case "get" -> Reads.get(call);
            case "list" -> Reads.list(call);
            case "watch" -> Reads.watch(call);
            case "create" -> Writes.create(call);
            case "update" -> Writes.update(call, "");
            case "patch" -> Patches.patch(call, "");
            case "delete" -> Deletes.delete(call);
            case "deletecollection" -> Deletes.deleteCollection(call);
            default -> throw Statuses.methodNotAllowed();
        };
    }

    /** Refuses what no route of Kubernetes would take. */
    private static void checkRoute(ApiRequest request, RequestInfo info, ApiResource resource) {
        boolean namespaces =
                resource.plural().equals("namespaces") && resource.group().isEmpty();
        if (!resource.namespaced() && !namespaces && !info.namespace().isEmpty()) {
            throw Statuses.noSuchResource();
        }
        boolean inNamespace = !resource.namespaced() || !info.namespace().isEmpty();
        if (info.named() && !inNamespace) {
            throw Statuses.noSuchResource();
        }
        String verb = info.verb();
        if (verb.equals("proxy") || verb.equals("watch") && !info.subresource().isEmpty()) {
            throw Statuses.noSuchResource();
        }
        boolean headOrOptions = request.method().equals("HEAD") || verb.isEmpty();
        if (!info.subresource().isEmpty()) {
            ApiResource.Subresource subresource = resource.subresources().get(info.subresource());
            if (subresource == null
                    || info.parts().size() > 3 && !info.subresource().equals("proxy")) {
                throw Statuses.noSuchResource();
            }
            boolean proxy = info.subresource().equals("proxy");
            if (!proxy && (headOrOptions || !subresource.verbs().contains(verb))) {
                throw Statuses.methodNotAllowed();
            }
            return;
        }
        boolean collectionVerb =
                switch (verb) {
                    case "list", "create", "deletecollection" -> true;
                    default -> false;
                };
        if (headOrOptions
                || !resource.hasVerb(verb)
                || verb.equals("create") && info.named()
                || (verb.equals("update") || verb.equals("patch")) && !info.named()
                || !inNamespace && !verb.equals("list") && !verb.equals("watch")
                || verb.equals("watch") && !request.method().equals("GET")
                || collectionVerb && info.parts().size() > 1) {
            throw Statuses.methodNotAllowed();
        }
    }

    private static void warnOfDeprecation(Call call) {
        ApiResource resource = call.resource();
        if (resource.group().isEmpty() && resource.plural().equals("endpoints")) {
            call.warnings.add("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice");
        } else if (resource.group().isEmpty() && resource.plural().equals("componentstatuses")) {
            call.warnings.add("v1 ComponentStatus is deprecated in v1.19+");
        }
        if (resource.plural().startsWith("mutatingadmissionpolic")) {
            boolean beta = resource.version().equals("v1beta1");
            call.warnings.add(resource.apiVersion() + " " + resource.kind() + " is deprecated in "
                    + (beta ? "v1.37+, unavailable in v1.40+" : "v1.35+, unavailable in v1.38+"));
        }
        String deprecation = call.kind().deprecation();
        if (deprecation != null) {
            call.warnings.add(deprecation);
        }
    }
}
