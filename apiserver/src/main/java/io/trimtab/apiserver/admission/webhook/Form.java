package io.trimtab.apiserver.admission.webhook;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.ApiResource;

/**
 * A resource and the kind of what is written to it, as a webhook or a policy sees them. Immutable.
 *
 * @param subresource empty for the resource itself
 * @param group of the kind
 */
public record Form(ApiResource resource, String subresource, String group, String version, String kind) {

    static Form of(ApiResource resource, String subresource) {
        ApiResource.Subresource below =
                subresource.isEmpty() ? null : resource.subresources().get(subresource);
        if (below == null) {
            return new Form(resource, subresource, resource.group(), resource.version(), resource.kind());
        }
        String version = below.version();
        String group = below.group();
        return version == null || group == null
                ? new Form(resource, subresource, resource.group(), resource.version(), below.kind())
                : new Form(resource, subresource, group, version, below.kind());
    }

    /** Whether what is written has another kind than what is stored: a Scale, a Binding, the options of an exec. */
    boolean isOther() {
        return !kind.equals(resource.kind()) || !group.equals(resource.group()) || !version.equals(resource.version());
    }

    ObjectNode shownKind() {
        return JsonNodeFactory.instance
                .objectNode()
                .put("group", group)
                .put("version", version)
                .put("kind", kind);
    }

    ObjectNode shownResource() {
        return JsonNodeFactory.instance
                .objectNode()
                .put("group", resource.group())
                .put("version", resource.version())
                .put("resource", resource.plural());
    }
}
