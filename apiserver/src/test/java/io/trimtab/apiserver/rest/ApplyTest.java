package io.trimtab.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ApplyTest {
    private static final String MAPS = "/api/v1/namespaces/default/configmaps";
    private static final String APPLY = "apply-patch+yaml";
    private final TestServer server = new TestServer();

    private static String map(String data) {
        return "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"},\"data\":" + data + "}";
    }

    @Test
    void givenNoObject_whenApplied_thenItIsCreatedAndOwned() {
        var created = server.patch(MAPS + "/a?fieldManager=m1", APPLY, map("{\"k\":\"v\"}"));

        assertThat(created.code()).isEqualTo(201);
        assertThat(created.json().at("/metadata/managedFields").toString())
                .isEqualTo(
                        "[{\"manager\":\"m1\",\"operation\":\"Apply\",\"apiVersion\":\"v1\",\"time\":"
                                + "\"2026-01-01T00:00:00Z\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:data\":{\"f:k\":{}}}}]");
        var again = server.patch(MAPS + "/a?fieldManager=m1", APPLY, map("{\"k\":\"v\"}"));
        assertThat(again.code()).isEqualTo(200);
        assertThat(again.at("/metadata/resourceVersion")).isEqualTo(created.at("/metadata/resourceVersion"));
    }

    @Test
    void givenOtherOwner_whenApplied_thenConflictUnlessForced() {
        server.patch(MAPS + "/a?fieldManager=m1", APPLY, map("{\"k\":\"v\"}"));

        var conflict = server.patch(MAPS + "/a?fieldManager=m2", APPLY, map("{\"k\":\"w\"}"));
        assertThat(conflict.code()).isEqualTo(409);
        assertThat(conflict.message()).isEqualTo("Apply failed with 1 conflict: conflict with \"m1\": .data.k");
        var forced = server.patch(MAPS + "/a?fieldManager=m2&force=true", APPLY, map("{\"k\":\"w\"}"));
        assertThat(forced.at("/data/k")).isEqualTo("w");
    }

    @Test
    void givenAppliedField_whenNoLongerApplied_thenItGoes() {
        server.patch(MAPS + "/a?fieldManager=m1", APPLY, map("{\"k\":\"v\",\"l\":\"v\"}"));
        assertThat(server.patch(MAPS + "/a?fieldManager=m1", APPLY, map("{\"k\":\"v\"}"))
                        .json()
                        .path("data")
                        .toString())
                .isEqualTo("{\"k\":\"v\"}");
    }

    @Test
    void givenBadApply_thenRefused() {
        assertThat(server.patch(MAPS + "/a", APPLY, map("{}")).message())
                .isEqualTo(
                        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply"
                                + " patch");
        assertThat(server.patch(MAPS + "/a?force=true", "merge-patch+json", "{}")
                        .message())
                .isEqualTo(
                        "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply"
                                + " patch");
        assertThat(server.patch(MAPS + "/a?fieldManager=m", APPLY, "{}").message())
                .isEqualTo("invalid object type: /, Kind=");
        var unknown = server.patch(
                MAPS + "/a?fieldManager=m",
                APPLY,
                "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"},\"foo\":1}");
        assertThat(unknown.code()).isEqualTo(500);
        assertThat(unknown.message())
                .isEqualTo("failed to create typed patch object (/a; /v1, Kind=ConfigMap): .foo: field not declared in"
                        + " schema");
        var uid = server.patch(
                MAPS + "/a?fieldManager=m",
                APPLY,
                "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\",\"uid\":\"abc\"}}");
        assertThat(uid.code()).isEqualTo(409);
        assertThat(uid.message())
                .endsWith("uid mismatch: the provided object specified uid abc, and no existing object was found");
    }

    @Test
    void givenWriters_thenFieldsAreBooked() {
        var created = server.post(MAPS + "?fieldManager=c", map("{\"k\":\"v\"}"));
        assertThat(created.at("/metadata/managedFields/0/manager")).isEqualTo("c");
        server.advance(java.time.Duration.ofMinutes(1));
        var same = server.put(MAPS + "/a?fieldManager=d", map("{\"k\":\"v\"}"));
        assertThat(same.at("/metadata/resourceVersion")).isEqualTo(created.at("/metadata/resourceVersion"));
        var changed = server.patch(MAPS + "/a?fieldManager=d", "merge-patch+json", "{\"data\":{\"k\":\"w\"}}");
        assertThat(changed.json().at("/metadata/managedFields").findValuesAsText("manager"))
                .containsExactly("c", "d");
        var bare = server.post(MAPS, "{\"metadata\":{\"name\":\"bare\"}}");
        assertThat(bare.json().path("metadata").has("managedFields")).isFalse();
    }
}
