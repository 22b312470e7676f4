package io.trimtab.apiserver.audit;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.protobuf.MalformedProtobufException;
import io.trimtab.apiserver.protobuf.ProtobufBodies;
import io.trimtab.apiserver.resource.RequestTrail;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is kept of one request, told stage by stage. Used by one thread after another; the end of a watch may come by any.
 */
public final class AuditRecord implements RequestTrail.Recorder {
    private static final Logger LOG = LoggerFactory.getLogger(AuditRecord.class);
    private static final ObjectMapper JSON = new JsonMapper();
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final DateTimeFormatter MICROS =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);
    private static final int MAX_USER_AGENT = 1024;

    private final Audit audit;
    private final AuditPolicy.Verdict verdict;
    private final ApiRequest request;
    private final RequestInfo info;
    private final @Nullable UserInfo user;
    private final String id;
    private final Instant received;
    private final AtomicBoolean complete = new AtomicBoolean();
    private @Nullable UserInfo impersonated;
    private @Nullable RequestTrail trail;
    private @Nullable ObjectNode requestObject;
    private @Nullable JsonNode patchList;
    private @Nullable ObjectNode requestMetadata;
    private @Nullable ObjectNode status;
    private @Nullable JsonNode responseObject;

    AuditRecord(
            Audit audit,
            AuditPolicy.Verdict verdict,
            ApiRequest request,
            RequestInfo info,
            @Nullable UserInfo user,
            String id) {
        this.audit = audit;
        this.verdict = verdict;
        this.request = request;
        this.info = info;
        this.user = user;
        this.id = id;
        this.received = audit.driver().now();
    }

    /** The request is there; nothing has been decided. */
    public void received() {
        emit(AuditStage.REQUEST_RECEIVED);
    }

    /** Who the request is served for, if not for who asks. */
    public void impersonates(UserInfo other) {
        impersonated = other;
    }

    /** Where annotations are noted. */
    public void follow(RequestTrail requestTrail) {
        trail = requestTrail;
        requestTrail.record(this);
    }

    @Override
    public void request(ObjectNode object) {
        requestMetadata = object.path("metadata").isObject()
                ? (ObjectNode) object.path("metadata").deepCopy()
                : null;
        if (verdict.level().includes(AuditLevel.REQUEST)) {
            ObjectNode copy = object.deepCopy();
            omitManagedFields(copy);
            requestObject = typeFirst(copy);
        }
    }

    @Override
    public void patch(byte[] body, boolean yaml) {
        if (!verdict.level().includes(AuditLevel.REQUEST)) {
            return;
        }
        try {
            JsonNode patch = yaml ? new YAMLMapper().readTree(body) : JSON.readTree(body);
            // A JSON patch is a list, which an object's place cannot hold any other way.
            requestObject = patch instanceof ObjectNode object ? object : null;
            patchList = patch != null && patch.isArray() ? patch : null;
        } catch (IOException e) {
            LOG.debug("patch not kept: auditID={} why={}", id, e.getMessage());
        }
    }

    /** The request was not served: nobody knows who asks. */
    public void unauthenticated(String attempted) {
        status = NODES.objectNode();
        status.putObject("metadata");
        status.put("status", "Failure")
                .put("message", "Authentication failed, attempted: " + attempted)
                .put("reason", "Unauthorized")
                .put("code", 401);
        emit(AuditStage.RESPONSE_STARTED);
    }

    /**
     * The answer is known; what is passed on is to be sent instead. A watch is complete when it ends, everything else at once.
     */
    public ApiResponse answered(ApiResponse answer) {
        ApiResponse sent = answer;
        try {
            if (answer instanceof ApiResponse.Watch watch) {
                setCode(answer.code());
                emit(AuditStage.RESPONSE_STARTED);
                return new ApiResponse.Watch(
                        watch.code(),
                        watch.headers(),
                        new WatchedEvents(watch.events(), this::complete),
                        watch.framing());
            }
            if (answer instanceof ApiResponse.Pieces pieces && verdict.level().includes(AuditLevel.REQUEST_RESPONSE)) {
                sent = whole(pieces);
            }
            read(sent);
            if (info.longRunning()) {
                emit(AuditStage.RESPONSE_STARTED);
            }
        } catch (RuntimeException e) {
            LOG.warn("answer not kept in the audit log: auditID={}", id, e);
        }
        complete();
        return sent;
    }

    private void complete() {
        if (complete.compareAndSet(false, true)) {
            emit(AuditStage.RESPONSE_COMPLETE);
        }
    }

    private static ApiResponse whole(ApiResponse.Pieces pieces) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        pieces.pieces().forEachRemaining(body::writeBytes);
        return new ApiResponse.Whole(pieces.code(), pieces.headers(), body.toByteArray());
    }

    private void setCode(int code) {
        ObjectNode plain = NODES.objectNode();
        plain.putObject("metadata");
        status = plain.put("code", code);
    }

    private void read(ApiResponse answer) {
        setCode(answer.code());
        if (!(answer instanceof ApiResponse.Whole whole)
                || whole.body().length == 0
                || !info.resourceRequest() && answer.code() < 400) {
            return;
        }
        boolean wanted = verdict.level().includes(AuditLevel.REQUEST_RESPONSE);
        boolean mayBeStatus = answer.code() >= 400
                || info.verb().startsWith("delete")
                || info.verb().equals("create");
        if (!wanted && !mayBeStatus) {
            return;
        }
        ObjectNode object = parse(whole);
        if (object == null) {
            return;
        }
        if (object.path("kind").asText("").equals("Status")) {
            ObjectNode own = object.deepCopy();
            own.remove(List.of("kind", "apiVersion"));
            status = own.put("code", answer.code());
        }
        if (wanted && info.resourceRequest()) {
            omitManagedFields(object);
            for (JsonNode item : object.path("items")) {
                omitManagedFields(item);
            }
            for (JsonNode row : object.path("rows")) {
                omitManagedFields(row.path("object"));
            }
            responseObject = object;
        }
    }

    private static @Nullable ObjectNode parse(ApiResponse.Whole answer) {
        String type = answer.headers().getOrDefault("Content-Type", List.of("")).get(0);
        try {
            JsonNode read = null;
            if (ProtobufBodies.isProtobuf(answer.body())) {
                read = ProtobufBodies.read(answer.body(), "", "");
            } else if (type.contains("yaml")) {
                read = new YAMLMapper().readTree(answer.body());
            } else if (type.contains("json")) {
                read = JSON.readTree(answer.body());
            }
            return read instanceof ObjectNode object ? object : null;
        } catch (IOException | MalformedProtobufException e) {
            return null;
        }
    }

    private void omitManagedFields(JsonNode object) {
        if (verdict.omitManagedFields() && object.path("metadata") instanceof ObjectNode metadata) {
            metadata.remove("managedFields");
        }
    }

    private static ObjectNode typeFirst(ObjectNode object) {
        ObjectNode ordered = NODES.objectNode();
        for (String field : List.of("kind", "apiVersion")) {
            if (object.has(field)) {
                ordered.set(field, object.get(field));
            }
        }
        object.fields().forEachRemaining(field -> {
            if (!ordered.has(field.getKey())) {
                ordered.set(field.getKey(), field.getValue());
            }
        });
        return ordered;
    }

    // ---- The event -------------------------------------------------------------------------------------------------

    private void emit(AuditStage stage) {
        if (verdict.omitted().contains(stage)) {
            return;
        }
        ObjectNode event = NODES.objectNode();
        event.put("kind", "Event").put("apiVersion", "audit.k8s.io/v1");
        event.put("level", verdict.level().text());
        event.put("auditID", id);
        event.put("stage", stage.text());
        event.put("requestURI", uri());
        event.put("verb", info.verb());
        event.set("user", userOf(user));
        if (impersonated != null) {
            event.set("impersonatedUser", userOf(impersonated));
        }
        List<String> addresses = addresses();
        if (!addresses.isEmpty()) {
            addresses.forEach(event.putArray("sourceIPs")::add);
        }
        String agent = request.header("user-agent");
        if (agent != null && !agent.isEmpty()) {
            event.put(
                    "userAgent",
                    agent.length() > MAX_USER_AGENT ? agent.substring(0, MAX_USER_AGENT) + "...TRUNCATED" : agent);
        }
        if (info.resourceRequest()) {
            event.set("objectRef", reference());
        }
        if (status != null) {
            event.set("responseStatus", status);
        }
        if (requestObject != null) {
            event.set("requestObject", requestObject);
        } else if (patchList != null) {
            event.set("requestObject", patchList);
        }
        if (responseObject != null) {
            event.set("responseObject", responseObject);
        }
        event.put("requestReceivedTimestamp", MICROS.format(received));
        event.put(
                "stageTimestamp",
                MICROS.format(
                        stage == AuditStage.REQUEST_RECEIVED
                                ? received
                                : audit.driver().now()));
        RequestTrail noted = trail;
        if (noted != null && !noted.annotations().isEmpty()) {
            ObjectNode annotations = event.putObject("annotations");
            new TreeMap<>(noted.annotations()).forEach(annotations::put);
        }
        audit.emit(event);
    }

    private static ObjectNode userOf(@Nullable UserInfo user) {
        ObjectNode tree = NODES.objectNode();
        if (user == null) {
            return tree;
        }
        tree.put("username", user.name());
        if (!user.uid().isEmpty()) {
            tree.put("uid", user.uid());
        }
        if (!user.groups().isEmpty()) {
            user.groups().forEach(tree.putArray("groups")::add);
        }
        if (!user.extra().isEmpty()) {
            ObjectNode extra = tree.putObject("extra");
            new TreeMap<>(user.extra()).forEach((key, values) -> values.forEach(extra.putArray(key)::add));
        }
        return tree;
    }

    private ObjectNode reference() {
        ObjectNode reference = NODES.objectNode();
        ObjectNode metadata = requestMetadata;
        putIfAny(reference, "resource", info.resource());
        putIfAny(reference, "namespace", info.namespace().isEmpty() ? text(metadata, "namespace") : info.namespace());
        putIfAny(reference, "name", info.name().isEmpty() ? text(metadata, "name") : info.name());
        putIfAny(reference, "uid", text(metadata, "uid"));
        putIfAny(reference, "apiGroup", info.group());
        putIfAny(reference, "apiVersion", info.version());
        putIfAny(reference, "resourceVersion", text(metadata, "resourceVersion"));
        putIfAny(reference, "subresource", info.subresource());
        return reference;
    }

    private static String text(@Nullable ObjectNode metadata, String field) {
        return metadata == null ? "" : metadata.path(field).asText("");
    }

    private static void putIfAny(ObjectNode tree, String field, String value) {
        if (!value.isEmpty()) {
            tree.put(field, value);
        }
    }

    /** As it was asked for, if whoever carried the request knows; else put together again. */
    private String uri() {
        String raw = request.peer().uri();
        if (raw != null) {
            return raw;
        }
        StringBuilder uri = new StringBuilder(request.path());
        char separator = '?';
        for (Map.Entry<String, List<String>> parameter : request.query().entrySet()) {
            for (String value : parameter.getValue()) {
                uri.append(separator)
                        .append(URLEncoder.encode(parameter.getKey(), StandardCharsets.UTF_8))
                        .append('=')
                        .append(URLEncoder.encode(value, StandardCharsets.UTF_8));
                separator = '&';
            }
        }
        return uri.toString();
    }

    /** Those that proxies say they come from, and the one that came here, last. */
    private List<String> addresses() {
        List<String> all = new ArrayList<>();
        for (String line : request.headers().getOrDefault("x-forwarded-for", List.of())) {
            for (String address : line.split(",")) {
                if (isAddress(address.strip())) {
                    all.add(address.strip());
                }
            }
        }
        String real = request.header("x-real-ip");
        if (real != null && isAddress(real.strip()) && (all.isEmpty() || !all.contains(real.strip()))) {
            all.add(real.strip());
        }
        String remote = request.peer().address();
        if (!remote.isEmpty() && (all.isEmpty() || !all.get(all.size() - 1).equals(remote))) {
            all.add(remote);
        }
        return all;
    }

    private static boolean isAddress(String text) {
        return text.matches("\\d{1,3}(\\.\\d{1,3}){3}")
                || text.indexOf(':') >= 0 && text.matches("[0-9a-fA-F:.]{2,45}");
    }

    /** One line of the log. */
    static byte[] encode(ObjectNode event) {
        try {
            return JSON.writeValueAsBytes(event);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an audit event cannot be encoded: " + e.getMessage(), e);
        }
    }
}
