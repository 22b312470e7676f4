package io.trimtab.apiserver.rest;

import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.errors.Statuses;

/** Finds what serves a subresource. Stateless. */
final class Subresources {
    private Subresources() {}

    static ApiResponse handle(Call call) {
        String subresource = call.info.subresource();
        return switch (subresource) {
            case "status" -> plain(call, subresource);
            default -> throw Statuses.noSuchResource();
        };
    }

    private static ApiResponse plain(Call call, String subresource) {
        return switch (call.info.verb()) {
            case "get" -> Reads.get(call);
            case "update" -> Writes.update(call, subresource);
            case "patch" -> Patches.patch(call, subresource);
            default -> throw Statuses.methodNotAllowed();
        };
    }
}
