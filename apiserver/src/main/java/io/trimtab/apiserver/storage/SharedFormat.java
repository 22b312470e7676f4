package io.trimtab.apiserver.storage;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.protobuf.ProtobufEncoder;
import io.trimtab.apiserver.store.EtcdStore;

/**
 * How objects lie in an etcd that Kubernetes' own API server may use, too: without their revision, which etcd knows itself, as
 * JSON or as Kubernetes' protobuf. Both are read, whichever is written. Stateless.
 *
 * @since 0.1
 */
public final class SharedFormat implements EtcdStore.Format {
    private final boolean protobuf;

    /** @param protobuf whether built-in kinds are written as protobuf; custom resources are always JSON */
    public SharedFormat(boolean protobuf) {
        this.protobuf = protobuf;
    }

    @Override
    public byte[] encode(String key, byte[] value) {
        if (!protobuf || value.length == 0 || value[0] != '{') {
            return value;
        }
        ObjectNode object = ObjectCodec.parse(value);
        if (!ProtobufEncoder.knows(
                object.path("apiVersion").asText(""), object.path("kind").asText(""))) {
            return value;
        }
        if (object.path("metadata") instanceof ObjectNode metadata) {
            metadata.remove("resourceVersion");
        }
        return ProtobufEncoder.object(object);
    }

    @Override
    public byte[] decode(String key, byte[] stored, long revision) {
        return ObjectCodec.fromForeign(key, stored, revision);
    }
}
