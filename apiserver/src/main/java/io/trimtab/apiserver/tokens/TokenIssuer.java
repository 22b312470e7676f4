package io.trimtab.apiserver.tokens;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.runtime.Driver;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Answers TokenRequests: {@code POST serviceaccounts/<name>/token}. Safe for use by any thread. */
public final class TokenIssuer {
    /** How long a token lives if nobody says. */
    public static final long DEFAULT_SECONDS = 3600;

    private static final long MIN_SECONDS = 600;
    private static final long MAX_SECONDS = 1L << 32;
    // What the volumes that admission adds ask for: an hour and a bit, so that this server can tell them from others.
    private static final long AUTOMATIC_SECONDS = 3607;
    private static final long EXTENDED_SECONDS = 365L * 24 * 60 * 60;
    private static final String GROUP = "authentication.k8s.io";
    private static final String KIND = "TokenRequest";

    private final Storage storage;
    private final TokenKeys keys;
    private final TokenSettings settings;
    private final Driver driver;

    public TokenIssuer(Storage storage, TokenKeys keys, TokenSettings settings, Driver driver) {
        this.storage = storage;
        this.keys = keys;
        this.settings = settings;
        this.driver = driver;
    }

    public TokenSettings settings() {
        return settings;
    }

    /**
     * Makes a token.
     *
     * @param request the TokenRequest; not changed
     * @param warnings may be added to
     * @return the request with metadata, defaults and status
     * @throws io.trimtab.apiserver.errors.StatusException 404, 409, 400 or 422
     */
    public ObjectNode issue(ObjectNode request, String namespace, String name, List<String> warnings) {
        return issue(request, namespace, name, warnings, completed -> {});
    }

    /**
     * Makes a token if admission agrees.
     *
     * @param admission sees the request with its defaults, before anything is signed; throws to refuse
     */
    public ObjectNode issue(
            ObjectNode request, String namespace, String name, List<String> warnings, Consumer<ObjectNode> admission) {
        ObjectNode answer = request.deepCopy();
        ObjectNode metadata = object(answer, "metadata");
        mustMatch(metadata, "name", name, name);
        mustMatch(metadata, "namespace", namespace, name);
        StoredObject account = storage.get(CoreResources.SERVICE_ACCOUNTS, namespace, name)
                .orElseThrow(() -> Statuses.notFound("", "serviceaccounts", name));
        String uid = metadata.path("uid").asText("");
        if (!uid.isEmpty() && !uid.equals(account.uid())) {
            throw Statuses.conflict(
                    GROUP,
                    KIND,
                    name,
                    "the UID in the token request (" + uid + ") does not match the UID of the service account ("
                            + account.uid() + ")");
        }
        Instant now = driver.now();
        metadata.put("name", name)
                .put("namespace", namespace)
                .put("uid", account.uid())
                .put("creationTimestamp", text(now));
        ObjectNode spec = object(answer, "spec");
        if (spec.path("audiences").isEmpty()) {
            ArrayNode audiences = spec.putArray("audiences");
            settings.audiences().forEach(audiences::add);
        }
        if (!spec.path("expirationSeconds").isNumber()) {
            spec.put("expirationSeconds", DEFAULT_SECONDS);
        }
        if (!spec.has("boundObjectRef")) {
            spec.putNull("boundObjectRef"); // Kubernetes shows it even if there is none
        }
        answer.remove("status");
        validate(spec.path("expirationSeconds").asLong());
        admission.accept(answer.deepCopy());

        Bound bound = bind(spec.path("boundObjectRef"), namespace, name);
        long seconds = spec.path("expirationSeconds").asLong();
        if (settings.maxExpirationSeconds() > 0 && seconds > settings.maxExpirationSeconds()) {
            warnings.add("requested expiration of " + seconds + " seconds shortened to "
                    + settings.maxExpirationSeconds() + " seconds");
            seconds = settings.maxExpirationSeconds();
            spec.put("expirationSeconds", seconds);
        }
        boolean extended = settings.extendExpiration()
                && bound.pod != null
                && seconds == AUTOMATIC_SECONDS
                && settings.audiences().containsAll(texts(spec.path("audiences")));
        ObjectNode claims = claims(account, bound, texts(spec.path("audiences")), now, seconds, extended);
        answer.putObject("status")
                .put("token", Jwt.sign(claims, keys))
                .put("expirationTimestamp", text(now.plusSeconds(seconds)));
        return answer;
    }

    private void mustMatch(ObjectNode metadata, String field, String expected, String name) {
        String found = metadata.path(field).asText("");
        if (!found.isEmpty() && !found.equals(expected)) {
            FieldErrors errors = new FieldErrors();
            errors.invalid("metadata." + field, found, "must match the service account " + field + " if specified");
            throw Statuses.invalid(GROUP, KIND, name, errors);
        }
    }

    private static void validate(long seconds) {
        FieldErrors errors = new FieldErrors();
        if (seconds < MIN_SECONDS) {
            errors.invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes");
        }
        if (seconds > MAX_SECONDS) {
            errors.invalid("spec.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds");
        }
        if (!errors.isEmpty()) {
            throw Statuses.invalid(GROUP, KIND, "", errors);
        }
    }

