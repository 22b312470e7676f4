package io.trimtab.apiserver.aggregation;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.callout.Target;
import io.trimtab.apiserver.certificates.Credential;
import io.trimtab.apiserver.certificates.Pem;
import io.trimtab.apiserver.resource.VersionOrder;
import io.trimtab.apiserver.storage.StoredObject;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/**
 * An APIService, as it is stored. Immutable.
 *
 * @param target null if this server serves the group version itself
 * @param available whether the last check found the server in order
 */
record Registration(
        StoredObject stored,
        String group,
        String version,
        int groupPriority,
        int versionPriority,
        @Nullable Target target,
        boolean available) {

    /** The group that should be found first stands first, and in it the version. */
    static final Comparator<Registration> BY_GROUP = Comparator.comparingInt((Registration r) -> -r.groupPriority())
            .thenComparing(r -> r.stored().name());

    static final Comparator<Registration> BY_VERSION = Comparator.comparingInt((Registration r) -> -r.versionPriority())
            .thenComparing(Registration::version, VersionOrder.NEWEST_FIRST);

    static Registration of(StoredObject stored, @Nullable Credential client) {
        JsonNode tree = stored.tree();
        JsonNode spec = tree.path("spec");
        boolean available = false;
        for (JsonNode condition : tree.path("status").path("conditions")) {
            if (condition.path("type").asText().equals("Available")) {
                available = condition.path("status").asText().equals("True");
            }
        }
        return new Registration(
                stored,
                spec.path("group").asText(""),
                spec.path("version").asText(""),
                spec.path("groupPriorityMinimum").asInt(),
                spec.path("versionPriority").asInt(),
                target(spec, client),
                available);
    }

    private static @Nullable Target target(JsonNode spec, @Nullable Credential client) {
        JsonNode service = spec.path("service");
        if (!service.isObject()) {
            return null;
        }
        Target.Trust trust = Target.Trust.SYSTEM;
        String bundle = spec.path("caBundle").asText("");
        if (spec.path("insecureSkipTLSVerify").asBoolean()) {
            trust = Target.Trust.anything();
        } else if (!bundle.isEmpty()) {
            try {
                trust = Target.Trust.of(Pem.certificates(
                        new String(Base64.getMimeDecoder().decode(bundle), StandardCharsets.ISO_8859_1)));
            } catch (IllegalArgumentException e) {
                trust = Target.Trust.of(java.util.List.of()); // what cannot be read vouches for nobody
            }
        }
        return Target.of(
                new Target.Service(
                        service.path("namespace").asText(),
                        service.path("name").asText(),
                        service.path("port").asInt(443)),
                "",
                trust.withClient(client));
    }

    String name() {
        return stored.name();
    }

    /** Where the server says what it serves of this group version. */
    String discoveryPath() {
        return group.isEmpty() ? "/api/" + version : "/apis/" + group + "/" + version;
    }
}
