package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.ApiResource;
import java.util.List;

/** Turns objects into the {@code Table} that kubectl prints. Safe for use by any thread. */
public interface TableConverter {

    /** How much of each object its row carries. */
    enum IncludeObject {
        NONE,
        METADATA,
        OBJECT
    }

    /**
     * The table.
     *
     * @param objects shared: not to be changed
     * @param tableVersion the version of {@code meta.k8s.io} that was asked for: {@code v1} or {@code v1beta1}
     * @param listMeta becomes the table's metadata
     * @param columns false leaves {@code columnDefinitions} null, as in all events of a watch but the first
     */
    ObjectNode table(
            ApiResource resource,
            List<ObjectNode> objects,
            IncludeObject include,
            String tableVersion,
            ObjectNode listMeta,
            boolean columns);
}
