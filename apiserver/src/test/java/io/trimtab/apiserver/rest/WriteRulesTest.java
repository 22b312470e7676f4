package io.trimtab.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WriteRulesTest {
    private static final String MAPS = "/api/v1/namespaces/default/configmaps";
    private static final String PODS = "/api/v1/namespaces/default/pods";
    private final TestServer server = new TestServer();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"metadata\":{\"name\":\"a\",\"namespace\":\"other\"}}|the namespace of the provided object does not match the namespace sent on the request",
                "{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\"}}|Service in version \"v1\" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): unknown conversion",
                "{\"kind\":\"Foo\",\"apiVersion\":\"v1\"}|Foo in version \"v1\" cannot be handled as a Pod: no kind \"Foo\" is registered for version \"v1\" in scheme \"pkg/runtime/scheme.go:110\"",
                "{\"spec\":{\"containers\":\"x\"}}|Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container",
                "``|the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)"
            })
    void givenBadBody_whenCreated_thenBadRequest(String body, String message) {
        var answer = server.post(PODS, body);

        assertThat(answer.code()).isEqualTo(400);
        assertThat(answer.message()).isEqualTo(message);
    }

    @Test
    void givenFieldValidation_thenProblemsAreTreatedAsAsked() {
        String body = "{\"metadata\":{\"name\":\"a\"},\"foo\":1,\"data\":{},\"data\":{}}";

        var warned = server.post(MAPS + "?dryRun=All", body);
        assertThat(warned.code()).isEqualTo(201);
        assertThat(warned.headers().get("Warning"))
                .containsExactlyInAnyOrder(
                        "299 - \"unknown field \\\"foo\\\"\"", "299 - \"duplicate field \\\"data\\\"\"");
        var strict = server.post(MAPS + "?fieldValidation=Strict", body);
        assertThat(strict.code()).isEqualTo(400);
        assertThat(strict.message())
                .isEqualTo("ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error:"
                        + " unknown field \"foo\", duplicate field \"data\"");
        assertThat(server.post(MAPS + "?fieldValidation=Ignore&dryRun=All", body)
                        .headers())
                .doesNotContainKey("Warning");
        assertThat(server.post(MAPS + "?fieldValidation=Foo", body).message())
                .isEqualTo("CreateOptions.meta.k8s.io \"\" is invalid: fieldValidation: Unsupported value: \"Foo\":"
                        + " supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"");
    }

    @Test
    void givenDryRun_thenNothingIsStored() {
        var created = server.post(MAPS + "?dryRun=All", "{\"metadata\":{\"name\":\"a\"}}");
        assertThat(created.code()).isEqualTo(201);
        assertThat(created.json().at("/metadata/uid").asText()).isNotEmpty();
        assertThat(created.json().at("/metadata").has("resourceVersion")).isFalse();
        assertThat(server.get(MAPS + "/a").code()).isEqualTo(404);
        assertThat(server.post(MAPS + "?dryRun=Foo", "{}").message())
                .isEqualTo("CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Foo\"]:"
                        + " supported values: \"All\"");
    }

    @Test
    void givenSystemFields_whenCreated_thenServerSetsThem() {
        var created = server.post(
                MAPS,
                "{\"metadata\":{\"name\":\"a\",\"uid\":\"mine\",\"creationTimestamp\":\"2001-01-01T00:00:00Z\","
                        + "\"deletionTimestamp\":\"2001-01-01T00:00:00Z\",\"selfLink\":\"/x\",\"generation\":7}}");
        assertThat(created.at("/metadata/uid")).isNotEqualTo("mine");
        assertThat(created.at("/metadata/creationTimestamp")).isEqualTo("2026-01-01T00:00:00Z");
        assertThat(created.json().at("/metadata").has("deletionTimestamp")).isFalse();
        assertThat(created.json().at("/metadata").has("selfLink")).isFalse();
        assertThat(created.at("/metadata/generation")).isEqualTo("7");

        // It is the store that refuses, which a dry run does not reach.
        assertThat(server.post(MAPS + "?dryRun=All", "{\"metadata\":{\"name\":\"b\",\"resourceVersion\":\"5\"}}")
                        .code())
                .isEqualTo(201);
        var refused = server.post(MAPS, "{\"metadata\":{\"name\":\"b\",\"resourceVersion\":\"5\"}}");
        assertThat(refused.body())
                .isEqualTo(
                        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":"
                                + "\"resourceVersion should not be set on objects to be created\",\"code\":500}\n");
    }

    @Test
    void givenNoName_whenCreated_thenRequired() {
        assertThat(server.post(MAPS, "{}").body())
                .contains(
                        "ConfigMap \\\"\\\" is invalid: metadata.name: Required value: name or generateName is required")
                .contains(
                        "\"causes\":[{\"reason\":\"FieldValueRequired\",\"message\":\"Required value: name or generateName"
                                + " is required\",\"field\":\"metadata.name\"}]},\"code\":422}");
        assertThat(server.post(MAPS, "{\"metadata\":{\"name\":\"A_b\"}}").message())
                .startsWith("ConfigMap \"A_b\" is invalid: metadata.name: Invalid value: \"A_b\": a lowercase RFC 1123"
                        + " subdomain must consist of lower case alphanumeric characters, '-' or '.'");
    }

    @Test
    void givenOtherName_whenUpdated_thenBadRequest() {
        server.post(MAPS, "{\"metadata\":{\"name\":\"a\"}}");
        assertThat(server.put(MAPS + "/a", "{\"metadata\":{\"name\":\"b\"}}").message())
                .isEqualTo("the name of the object (b) does not match the name on the URL (a)");
        assertThat(server.put(MAPS + "/x", "{\"metadata\":{\"name\":\"x\"}}").code())
                .isEqualTo(404);
    }

    @Test
    void givenOtherUid_whenWritten_thenConflictOnPutAndInvalidOnPatch() {
        var created = server.post(MAPS, "{\"metadata\":{\"name\":\"a\"}}");
        assertThat(server.put(MAPS + "/a", "{\"metadata\":{\"name\":\"a\",\"uid\":\"zz\"}}")
                        .message())
                .isEqualTo(
                        "Operation cannot be fulfilled on configmaps \"a\": StorageError: invalid object, Code: 4, Key:"
                                + " /registry/configmaps/default/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID"
                                + " in precondition: zz, UID in object meta: " + created.at("/metadata/uid"));
        var patched = server.patch(MAPS + "/a", "merge-patch+json", "{\"metadata\":{\"uid\":\"zz\"}}");
        assertThat(patched.code()).isEqualTo(422);
        assertThat(patched.message())
                .isEqualTo("ConfigMap \"a\" is invalid: metadata.uid: Invalid value: \"zz\": field is immutable");
    }

    @Test
    void givenNoChange_whenUpdated_thenVersionStays() {
        var created = server.post(MAPS, "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"v\"}}");
        var updated = server.put(MAPS + "/a", "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"v\"}}");
        assertThat(updated.at("/metadata/resourceVersion")).isEqualTo(created.at("/metadata/resourceVersion"));
    }

    @Test
    void givenGeneratedNames_thenTheyDiffer() {
        var first = server.post(MAPS, "{\"metadata\":{\"generateName\":\"" + "x".repeat(70) + "\"}}");
        assertThat(first.at("/metadata/name")).hasSize(63);
    }

    @Test
    void givenUnsupportedTypes_thenRefused() {
        assertThat(server.send("POST", MAPS, Map.of("content-type", "application/cbor"), "x")
                        .message())
                .isEqualTo("the body of the request was in an unknown format - accepted media types include:"
                        + " application/json, application/yaml, application/vnd.kubernetes.protobuf");
        var patch = server.patch(MAPS + "/a", "json", "{}");
        assertThat(patch.code()).isEqualTo(415);
        assertThat(patch.message()).isEqualTo("415: Unsupported Media Type");
        var large = server.post(MAPS, " ".repeat(3145729));
        assertThat(large.code()).isEqualTo(413);
        assertThat(large.message()).isEqualTo("Request entity too large: limit is 3145728");
    }

    @Test
    void givenYamlBody_whenCreated_thenItIsRead() {
        var created = server.send(
                "POST", MAPS, Map.of("content-type", "application/yaml"), "metadata:\n  name: ya\ndata:\n  a: b\n");
        assertThat(created.body()).contains("\"name\":\"ya\"");
        assertThat(created.code()).isEqualTo(201);
        assertThat(created.at("/data/a")).isEqualTo("b");
    }

    @Test
    void givenPreconditions_whenDeleted_thenTheyAreChecked() {
        var created = server.post(MAPS, "{\"metadata\":{\"name\":\"a\"}}");
        String uid = created.at("/metadata/uid");
        assertThat(server.delete(MAPS + "/a", "{\"preconditions\":{\"uid\":\"zz\"}}")
                        .body())
                .isEqualTo(
                        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":"
                                + "\"Operation cannot be fulfilled on ConfigMap \\\"a\\\": the UID in the precondition (zz) does not"
                                + " match the UID in record (" + uid
                                + "). The object might have been deleted and then recreated\","
                                + "\"reason\":\"Conflict\",\"details\":{\"name\":\"a\",\"kind\":\"ConfigMap\"},\"code\":409}\n");
        assertThat(server.delete(MAPS + "/a?propagationPolicy=Foo").message())
                .isEqualTo("DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"Foo\":"
                        + " supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"");
        assertThat(server.delete(MAPS + "/a?propagationPolicy=Foreground&orphanDependents=true")
                        .message())
                .isEqualTo(
                        "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Invalid value: \"Foreground\":"
                                + " orphanDependents and deletionPropagation cannot be both set");
        assertThat(server.delete(MAPS + "/a?dryRun=All").code()).isEqualTo(200);
        assertThat(server.get(MAPS + "/a").code()).isEqualTo(200);
    }

    @Test
    void givenFinalizer_whenDeleted_thenObjectStaysUntilItIsGone() {
        server.post(MAPS, "{\"metadata\":{\"name\":\"a\",\"finalizers\":[\"x.y/z\"]}}");
        var watch = server.watch(MAPS + "?watch=1");

        var held = server.delete(MAPS + "/a");
        assertThat(held.at("/kind")).isEqualTo("ConfigMap");
        assertThat(held.at("/metadata/deletionTimestamp")).isEqualTo("2026-01-01T00:00:00Z");
        assertThat(held.at("/metadata/deletionGracePeriodSeconds")).isEqualTo("0");
        assertThat(server.post(MAPS, "{\"metadata\":{\"name\":\"a\"}}").message())
                .isEqualTo("object is being deleted: configmaps \"a\" already exists");
        var more =
                server.patch(MAPS + "/a", "merge-patch+json", "{\"metadata\":{\"finalizers\":[\"x.y/z\",\"n.o/p\"]}}");
        assertThat(more.message())
                .isEqualTo(
                        "ConfigMap \"a\" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if"
                                + " the object is being deleted, found new finalizers []string{\"n.o/p\"}");
        assertThat(more.json().at("/details/causes")).hasSize(2);
        var gone = server.patch(MAPS + "/a", "merge-patch+json", "{\"metadata\":{\"finalizers\":null}}");
        assertThat(gone.code()).isEqualTo(200);
        assertThat(gone.at("/kind")).isEqualTo("ConfigMap");
        assertThat(server.get(MAPS + "/a").code()).isEqualTo(404);
        assertThat(watch.events()).containsExactly("ADDED a", "MODIFIED a", "DELETED a");
    }

    @Test
    void givenForeground_whenDeleted_thenGarbageCollectorIsAskedFirst() {
        server.post(MAPS, "{\"metadata\":{\"name\":\"a\"}}");
        var held = server.delete(MAPS + "/a?propagationPolicy=Foreground");
        assertThat(held.json().at("/metadata/finalizers").toString()).isEqualTo("[\"foregroundDeletion\"]");
        var orphan = server.delete(MAPS + "/a", "{\"orphanDependents\":true}");
        assertThat(orphan.json().at("/metadata/finalizers").toString()).isEqualTo("[\"orphan\"]");
    }

    @Test
    void givenCollection_whenDeleted_thenListOfTheDeletedIsAnswered() {
        server.post(MAPS, "{\"metadata\":{\"name\":\"a\",\"labels\":{\"x\":\"1\"}}}");
        server.post(MAPS, "{\"metadata\":{\"name\":\"b\"}}");
        var deleted = server.delete(MAPS + "?labelSelector=x=1");
        assertThat(deleted.at("/kind")).isEqualTo("ConfigMapList");
        assertThat(deleted.json().path("items").findValuesAsText("name")).containsExactly("a");
        assertThat(server.get(MAPS).json().path("items").findValuesAsText("name"))
                .isEqualTo(List.of("b"));
    }

    @Test
    void givenDuplicateOwners_thenTheyAreMerged() {
        String owner = "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"p\",\"uid\":\"u\"}";
        var created =
                server.post(MAPS, "{\"metadata\":{\"name\":\"a\",\"ownerReferences\":[" + owner + "," + owner + "]}}");
        assertThat(created.json().at("/metadata/ownerReferences")).hasSize(1);
        assertThat(created.headers().get("Warning")).hasSize(1);
    }
}
