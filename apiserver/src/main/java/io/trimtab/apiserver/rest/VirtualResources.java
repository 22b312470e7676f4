package io.trimtab.apiserver.rest;

import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.Served;

/** Resources of which nothing is stored: reviews, bindings, component statuses. Stateless. */
final class VirtualResources {
    private VirtualResources() {}

    static boolean serves(ApiResource resource) {
        return !resource.custom() && !resource.hasVerb("watch");
    }

    static ApiResponse handle(Call call) {
        return switch (call.resource().plural()) {
            case "bindings" -> {
                Served pods = call.env.resources().find("", "v1", "pods");
                if (pods == null) {
                    throw Statuses.noSuchResource();
                }
                yield Bindings.create(call, pods);
            }
            case "componentstatuses" -> ComponentStatuses.handle(call);
            default -> Reviews.create(call);
        };
    }
}
