package io.trimtab.apiserver.openapi;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;

/** What other servers say of the group versions that they serve behind this one. Safe for use by any thread. */
public interface RemoteDocuments {

    /** There are no others. */
    RemoteDocuments NONE = new RemoteDocuments() {
        @Override
        public Map<String, String> hashes() {
            return Map.of();
        }

        @Override
        public List<ObjectNode> version2() {
            return List.of();
        }
    };

    /** OpenAPI 3 documents, which those servers give out themselves: hash by path, such as {@code apis/metrics.k8s.io/v1}. */
    Map<String, String> hashes();

    /** OpenAPI 2 documents, of their own paths only; not to be changed. */
    List<ObjectNode> version2();
}
