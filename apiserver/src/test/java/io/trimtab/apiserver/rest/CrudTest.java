package io.trimtab.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CrudTest {
    private static final String MAPS = "/api/v1/namespaces/default/configmaps";
    private final TestServer server = new TestServer();

    @Test
    void givenConfigMap_whenCreated_thenItIsAnsweredAsStored() {
        var created = server.post(MAPS, "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"v\"}}");

        assertThat(created.code()).isEqualTo(201);
        String uid = created.at("/metadata/uid");
        String version = created.at("/metadata/resourceVersion");
        assertThat(created.body())
                .isEqualTo("{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\","
                        + "\"namespace\":\"default\",\"uid\":\"" + uid + "\",\"resourceVersion\":\"" + version
                        + "\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\",\"managedFields\":[{\"manager\":\"unknown\","
                        + "\"operation\":\"Update\",\"apiVersion\":\"v1\",\"time\":\"2026-01-01T00:00:00Z\",\"fieldsType\":"
                        + "\"FieldsV1\",\"fieldsV1\":{\"f:data\":{\".\":{},\"f:k\":{}}}}]},\"data\":{\"k\":\"v\"}}\n");
        assertThat(server.get(MAPS + "/a").body()).isEqualTo(created.body());
        assertThat(server.post(MAPS, "{\"metadata\":{\"name\":\"a\"}}").message())
                .isEqualTo("configmaps \"a\" already exists");
    }

    @Test
    void givenConfigMaps_whenListed_thenItemsCarryNoType() {
        server.post(MAPS, "{\"metadata\":{\"name\":\"a\"}}");
        var b = server.post(MAPS, "{\"metadata\":{\"name\":\"b\"}}");

        var list = server.get(MAPS);

        assertThat(list.body())
                .startsWith("{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\""
                        + b.at("/metadata/resourceVersion") + "\"},\"items\":[{\"metadata\":{\"name\":\"a\"");
        assertThat(list.json().path("items")).hasSize(2);
        assertThat(list.json().at("/items/0").has("kind")).isFalse();
    }

    @Test
    void givenWatch_whenObjectChanges_thenEventsCome() {
        var watch = server.watch(MAPS + "?watch=true");
        server.post(MAPS, "{\"metadata\":{\"name\":\"a\"}}");
        server.put(MAPS + "/a", "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"v\"}}");
        server.put(MAPS + "/a", "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"v\"}}");
        server.patch(MAPS + "/a", "merge-patch+json", "{\"data\":{\"k\":\"w\"}}");
        server.delete(MAPS + "/a");

        assertThat(watch.events()).containsExactly("ADDED a", "MODIFIED a", "MODIFIED a", "DELETED a");
    }

    @Test
    void givenStaleVersion_whenUpdated_thenConflict() {
        server.post(MAPS, "{\"metadata\":{\"name\":\"a\"}}");

        var refused = server.put(MAPS + "/a", "{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"1\"}}");

        assertThat(refused.code()).isEqualTo(409);
        assertThat(refused.message())
                .isEqualTo("Operation cannot be fulfilled on configmaps \"a\": the object has been modified;"
                        + " please apply your changes to the latest version and try again");
    }

    @Test
    void givenConfigMap_whenDeleted_thenStatusSaysSo() {
        var created = server.post(MAPS, "{\"metadata\":{\"name\":\"a\"}}");

        assertThat(server.delete(MAPS + "/a").body())
                .isEqualTo(
                        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\",\"details\":"
                                + "{\"name\":\"a\",\"kind\":\"configmaps\",\"uid\":\"" + created.at("/metadata/uid")
                                + "\"}}\n");
        assertThat(server.get(MAPS + "/a").body())
                .isEqualTo(
                        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":"
                                + "\"configmaps \\\"a\\\" not found\",\"reason\":\"NotFound\",\"details\":{\"name\":\"a\","
                                + "\"kind\":\"configmaps\"},\"code\":404}\n");
    }

    @Test
    void givenPods_whenCreatedAndPatched_thenStatusAndSpecStayApart() {
        String pods = "/api/v1/namespaces/default/pods";
        var created = server.post(
                pods,
                "{\"metadata\":{\"generateName\":\"p-\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]},"
                        + "\"status\":{\"phase\":\"Running\"}}");
        assertThat(created.code()).isEqualTo(201);
        assertThat(created.at("/status/phase")).isNotEqualTo("Running");
        String pod = pods + "/" + created.at("/metadata/name");
        assertThat(pod).matches(".*/p-[bcdfghjklmnpqrstvwxz2456789]{5}");

        var status = server.patch(
                pod + "/status",
                "strategic-merge-patch+json",
                "{\"status\":{\"phase\":\"Running\"},\"spec\":{\"nodeName\":\"n\"}}");
        assertThat(status.code()).isEqualTo(200);
        assertThat(status.at("/status/phase")).isEqualTo("Running");
        assertThat(status.json().at("/spec").has("nodeName")).isFalse();
        assertThat(server.get("/api/v1/pods").json().path("items")).hasSize(1);
    }
}
