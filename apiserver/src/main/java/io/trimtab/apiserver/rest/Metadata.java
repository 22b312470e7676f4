package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.runtime.Driver;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.random.RandomGenerator;

/** Reads and writes {@code metadata} of trees. Stateless. */
final class Metadata {
    private static final DateTimeFormatter SECONDS =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss'Z'").withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter MICROS =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);
    private static final String NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789";
    private static final int MAX_GENERATED_BASE = 58;

    private Metadata() {}

    static ObjectNode of(ObjectNode object) {
        return object.get("metadata") instanceof ObjectNode metadata ? metadata : object.putObject("metadata");
    }

    static String text(JsonNode object, String field) {
        return object.path("metadata").path(field).asText("");
    }

    static String name(JsonNode object) {
        return text(object, "name");
    }

    static long generation(JsonNode object) {
        return object.path("metadata").path("generation").asLong(0);
    }

    static boolean isDeleting(JsonNode object) {
        return object.path("metadata").hasNonNull("deletionTimestamp");
    }

    static List<String> finalizers(JsonNode object) {
        List<String> finalizers = new ArrayList<>(2);
        object.path("metadata").path("finalizers").forEach(f -> finalizers.add(f.asText()));
        return finalizers;
    }

    static void setFinalizers(ObjectNode object, List<String> finalizers) {
        ObjectNode metadata = of(object);
        if (finalizers.isEmpty()) {
            metadata.remove("finalizers");
        } else {
            ArrayNode array = metadata.putArray("finalizers");
            finalizers.forEach(array::add);
        }
    }

    static String time(Instant instant) {
        long second = instant.getEpochSecond();
        Second known = last;
        if (known.epoch() != second) {
            known = new Second(second, SECONDS.format(instant.truncatedTo(ChronoUnit.SECONDS)));
            last = known;
        }
        return known.text();
    }

    private record Second(long epoch, String text) {}

    /** The last one that was asked for: most writes of one second have it in them. Races only lose one. */
    private static volatile Second last = new Second(Long.MIN_VALUE, "");

    static String microTime(Instant instant) {
        return MICROS.format(instant);
    }

    /** A random (version 4) UUID out of the driver's randomness. */
    static String newUid(Driver driver) {
        RandomGenerator random = driver.random();
        long high = random.nextLong() & 0xffff_ffff_ffff_0fffL | 0x4000L;
        long low = random.nextLong() & 0x3fff_ffff_ffff_ffffL | 0x8000_0000_0000_0000L;
        return new UUID(high, low).toString();
    }

    /** A name made of a base and five letters that spell no words. */
    static String generateName(Driver driver, String base) {
        StringBuilder name =
                new StringBuilder(base.length() > MAX_GENERATED_BASE ? base.substring(0, MAX_GENERATED_BASE) : base);
        for (int i = 0; i < 5; i++) {
            name.append(NAME_LETTERS.charAt(driver.random().nextInt(NAME_LETTERS.length())));
        }
        return name.toString();
    }

    /** Copies one field of the metadata, or its absence. */
    static void keep(ObjectNode from, ObjectNode to, String field) {
        JsonNode value = from.get(field);
        if (value == null) {
            to.remove(field);
        } else {
            to.set(field, value);
        }
    }

    /** Leaves out what Go leaves out: texts, maps and lists of the metadata that are empty. */
    static void dropEmpty(ObjectNode object) {
        ObjectNode metadata = of(object);
        metadata.properties()
                .removeIf(f -> f.getValue().isNull()
                        || f.getValue().isTextual() && f.getValue().textValue().isEmpty()
                        || f.getValue().isContainerNode() && f.getValue().isEmpty());
    }
}
