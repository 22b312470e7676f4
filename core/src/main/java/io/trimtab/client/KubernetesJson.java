package io.trimtab.client;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.deser.std.StringDeserializer;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.util.TokenBuffer;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/**
 * How objects of the API are read from and written to JSON: Fabric8's configuration of Jackson, and unknown fields kept or
 * ignored, never refused. Safe for use by any thread.
 */
public final class KubernetesJson {
    private static final ObjectMapper MAPPER = newMapper();
    private static final ObjectMapper CACHE_MAPPER = newCacheMapper();
    private static final KubernetesSerialization SERIALIZATION = new KubernetesSerialization(newBareMapper(), true);

    private KubernetesJson() {}

    /** The mapper all clients share. Must not be configured further. */
    public static ObjectMapper mapper() {
        return MAPPER;
    }

    /** Fabric8's view of the same configuration, for YAML and for its own client. */
    public static KubernetesSerialization serialization() {
        return SERIALIZATION;
    }

    /**
     * A deep copy that may be changed: what a cache hands out may not.
     *
     * @throws UncheckedIOException if the object cannot be written or read as JSON
     */
    @SuppressWarnings("unchecked")
    public static <T> T copy(T object) {
        try (TokenBuffer buffer = new TokenBuffer(MAPPER, false)) {
            MAPPER.writeValue(buffer, object);
            return (T) MAPPER.readValue(buffer.asParserOnFirstToken(), object.getClass());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The JSON text of an object, without fields that are unset.
     *
     * @throws UncheckedIOException if the object cannot be written
     */
    public static String write(Object object) {
        try {
            return MAPPER.writeValueAsString(object);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads objects that are to be kept for long: without managed fields, and with equal strings shared. */
    public static ObjectMapper cacheMapper() {
        return CACHE_MAPPER;
    }

    private static ObjectMapper newBareMapper() {
        ObjectMapper mapper = new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);
        // Kubernetes writes null for a required list without elements; to Java it is as empty as one that is left out.
        for (Class<?> type : List.of(List.class, Map.class)) {
            mapper.configOverride(type).setSetterInfo(JsonSetter.Value.forValueNulls(Nulls.AS_EMPTY));
        }
        return mapper;
    }

    private static ObjectMapper newMapper() {
        ObjectMapper mapper = newBareMapper();
        new KubernetesSerialization(mapper, true); // configures the mapper it is given
        return mapper;
    }

    private static ObjectMapper newCacheMapper() {
        ObjectMapper mapper = newBareMapper();
        mapper.registerModule(
                new SimpleModule("trimtab-shared-strings").addDeserializer(String.class, new SharedStrings()));
        mapper.addMixIn(ObjectMeta.class, WithoutManagedFields.class);
        new KubernetesSerialization(mapper, true);
        return mapper;
    }

    @JsonIgnoreProperties("managedFields")
    private interface WithoutManagedFields {}

    /**
     * Lets equal short strings be one object: namespaces, node names, images and label values repeat thousands of times in a
     * cache. A lossy table rather than a map: it never grows, needs no lock, and a miss costs nothing but the sharing. Racing
     * threads may each see the other's entry or not; strings are immutable, so either is right.
     */
    private static final class SharedStrings extends StringDeserializer {
        private static final long serialVersionUID = 1L;
        private static final int SLOTS = 1 << 14; // 64 KiB of references
        private static final int MAX_LENGTH = 128; // longer ones are messages and scripts, which do not repeat

        private final transient String[] table = new String[SLOTS];

        @Override
        public String deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            String text = super.deserialize(parser, context);
            if (text == null || text.length() > MAX_LENGTH) {
                return text;
            }
            int hash = text.hashCode();
            int slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
            String known = table[slot];
            if (text.equals(known)) {
                return known;
            }
            table[slot] = text;
            return text;
        }
    }
}
