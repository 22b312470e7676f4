package io.trimtab.apiserver.storage;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/**
 * One object at one revision: its canonical JSON, encoded once, and a header parsed once. Immutable and shared: what it hands
 * out must not be changed.
 */
public interface StoredObject {

    /** The key it is stored under. */
    String key();

    /** Empty for cluster-scoped objects. */
    String namespace();

    String name();

    String uid();

    /** {@code metadata.resourceVersion}. */
    long revision();

    Map<String, String> labels();

    /** The canonical JSON with resourceVersion, kind and apiVersion; no newline. The store's own array: do not change it. */
    byte[] json();

    /**
     * The object as a tree, shared by all readers: do not change it, {@code deepCopy()} first. Parsed when first asked for,
     * and kept as long as somebody holds it or the young generation has room.
     */
    ObjectNode tree();

    /** The object as a tree of the caller's own. */
    default ObjectNode copy() {
        return tree().deepCopy();
    }
}
