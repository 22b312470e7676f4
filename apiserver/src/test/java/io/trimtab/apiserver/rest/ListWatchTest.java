package io.trimtab.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ListWatchTest {
    private static final String MAPS = "/api/v1/namespaces/default/configmaps";
    private final TestServer server = new TestServer();
    private String last = "";

    @BeforeEach
    void makeThree() {
        for (String name : new String[] {"a", "b", "c"}) {
            last = server.post(MAPS, "{\"metadata\":{\"name\":\"" + name + "\",\"labels\":{\"n\":\"" + name + "\"}}}")
                    .at("/metadata/resourceVersion");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "resourceVersionMatch=Exact|resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
                "resourceVersionMatch=Exact&resourceVersion=0|resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
                "resourceVersionMatch=Foo&resourceVersion=1|resourceVersionMatch: Unsupported value: \"Foo\": supported values: \"Exact\", \"NotOlderThan\", \"\"",
                "sendInitialEvents=true|sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list",
                "watch=1&sendInitialEvents=true|resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
                "watch=1&resourceVersionMatch=NotOlderThan|resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            })
    void givenBadListOptions_thenInvalid(String query, String error) {
        var answer = server.get(MAPS + "?" + query);

        assertThat(answer.code()).isEqualTo(422);
        assertThat(answer.message()).isEqualTo("ListOptions.meta.k8s.io \"\" is invalid: " + error);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "resourceVersion=abc|400|invalid resource version: resourceVersion: Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax",
                "watch=1&resourceVersion=abc|500|resourceVersion: Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax",
                "labelSelector=a in x|400|unable to parse requirement: found 'x' expected: '('",
                "fieldSelector=foo|400|invalid selector: 'foo'; can't understand 'foo'",
                "fieldSelector=data.x=1|400|\"data.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
                "continue=xyz|400|invalid continue token: continue key is not valid: "
            })
    void givenBadParameters_thenRefused(String query, int code, String error) {
        var answer = server.get(MAPS + "?" + query);

        assertThat(answer.code()).isEqualTo(code);
        assertThat(answer.message()).startsWith(error.strip());
    }

    @Test
    void givenFutureVersion_whenListed_thenTooLarge() {
        long ahead = Long.parseLong(last) + 100;
        var answer = server.get(MAPS + "?resourceVersion=" + ahead);

        assertThat(answer.code()).isEqualTo(504);
        assertThat(answer.message()).isEqualTo("Timeout: Too large resource version: " + ahead + ", current: " + last);
        assertThat(answer.json().at("/details").toString())
                .isEqualTo(
                        "{\"causes\":[{\"reason\":\"ResourceVersionTooLarge\",\"message\":\"Too large resource version\"}],"
                                + "\"retryAfterSeconds\":1}");
    }

    @Test
    void givenLimit_whenListed_thenPagesShareASnapshot() {
        var first = server.get(MAPS + "?limit=1");
        server.post(MAPS, "{\"metadata\":{\"name\":\"bb\"}}");
        var second = server.get(MAPS + "?limit=5&continue=" + first.at("/metadata/continue"));

        assertThat(first.json().path("items")).hasSize(1);
        assertThat(first.at("/metadata/remainingItemCount")).isEqualTo("2");
        assertThat(second.json().path("items").findValuesAsText("name")).containsExactly("b", "c");
        assertThat(second.at("/metadata/resourceVersion")).isEqualTo(first.at("/metadata/resourceVersion"));
        assertThat(second.json().path("metadata").has("continue")).isFalse();
        assertThat(server.get(MAPS + "?limit=1&resourceVersion=0").json().path("items"))
                .hasSize(4);
        assertThat(server.get(MAPS + "?limit=1&labelSelector=n")
                        .json()
                        .path("metadata")
                        .has("remainingItemCount"))
                .isFalse();
    }

    @Test
    void givenToken_whenVersionIsSent_thenRefused() {
        var first = server.get(MAPS + "?limit=1");
        var answer = server.get(MAPS + "?resourceVersion=1&continue=" + first.at("/metadata/continue"));

        assertThat(answer.code()).isEqualTo(400);
        assertThat(answer.message()).isEqualTo("specifying resource version is not allowed when using continue");
    }

    @Test
    void givenSelector_whenObjectStopsMatching_thenDeletedCarriesOldState() {
        var watch = server.watch(MAPS + "?watch=1&labelSelector=n=a&resourceVersion=" + last);
        var changed = server.patch(MAPS + "/a", "merge-patch+json", "{\"metadata\":{\"labels\":{\"n\":\"z\"}}}");

        var lines = watch.lines();
        assertThat(lines).hasSize(1);
        assertThat(lines.get(0))
                .startsWith("{\"type\":\"DELETED\",\"object\":{\"kind\":\"ConfigMap\"")
                .contains("\"labels\":{\"n\":\"a\"}")
                .contains("\"resourceVersion\":\"" + changed.at("/metadata/resourceVersion") + "\"");
    }

    @Test
    void givenStreamingList_thenBookmarkEndsTheInitialEvents() {
        var watch = server.watch(
                MAPS + "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");

        var lines = watch.lines();
        assertThat(lines).hasSize(4);
        assertThat(lines.get(3))
                .isEqualTo(
                        "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":"
                                + "{\"resourceVersion\":\"" + last
                                + "\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}");
    }

    @Test
    void givenTimeout_whenItPasses_thenWatchEndsWithoutAWord() {
        var watch = server.watch(MAPS + "?watch=1&timeoutSeconds=10&resourceVersion=" + last);
        server.advance(Duration.ofSeconds(11));

        assertThat(watch.lines()).isEmpty();
        assertThat(watch.ended()).isTrue();
    }

    @Test
    void givenOldWatchPath_thenOneObjectIsWatched() {
        var watch = server.watch("/api/v1/watch/namespaces/default/configmaps/b");
        server.delete(MAPS + "/a");
        server.delete(MAPS + "/b");

        assertThat(watch.events()).containsExactly("ADDED b", "DELETED b");
    }

    @Test
    void givenWatchOnNameOfObject_thenObjectIsAnswered() {
        assertThat(server.get(MAPS + "/a?watch=true").at("/metadata/name")).isEqualTo("a");
    }

    @Test
    void givenStreamingListAsTable_thenTheBookmarkIsARowThatSaysSo() throws Exception {
        TestServer tables = new TestServer(b -> b.tables(new io.trimtab.apiserver.table.Tables(
                () -> java.time.Instant.EPOCH, io.trimtab.apiserver.table.CustomColumns.NONE)));
        tables.post(MAPS, "{\"metadata\":{\"name\":\"a\"}}");

        var watch = tables.watch(
                MAPS + "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
                java.util.Map.of("accept", "application/json;as=Table;v=v1;g=meta.k8s.io"));

        var lines = watch.lines();
        var json = new com.fasterxml.jackson.databind.ObjectMapper();
        assertThat(json.readTree(lines.get(0)).at("/object/columnDefinitions").size())
                .isPositive();
        var bookmark = json.readTree(lines.get(1));
        assertThat(bookmark.path("type").asText()).isEqualTo("BOOKMARK");
        assertThat(bookmark.at("/object/columnDefinitions").size()).isZero();
        assertThat(bookmark.at("/object/rows").size()).isEqualTo(1);
        assertThat(bookmark.at("/object/rows/0/object/metadata/annotations").toString())
                .isEqualTo("{\"k8s.io/initial-events-end\":\"true\"}");
    }

    @Test
    void givenAnEvent_whenSelectedByTheFieldsOfEitherGroup_thenBothFindIt() {
        TestServer events = new TestServer(b -> b.kinds(
                new io.trimtab.apiserver.kinds.Kinds(io.trimtab.apiserver.kinds.KindsOptions.DEFAULT).registry()));
        String newer = "/apis/events.k8s.io/v1/namespaces/default/events";
        String older = "/api/v1/namespaces/default/events";
        events.post(
                newer,
                "{\"metadata\":{\"name\":\"e\"},\"regarding\":{\"kind\":\"Pod\",\"name\":\"web\",\"namespace\":"
                        + "\"default\"},\"reason\":\"R\",\"action\":\"A\",\"note\":\"text\",\"type\":\"Normal\","
                        + "\"eventTime\":\"2026-11-23T16:00:00.000000Z\",\"reportingController\":\"c\","
                        + "\"reportingInstance\":\"i\"}");

        for (String found : java.util.List.of(
                newer + "?fieldSelector=reportingController=c",
                newer + "?fieldSelector=regarding.name=web",
                older + "?fieldSelector=source=c",
                older + "?fieldSelector=reportingComponent=c",
                older + "?fieldSelector=involvedObject.name=web")) {
            assertThat(events.get(found).at("/items/0/metadata/name")).as(found).isEqualTo("e");
        }
        assertThat(events.get(newer + "?fieldSelector=regarding.name=other")
                        .json()
                        .at("/items")
                        .size())
                .isZero();
        assertThat(events.get(newer + "?fieldSelector=source=c").message())
                .isEqualTo("field label not supported: source");
    }

    @Test
    void givenResourceSlices_whenSelectedByNodeOrDriver_thenOnlyThoseAreFound() {
        TestServer server = new TestServer(b -> b.kinds(
                new io.trimtab.apiserver.kinds.Kinds(io.trimtab.apiserver.kinds.KindsOptions.DEFAULT).registry()));
        String slices = "/apis/resource.k8s.io/v1/resourceslices";
        for (String[] slice : new String[][] {{"a", "n1", "gpu"}, {"b", "n2", "gpu"}, {"c", "n2", "net"}}) {
            server.post(
                    slices,
                    "{\"metadata\":{\"name\":\"" + slice[0] + "\"},\"spec\":{\"nodeName\":\"" + slice[1]
                            + "\",\"driver\":\"" + slice[2]
                            + "\",\"pool\":{\"name\":\"p\",\"generation\":1,\"resourceSliceCount\":1}}}");
        }

        assertThat(server.get(slices + "?fieldSelector=spec.nodeName=n2").json().findValuesAsText("driver"))
                .containsExactly("gpu", "net");
        assertThat(server.get(slices + "?fieldSelector=spec.driver=gpu").json().findValuesAsText("nodeName"))
                .containsExactly("n1", "n2");
        assertThat(server.get(slices + "?fieldSelector=spec.nodeName=n2,spec.driver!=gpu")
                        .json()
                        .findValuesAsText("driver"))
                .containsExactly("net");
        assertThat(server.get(slices + "?fieldSelector=spec.pool=p").code()).isEqualTo(400);
    }
}
