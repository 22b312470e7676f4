package io.trimtab.apiserver.resource;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * A conversion that may block on another server, and fail: not for event loops. Objects are converted together where several
 * are at hand. Safe for use by any thread; refusals are {@link io.trimtab.apiserver.errors.StatusException}s.
 */
public interface SlowConversion extends VersionConversion {

    /**
     * From the stored version to the served one.
     *
     * @param stored not changed
     * @return as many, in the same order
     */
    List<ObjectNode> fromStorage(List<ObjectNode> stored);
}
