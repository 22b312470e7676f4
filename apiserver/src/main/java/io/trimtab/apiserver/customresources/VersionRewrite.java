package io.trimtab.apiserver.customresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.VersionConversion;
import io.trimtab.apiserver.schema.DecodeException;
import io.trimtab.apiserver.schema.Decoder;
import io.trimtab.apiserver.schema.Schema;
import io.trimtab.apiserver.schema.SchemaRegistry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The strategy None: versions differ by what they are called. What is read is fitted to the version's schema as it is now, which
 * may be another than the one it was written by. Immutable.
 */
final class VersionRewrite implements VersionConversion {
    private static final Logger LOG = LoggerFactory.getLogger(VersionRewrite.class);

    private final ApiResource served;
    private final ApiResource stored;
    private final Schema schema;
    private final JsonNode openApi;
    private final Decoder decoder = new Decoder(SchemaRegistry.builtin());

    VersionRewrite(ApiResource served, ApiResource stored, Schema schema, JsonNode openApi) {
        this.served = served;
        this.stored = stored;
        this.schema = schema;
        this.openApi = openApi;
    }

    @Override
    public ApiResource storage() {
        return stored;
    }

    @Override
    public ObjectNode toStorage(ObjectNode object) {
        return object.put("apiVersion", stored.apiVersion());
    }

    @Override
    public ObjectNode fromStorage(ObjectNode object) {
        ObjectNode fitted = object;
        try {
            fitted = decoder.convert(object, schema).object();
        } catch (DecodeException e) {
            // Metadata that no API server has written: show it as it is, rather than hide the object.
            LOG.warn("stored object does not fit its type: resource={} error={}", served, e.getMessage());
        }
        JsonNode metadata = fitted.get("metadata");
        SchemaDefaults.fill(fitted, openApi);
        if (metadata != null) {
            fitted.set("metadata", metadata);
        }
        return fitted.put("apiVersion", served.apiVersion()).put("kind", served.kind());
    }
}
