package io.trimtab.apiserver.rest;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.RequestTrail;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One request for a resource, on its way through the handlers. Used by one thread. */
final class Call {
    final Environment env;
    final ApiRequest request;
    final RequestInfo info;
    final UserInfo user;
    final Served served;
    final List<String> warnings;
    final RequestTrail trail;
    private final String namespace;

    Call(
            Environment env,
            ApiRequest request,
            RequestInfo info,
            UserInfo user,
            Served served,
            List<String> warnings,
            RequestTrail trail) {
        this(env, request, info, user, served, warnings, trail, info.namespace());
    }

    private Call(
            Environment env,
            ApiRequest request,
            RequestInfo info,
            UserInfo user,
            Served served,
            List<String> warnings,
            RequestTrail trail,
            String namespace) {
        this.env = env;
        this.request = request;
        this.info = info;
        this.user = user;
        this.served = served;
        this.warnings = warnings;
        this.trail = trail;
        this.namespace = namespace;
    }

    ApiResource resource() {
        return served.resource();
    }

    Kind kind() {
        return served.kind();
    }

    /** Null for cluster-scoped resources and for all namespaces. */
    @Nullable
    String namespace() {
        return served.resource().namespaced() && !namespace.isEmpty() ? namespace : null;
    }

    WriteContext context(String subresource, String name, boolean dryRun) {
        String namespace = namespace();
        return new WriteContext(
                served.resource(),
                subresource,
                namespace == null ? "" : namespace,
                name,
                dryRun,
                user,
                env.storage(),
                env.driver(),
                warnings,
                trail);
    }

    /** The same request, for another resource: an eviction writes budgets, say. */
    Call forResource(Served other) {
        return new Call(env, request, info, user, other, warnings, trail, namespace);
    }

    /** The same request, for one namespace of the many it names. */
    Call inNamespace(String other) {
        return other.equals(namespace) ? this : new Call(env, request, info, user, served, warnings, trail, other);
    }

    /** The name in the path; two of them are places in a path of their own. */
    String name() {
        String name = info.name();
        if (name.equals(".") || name.equals("..")) {
            throw Statuses.badRequest("Name parameter invalid: \"" + name + "\": may not be '" + name + "'");
        }
        return name;
    }

    StatusException notFound(String name) {
        return Statuses.notFound(resource().group(), resource().plural(), name);
    }

    StatusException conflict(String name, String why) {
        return Statuses.conflict(resource().group(), resource().plural(), name, why);
    }
}
