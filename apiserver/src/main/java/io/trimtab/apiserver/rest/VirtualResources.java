package io.trimtab.apiserver.rest;

import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;

/** Resources of which nothing is stored: reviews, bindings, component statuses. Stateless. */
final class VirtualResources {
    private VirtualResources() {}

    static boolean serves(ApiResource resource) {
        return !resource.custom() && !resource.hasVerb("watch");
    }

    static ApiResponse handle(Call call) {
        throw Statuses.noSuchResource();
    }
}
