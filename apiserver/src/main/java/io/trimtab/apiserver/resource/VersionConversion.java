package io.trimtab.apiserver.resource;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * How objects of a version that is served become objects of the version that is stored, and back. Both methods may change and
 * return the tree they are given, and set apiVersion and kind. Safe for use by any thread.
 */
public interface VersionConversion {

    /** What objects are stored as. */
    ApiResource storage();

    /** From the served version to the stored one. */
    ObjectNode toStorage(ObjectNode served);

    /** From the stored version to the served one. */
    ObjectNode fromStorage(ObjectNode stored);
}
