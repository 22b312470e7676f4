package io.trimtab.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.trimtab.apiserver.ApiServer;
import io.trimtab.apiserver.admission.AdmissionChain;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.AuthorizerChain;
import io.trimtab.apiserver.auth.BearerTokens;
import io.trimtab.apiserver.auth.NodeAuthorizer;
import io.trimtab.apiserver.auth.RbacAuthorizer;
import io.trimtab.apiserver.auth.RbacEscalation;
import io.trimtab.apiserver.bootstrap.Bootstrap;
import io.trimtab.apiserver.kinds.Kinds;
import io.trimtab.apiserver.kinds.KindsOptions;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.apiserver.table.CustomColumns;
import io.trimtab.apiserver.table.Tables;
import io.trimtab.apiserver.tokens.ServiceAccountTokens;
import io.trimtab.apiserver.tokens.TokenIssuer;
import io.trimtab.apiserver.tokens.TokenKeys;
import io.trimtab.apiserver.tokens.TokenSettings;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.VirtualDriver;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Sends what was once sent to a Kubernetes 1.34 API server, in the same order, and compares the answers. Masked in both: uids,
 * times, ages, versions, addresses, ports, tokens and the prose of column descriptions. A line whose answer is known to differ says
 * why in {@code differs}; it is sent all the same, for what it changes.
 */
class RecordedAnswersTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern VARIABLE = Pattern.compile("\\$(\\w+)\\.(rv|uid|cont|token)");
    private static final Map<Pattern, String> MASKS = masks();

    private final TestServer server = new TestServer(RecordedAnswersTest::whole);
    private final Map<String, String> variables = new HashMap<>();

    private static Map<Pattern, String> masks() {
        Map<Pattern, String> masks = new LinkedHashMap<>();
        masks.put(Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>");
        masks.put(Pattern.compile("(\"(?:resourceVersion|continue)\":\\s*)\"[^\"]+\""), "$1\"<rv>\"");
        masks.put(Pattern.compile("(resourceVersion\\\\+\":\\\\+\")\\d+"), "$1<rv>");
        masks.put(Pattern.compile("current: \\d+"), "current: <rv>");
        masks.put(Pattern.compile("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z"), "<time>");
        masks.put(Pattern.compile("(kube-api-access-)\\w{5}"), "$1xxxxx");
        masks.put(Pattern.compile("(\"clusterIPs?\":\\s*\\[?\\s*)\"10[^\"]+\""), "$1\"<ip>\"");
        masks.put(Pattern.compile("10\\.\\d+\\.\\d+\\.\\d+"), "<ip>");
        masks.put(Pattern.compile("(\"nodePort\":\\s*)\\d{5}"), "$1<port>");
        masks.put(Pattern.compile("80:\\d{5}/"), "80:<port>/");
        masks.put(Pattern.compile("eyJ[\\w.-]+"), "<token>");
        masks.put(Pattern.compile("generated-\\w{5}"), "generated-xxxxx");
        masks.put(Pattern.compile("\"kubernetes.io/node(-uid)?\""), "\"n\"");
        masks.put(Pattern.compile("\"description\":\"(\\\\.|[^\"\\\\])*\""), "\"description\":\"\"");
        masks.put(Pattern.compile("\"\\d+[smhd]\""), "\"<age>\"");
        return masks;
    }

    /** A server with all that the standalone one has. */
    private static ApiServer.Builder whole(ApiServer.Builder builder) {
        Driver driver = VirtualDriver.create();
        Kinds kinds = new Kinds(KindsOptions.DEFAULT);
        ResourceRegistry resources = ResourceRegistry.builtIn(kinds.registry());
        DefaultStorage storage = new DefaultStorage(MemoryStore.create(), driver, resources::selectableFields);
        Bootstrap.run(storage, driver, new Bootstrap.Settings("10.254.0.0/16", "127.0.0.1", 6443, ""));
        RbacAuthorizer rbac = new RbacAuthorizer(storage);
        Authorizer authorizer = new AuthorizerChain(List.of(new NodeAuthorizer(storage), rbac));
        TokenKeys keys = TokenKeys.inMemory();
        TokenSettings settings = TokenSettings.of("https://kubernetes.default.svc");
        AdmissionChain admission = AdmissionChain.create(
                new AdmissionChain.Surroundings(authorizer, resources, new RbacEscalation(authorizer, rbac)),
                List.of(),
                Set.of(),
                Set.of());
        return builder.driver(driver)
                .storage(storage)
                .resources(resources)
                .tokens(new BearerTokens(
                        List.of(new ServiceAccountTokens(storage, keys, settings, driver)), settings.audiences()))
                .tokenIssuer(new TokenIssuer(storage, keys, settings, driver))
                .authorizer(authorizer)
                .admission(List.of(admission))
                .tables(new Tables(driver::now, CustomColumns.NONE));
    }

    @Test
    void givenRecordedRequests_whenSentInOrder_thenAnswersAreTheSame() throws IOException {
        List<String> different = new ArrayList<>();
        int compared = 0;
        for (JsonNode request : recorded()) {
            TestServer.Answer answer = send(request);
            remember(request, answer);
            if (request.has("differs")) {
                continue;
            }
            compared++;
            String expected = shown(
                    request.path("status").asInt(),
                    request.path("contentType").asText(),
                    texts(request.path("warnings")),
                    request.path("response").asText());
            List<String> warnings = answer.headers().getOrDefault("Warning", List.of());
            List<String> types = answer.headers().getOrDefault("Content-Type", List.of(""));
            String actual = shown(answer.code(), types.get(0), warnings, answer.body());
            if (!actual.equals(expected)) {
                different.add(request.path("method").asText() + " "
                        + request.path("path").asText() + " "
                        + request.path("body").asText() + "\n  expected " + expected + "\n  but was  " + actual);
            }
        }
        assertThat(different).isEmpty();
        assertThat(compared).isGreaterThan(300);
    }

    private static List<JsonNode> recorded() throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String file : List.of("requests", "protocol")) {
            try (BufferedReader in = new BufferedReader(new InputStreamReader(
                    Objects.requireNonNull(
                            RecordedAnswersTest.class.getResourceAsStream("/golden/rest/" + file + ".jsonl")),
                    StandardCharsets.UTF_8))) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    lines.add(JSON.readTree(line));
                }
            }
        }
        return lines;
    }

    private TestServer.Answer send(JsonNode request) {
        Map<String, String> headers = new LinkedHashMap<>();
        request.path("headers")
                .fields()
                .forEachRemaining(h -> headers.put(
                        h.getKey().toLowerCase(java.util.Locale.ROOT),
                        h.getValue().asText()));
        headers.put("user-agent", "test/1.0");
        if (request.has("type")) {
            headers.put("content-type", request.path("type").asText());
        }
        return server.send(
                request.path("method").asText(),
                filled(request.path("path").asText()),
                headers,
                filled(request.path("body").asText()));
    }

    private void remember(JsonNode request, TestServer.Answer answer) throws IOException {
        String name = request.path("save").asText();
        if (name.isEmpty()) {
            return;
        }
        JsonNode object = JSON.readTree(answer.body());
        variables.put(
                name + ".rv", object.path("metadata").path("resourceVersion").asText());
        variables.put(name + ".uid", object.path("metadata").path("uid").asText());
        variables.put(name + ".cont", object.path("metadata").path("continue").asText());
        variables.put(name + ".token", object.path("status").path("token").asText());
    }

    private String filled(String text) {
        Matcher matcher = VARIABLE.matcher(text);
        return matcher.replaceAll(
                m -> Matcher.quoteReplacement(variables.getOrDefault(m.group(1) + "." + m.group(2), "?")));
    }

    private static List<String> texts(JsonNode list) {
        List<String> texts = new ArrayList<>();
        list.forEach(t -> texts.add(t.asText()));
        return texts;
    }

    private static String shown(int code, String type, List<String> warnings, String body) {
        String text = body.strip();
        for (Map.Entry<Pattern, String> mask : MASKS.entrySet()) {
            text = mask.getKey().matcher(text).replaceAll(mask.getValue());
        }
        return code + " " + type + " " + warnings + " " + text;
    }
}
