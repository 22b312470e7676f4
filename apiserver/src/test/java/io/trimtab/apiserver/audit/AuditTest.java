package io.trimtab.apiserver.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.ApiServer;
import io.trimtab.apiserver.auth.AuthorizerChain;
import io.trimtab.apiserver.auth.RbacAuthorizer;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.callout.CalloutException;
import io.trimtab.apiserver.callout.CalloutTransport;
import io.trimtab.apiserver.callout.Target;
import io.trimtab.apiserver.kinds.Kinds;
import io.trimtab.apiserver.kinds.KindsOptions;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.runtime.VirtualDriver;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AuditTest {
    private static final String HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n";
    private static final UserInfo ADMIN = UserInfo.of("admin", "system:masters", "system:authenticated");
    private static final UserInfo BOB = UserInfo.of("bob", "system:authenticated");
    private static final String MAPS = "/api/v1/namespaces/default/configmaps";

    private final VirtualDriver driver = VirtualDriver.create();
    private final ResourceRegistry resources = ResourceRegistry.builtIn(new Kinds(KindsOptions.DEFAULT).registry());
    private final MemoryStore store = MemoryStore.create();
    private final DefaultStorage storage = new DefaultStorage(store, driver, resources::selectableFields);
    private final RbacAuthorizer rbac = new RbacAuthorizer(storage);
    private final List<ObjectNode> events = new ArrayList<>();

    @AfterEach
    void close() {
        storage.close();
        store.close();
        driver.close();
    }

    private ApiServer server(String rules) {
        return ApiServer.builder()
                .driver(driver)
                .storage(storage)
                .resources(resources)
                .authorizer(new AuthorizerChain(List.of(rbac)))
                .audit(new Audit(AuditPolicy.parse("policy.yaml", HEAD + rules), List.of(events::add), driver))
                .build();
    }

    private static ApiRequest request(UserInfo user, String method, String path, String body, String... headers) {
        Map<String, List<String>> all = new java.util.LinkedHashMap<>();
        all.put("content-type", List.of(method.equals("PATCH") ? "application/merge-patch+json" : "application/json"));
        for (int i = 0; i < headers.length; i += 2) {
            all.put(headers[i], List.of(headers[i + 1]));
        }
        return new ApiRequest(
                method, path, Map.of(), all, body.getBytes(StandardCharsets.UTF_8), ApiRequest.Peer.trusted(user));
    }

    private List<String> stages() {
        return events.stream()
                .map(e -> e.path("level").asText() + " " + e.path("stage").asText())
                .toList();
    }

    private ObjectNode last() {
        return events.get(events.size() - 1);
    }

    @Test
    void givenARequestThatIsKeptWhole_whenServed_thenItsEventsAreThoseOfKubernetes() throws Exception {
        ApiServer server = server("rules: [{level: RequestResponse}]");

        ApiResponse answer = server.handle(request(
                ADMIN,
                "POST",
                MAPS,
                "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c1\"},\"data\":{\"a\":\"b\"}}",
                "audit-id",
                "my-id",
                "user-agent",
                "curl/7",
                "x-forwarded-for",
                "1.2.3.4"));

        assertThat(answer.headers()).containsEntry("Audit-Id", List.of("my-id"));
        assertThat(stages()).containsExactly("RequestResponse RequestReceived", "RequestResponse ResponseComplete");
        ObjectNode event = last();
        List<String> fields = new ArrayList<>();
        event.fieldNames().forEachRemaining(fields::add);
        assertThat(fields)
                .containsExactly(
                        "kind",
                        "apiVersion",
                        "level",
                        "auditID",
                        "stage",
                        "requestURI",
                        "verb",
                        "user",
                        "sourceIPs",
                        "userAgent",
                        "objectRef",
                        "responseStatus",
                        "requestObject",
                        "responseObject",
                        "requestReceivedTimestamp",
                        "stageTimestamp",
                        "annotations");
        assertThat(event.path("user").toString())
                .isEqualTo("{\"username\":\"admin\",\"groups\":[\"system:masters\",\"system:authenticated\"]}");
        assertThat(event.path("sourceIPs").toString()).isEqualTo("[\"1.2.3.4\",\"127.0.0.1\"]");
        assertThat(event.path("objectRef").toString())
                .isEqualTo(
                        "{\"resource\":\"configmaps\",\"namespace\":\"default\",\"name\":\"c1\",\"apiVersion\":\"v1\"}");
        assertThat(event.path("responseStatus").toString()).isEqualTo("{\"metadata\":{},\"code\":201}");
        assertThat(event.path("requestObject").toString())
                .isEqualTo(
                        "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"c1\"},\"data\":{\"a\":\"b\"}}");
        assertThat(event.path("responseObject")
                        .path("metadata")
                        .path("namespace")
                        .asText())
                .isEqualTo("default");
        assertThat(event.path("annotations").toString())
                .isEqualTo("{\"authorization.k8s.io/decision\":\"allow\",\"authorization.k8s.io/reason\":\"\"}");
        assertThat(event.path("stageTimestamp").asText())
                .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z");
        ObjectNode first = events.get(0);
        assertThat(first.has("responseStatus") || first.has("annotations") || first.has("requestObject"))
                .isFalse();
        assertThat(first.path("objectRef").has("name")).isFalse();
    }

    @Test
    void givenARefusedRequest_whenServed_thenTheReasonIsKeptAtEveryLevel() {
        ApiServer server = server("rules: [{level: Metadata}]");

        server.handle(request(BOB, "GET", MAPS + "/c1", ""));

        assertThat(last().path("responseStatus").path("code").asInt()).isEqualTo(403);
        assertThat(last().path("responseStatus").path("reason").asText()).isEqualTo("Forbidden");
        assertThat(last().has("responseObject")).isFalse();
        assertThat(last().path("annotations")
                        .path("authorization.k8s.io/decision")
                        .asText())
                .isEqualTo("forbid");
    }

    @Test
    void givenAPatchAtLevelRequest_whenServed_thenThePatchIsKeptAndNotTheAnswer() {
        ApiServer server = server("rules: [{level: Request}]");
        server.handle(request(
                ADMIN, "POST", MAPS, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c1\"}}"));

        server.handle(request(ADMIN, "PATCH", MAPS + "/c1", "{\"data\":{\"a\":\"c\"}}"));

        assertThat(last().path("requestObject").toString()).isEqualTo("{\"data\":{\"a\":\"c\"}}");
        assertThat(last().has("responseObject")).isFalse();
    }

    @Test
    void givenManagedFieldsAreOmitted_whenAnObjectIsAnswered_thenItIsKeptWithoutThem() {
        ApiServer server = server("omitManagedFields: true\nrules: [{level: RequestResponse}]");
        server.handle(
                request(
                        ADMIN,
                        "POST",
                        MAPS,
                        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c1\"},\"data\":{\"a\":\"b\"}}"));
        assertThat(last().path("responseObject").path("metadata").has("managedFields"))
                .isFalse();

        server.handle(request(ADMIN, "GET", MAPS, ""));
        assertThat(last().path("responseObject")
                        .path("items")
                        .path(0)
                        .path("metadata")
                        .has("name"))
                .isTrue();
        assertThat(last().path("responseObject").toString()).doesNotContain("managedFields");
    }

    @Test
    void givenAWatch_whenItBeginsAndEnds_thenBothAreKept() {
        ApiServer server = server("rules: [{level: Metadata}]");

        ApiResponse.Watch watch = (ApiResponse.Watch) server.handle(new ApiRequest(
                "GET", MAPS, Map.of("watch", List.of("1")), Map.of(), new byte[0], ApiRequest.Peer.trusted(ADMIN)));
        assertThat(stages()).containsExactly("Metadata RequestReceived", "Metadata ResponseStarted");
        driver.advance(Duration.ofSeconds(2));
        watch.events().close();
        watch.events().close();

        assertThat(stages())
                .containsExactly("Metadata RequestReceived", "Metadata ResponseStarted", "Metadata ResponseComplete");
        assertThat(last().path("requestURI").asText()).isEqualTo(MAPS + "?watch=1");
    }

    @Test
    void givenBadCredentials_whenRefused_thenThatIsKeptWithoutAUser() {
        ApiServer server = ApiServer.builder()
                .driver(driver)
                .storage(storage)
                .resources(resources)
                .anonymous(false)
                .audit(new Audit(
                        AuditPolicy.parse("p", HEAD + "rules: [{level: Metadata}]"), List.of(events::add), driver))
                .build();

        server.handle(new ApiRequest(
                "GET",
                "/api",
                Map.of(),
                Map.of("authorization", List.of("Bearer wrong")),
                new byte[0],
                new ApiRequest.Peer("10.0.0.1", List.of(), null)));

        assertThat(stages()).containsExactly("Metadata ResponseStarted");
        assertThat(last().path("user").isEmpty()).isTrue();
        assertThat(last().path("responseStatus").toString())
                .isEqualTo(
                        "{\"metadata\":{},\"status\":\"Failure\",\"message\":\"Authentication failed, attempted: bearer\","
                                + "\"reason\":\"Unauthorized\",\"code\":401}");
    }

    @Test
    void givenImpersonation_whenServed_thenBothUsersAreKept() {
        ApiServer server = server("rules: [{level: Metadata, users: [admin]}]");

        server.handle(request(ADMIN, "GET", MAPS, "", "impersonate-user", "jane"));

        assertThat(last().path("user").path("username").asText()).isEqualTo("admin");
        assertThat(last().path("impersonatedUser").toString())
                .isEqualTo("{\"username\":\"jane\",\"groups\":[\"system:authenticated\"]}");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{level: Metadata, users: [bob]} | GET | /api/v1/namespaces/a/pods | Metadata",
                "{level: Metadata, users: [al]} | GET | /api/v1/namespaces/a/pods | None",
                "{level: Metadata, userGroups: [`system:authenticated`]} | GET | /version | Metadata",
                "{level: Metadata, verbs: [list]} | GET | /api/v1/namespaces/a/pods | Metadata",
                "{level: Metadata, verbs: [get]} | GET | /api/v1/namespaces/a/pods | None",
                "{level: Metadata, namespaces: [a]} | GET | /api/v1/namespaces/a/pods | Metadata",
                "{level: Metadata, namespaces: [b]} | GET | /api/v1/namespaces/a/pods | None",
                "{level: Metadata, namespaces: ['']} | GET | /api/v1/nodes | Metadata",
                "{level: Metadata, namespaces: [a]} | GET | /version | None",
                "{level: Metadata, resources: [{group: '', resources: [pods]}]} | GET | /api/v1/namespaces/a/pods/p | Metadata",
                "{level: Metadata, resources: [{group: '', resources: [pods]}]} | GET | /api/v1/namespaces/a/pods/p/log | None",
                "{level: Metadata, resources: [{group: '', resources: [pods/log]}]} | GET | /api/v1/namespaces/a/pods/p/log | Metadata",
                "{level: Metadata, resources: [{group: '', resources: [pods/*]}]} | GET | /api/v1/namespaces/a/pods/p/log | Metadata",
                "{level: Metadata, resources: [{group: '', resources: ['*/log']}]} | GET | /api/v1/namespaces/a/pods/p/log | Metadata",
                "{level: Metadata, resources: [{group: '', resources: ['*/status']}]} | GET | /api/v1/namespaces/a/pods/p/log | None",
                "{level: Metadata, resources: [{group: apps}]} | GET | /apis/apps/v1/namespaces/a/deployments | Metadata",
                "{level: Metadata, resources: [{group: '', resources: [pods], resourceNames: [p]}]} | GET | /api/v1/namespaces/a/pods/p | Metadata",
                "{level: Metadata, resources: [{group: '', resources: [pods], resourceNames: [q]}]} | GET | /api/v1/namespaces/a/pods/p | None",
                "{level: Metadata, nonResourceURLs: ['/healthz*']} | GET | /healthz/ping | Metadata",
                "{level: Metadata, nonResourceURLs: [/version]} | GET | /versions | None",
                "{level: Metadata, nonResourceURLs: ['*']} | GET | /api/v1/nodes | None",
            })
    void givenARule_whenARequestComes_thenItFitsOrNot(String rule, String method, String path, String level) {
        AuditPolicy policy = AuditPolicy.parse("p", HEAD + "rules: [" + rule.replace('`', '"') + "]");

        ApiRequest request = request(BOB, method, path, "");

        assertThat(policy.evaluate(io.trimtab.apiserver.RequestInfo.of(request), BOB)
                        .level()
                        .text())
                .isEqualTo(level);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "kind: Policy\\nrules: [{level: None}] | failed decoding: no kind \"Policy\" is registered for version \"\"",
                "apiVersion: audit.k8s.io/v1\\nrules: [] | failed decoding: Object 'Kind' is missing",
                HEAD_LINE + "rules: [] | loaded illegal policy with 0 rules: from file p",
                HEAD_LINE + "rules: [{}] | rules[0].level: Required value: from file p",
                HEAD_LINE
                        + "rules: [{level: X}] | rules[0].level: Unsupported value: \"X\": supported values: \"Metadata\","
                        + " \"None\", \"Request\", \"RequestResponse\": from file p",
                HEAD_LINE
                        + "omitStages: [X]\\nrules: [{level: None}] | omitStages[0]: Invalid value: \"X\": allowed stages are"
                        + " RequestReceived,ResponseStarted,ResponseComplete,Panic: from file p",
                HEAD_LINE
                        + "rules: [{level: None, nonResourceURLs: [x]}] | rules[0].nonResourceURLs[0]: Invalid value: \"x\":"
                        + " non-resource URL rules must begin with a '/' character: from file p",
                HEAD_LINE
                        + "rules: [{level: None, nonResourceURLs: ['/a*b']}] | rules[0].nonResourceURLs[0]: Invalid value:"
                        + " \"/a*b\": non-resource URL wildcards '*' must be the final character of the rule: from file p",
                HEAD_LINE
                        + "rules: [{level: None, nonResourceURLs: [/a], namespaces: [b]}] | rules[0].nonResourceURLs: Invalid"
                        + " value: [\"/a\"]: rules cannot apply to both regular resources and non-resource URLs: from file p",
                HEAD_LINE
                        + "rules: [{level: None, resources: [{resourceNames: [a]}]}] | rules[0].resources.resourceNames:"
                        + " Invalid value: [\"a\"]: using resourceNames requires at least one resource: from file p",
            })
    void givenABrokenPolicy_whenRead_thenTheMistakeIsNamed(String text, String message) {
        assertThatThrownBy(() -> AuditPolicy.parse("p", text.replace("\\n", "\n")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    private static final String HEAD_LINE = "apiVersion: audit.k8s.io/v1\\nkind: Policy\\n";

    @Test
    void givenOmittedStages_whenServed_thenTheyAreLeftOut() {
        server("omitStages: [RequestReceived]\nrules: [{level: Metadata}]").handle(request(ADMIN, "GET", MAPS, ""));
        assertThat(stages()).containsExactly("Metadata ResponseComplete");

        server("rules: [{level: Metadata, omitStages: [ResponseComplete]}]").handle(request(ADMIN, "GET", MAPS, ""));
        assertThat(stages()).containsExactly("Metadata ResponseComplete", "Metadata RequestReceived");
    }

    @Test
    void givenALogFile_whenItGrows_thenOldOnesArePutAsideAndTheOldestDeleted(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("logs/audit.log");
        ObjectNode event =
                new ObjectMapper().createObjectNode().put("kind", "Event").put("fill", "x".repeat(300_000));
        try (AuditLogFile log =
                AuditLogFile.open(new AuditLogFile.Options(file.toString(), 0, 2, 1, true, false), driver)) {
            for (int i = 0; i < 20; i++) {
                log.take(event);
                driver.advance(Duration.ofSeconds(1));
            }
        }

        try (Stream<Path> files = Files.list(file.getParent())) {
            List<String> names =
                    files.map(f -> f.getFileName().toString()).sorted().toList();
            assertThat(names).hasSize(3).last().isEqualTo("audit.log");
            assertThat(names.get(0)).matches("audit-\\d{4}-\\d\\d-\\d\\dT\\d\\d-\\d\\d-\\d\\d\\.\\d{3}\\.log\\.gz");
        }
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).isNotEmpty();
        JsonNode read = new ObjectMapper().readTree(lines.get(0));
        assertThat(read.path("kind").asText()).isEqualTo("Event");
    }

    @Test
    void givenAWebhook_whenEventsCome_thenTheyGoOutInBatchesAndAreTriedAgain() throws Exception {
        List<JsonNode> received = new ArrayList<>();
        int[] failures = {1};
        CalloutTransport transport = request -> () -> {
            if (failures[0]-- > 0) {
                throw new CalloutException("connection refused");
            }
            try {
                received.add(new ObjectMapper().readTree(request.body()));
            } catch (java.io.IOException e) {
                throw new IllegalStateException(e);
            }
            return new CalloutTransport.Reply(200, Map.of(), new byte[0]);
        };
        AuditBatches batches = new AuditBatches(
                new AuditBatches.Options(5, 3, Duration.ofSeconds(30)),
                new AuditWebhook(transport, Target.of("https://audit.example/x", Target.Trust.anything()), Map.of()),
                driver);
        for (int i = 0; i < 4; i++) {
            batches.take(event(i));
        }
        driver.settle();
        assertThat(received).hasSize(1);
        assertThat(received.get(0).path("kind").asText()).isEqualTo("EventList");
        assertThat(received.get(0).path("items")).hasSize(3);
        driver.advance(Duration.ofSeconds(30));
        assertThat(received).hasSize(2);

        for (int i = 0; i < 9; i++) {
            batches.take(event(i));
        }
        assertThat(batches.dropped()).isEqualTo(4);
        batches.close();
        assertThat(received.stream().mapToInt(l -> l.path("items").size()).sum())
                .isEqualTo(9);
    }

    private static ObjectNode event(int i) {
        return new ObjectMapper().createObjectNode().put("kind", "Event").put("auditID", "e" + i);
    }
}