    private Bound bind(JsonNode reference, String namespace, String account) {
        if (!reference.isObject()) {
            return Bound.NOTHING;
        }
        String apiVersion = reference.path("apiVersion").asText("");
        String kind = reference.path("kind").asText("");
        String name = reference.path("name").asText("");
        String uid = reference.path("uid").asText("");
        boolean core = apiVersion.indexOf('/') < 0;
        if (core && kind.equals("Pod")) {
            StoredObject pod = find(CoreResources.PODS, namespace, name);
            JsonNode podSpec = pod.tree().path("spec");
            if (!podSpec.path("serviceAccountName").asText("").equals(account)) {
                throw Statuses.badRequest("cannot bind token for serviceaccount " + FieldErrors.quote(account)
                        + " to pod running with different serviceaccount name.");
            }
            mustHaveUid(kind, name, uid, pod);
            String nodeName = podSpec.path("nodeName").asText("");
            Reference node = nodeName.isEmpty()
                    ? null
                    : new Reference(
                            nodeName,
                            storage.get(CoreResources.NODES, null, nodeName)
                                    .map(StoredObject::uid)
                                    .orElse(""));
            return new Bound(Reference.to(pod), null, node);
        }
        if (core && kind.equals("Node")) {
            StoredObject node = find(CoreResources.NODES, null, name);
            mustHaveUid(kind, name, uid, node);
            return new Bound(null, null, Reference.to(node));
        }
        if (core && kind.equals("Secret")) {
            StoredObject secret = find(CoreResources.SECRETS, namespace, name);
            mustHaveUid(kind, name, uid, secret);
            return new Bound(null, Reference.to(secret), null);
        }
        String version = core ? "/" + apiVersion : apiVersion;
        throw Statuses.badRequest("cannot bind token to object of type " + version + ", Kind=" + kind);
    }

    private StoredObject find(ApiResource resource, @Nullable String namespace, String name) {
        return storage.get(resource, namespace, name)
                .orElseThrow(() -> Statuses.notFound(resource.group(), resource.plural(), name));
    }

    private static void mustHaveUid(String kind, String name, String uid, StoredObject object) {
        if (!uid.isEmpty() && !uid.equals(object.uid())) {
            throw Statuses.conflict(
                    "",
                    kind,
                    name,
                    "the UID in the bound object reference (" + uid
                            + ") does not match the UID in record. The object might have been deleted and then recreated");
        }
    }

    private ObjectNode claims(
            StoredObject account, Bound bound, List<String> audiences, Instant now, long seconds, boolean extended) {
        ObjectNode claims = com.fasterxml.jackson.databind.node.JsonNodeFactory.instance.objectNode();
        ArrayNode aud = claims.putArray("aud");
        audiences.forEach(aud::add);
        claims.put("exp", now.getEpochSecond() + (extended ? EXTENDED_SECONDS : seconds));
        claims.put("iat", now.getEpochSecond());
        claims.put("iss", settings.issuer());
        claims.put("jti", uuid());
        ObjectNode own = claims.putObject("kubernetes.io");
        own.put("namespace", account.namespace());
        Reference.put(own, "node", bound.node);
        Reference.put(own, "pod", bound.pod);
        Reference.put(own, "secret", bound.secret);
        Reference.put(own, "serviceaccount", Reference.to(account));
        if (extended) {
            own.put("warnafter", now.getEpochSecond() + seconds);
        }
        claims.put("nbf", now.getEpochSecond());
        claims.put("sub", "system:serviceaccount:" + account.namespace() + ":" + account.name());
        return claims;
    }

    /** A random identifier; not a secret, so the driver's source will do. */
    private String uuid() {
        long high = driver.random().nextLong() & 0xffffffffffff0fffL | 0x4000L;
        long low = driver.random().nextLong() & 0x3fffffffffffffffL | 0x8000000000000000L;
        return new UUID(high, low).toString();
    }

    private static String text(Instant time) {
        return time.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    private static ObjectNode object(ObjectNode parent, String field) {
        return parent.get(field) instanceof ObjectNode found ? found : parent.putObject(field);
    }

    private static List<String> texts(JsonNode array) {
        List<String> list = new ArrayList<>();
        array.forEach(value -> list.add(value.asText()));
        return list;
    }

    /** What a token lives and dies with. */
    private record Bound(
            @Nullable Reference pod,
            @Nullable Reference secret,
            @Nullable Reference node) {
        static final Bound NOTHING = new Bound(null, null, null);
    }

    private record Reference(String name, String uid) {
        static Reference to(StoredObject object) {
            return new Reference(object.name(), object.uid());
        }

        static void put(ObjectNode parent, String field, @Nullable Reference reference) {
            if (reference != null) {
                ObjectNode node = parent.putObject(field).put("name", reference.name);
                if (!reference.uid.isEmpty()) {
                    node.put("uid", reference.uid);
                }
            }
        }
    }
}
