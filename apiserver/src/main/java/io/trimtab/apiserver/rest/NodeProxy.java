package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.UserInfo;
import java.util.Optional;

/**
 * Reaches what runs on a node: logs, exec, attach, port-forward, proxy. Asked once all that the API server itself can know has
 * been checked: the pod exists and is bound, the container is one of its own, the node object exists.
 */
public interface NodeProxy {

    /** No node answers. */
    NodeProxy NONE = new NodeProxy() {
        @Override
        public Optional<ApiResponse> connect(Target target, ApiRequest request, UserInfo user) {
            return Optional.empty();
        }
    };

    /**
     * Where to.
     *
     * @param subresource {@code log, exec, attach, portforward, proxy}
     * @param object the Pod, Service or Node that was named
     * @param container empty where there is none; for proxy: {@code http} or {@code https}
     * @param node the Node object; missing for services
     * @param port for proxy to a pod or service: address and port of the pod, as {@code address:port}; for nodes the port, if one
     *     was named
     * @param path for proxy: what follows in the path, with its leading slash
     */
    record Target(String subresource, JsonNode object, String container, JsonNode node, String port, String path) {}

    /** The answer of the node, or empty if it cannot be reached from here. */
    Optional<ApiResponse> connect(Target target, ApiRequest request, UserInfo user);
}
