package io.trimtab.apiserver.customresources;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.apiserver.kinds.Kinds;
import io.trimtab.apiserver.kinds.KindsOptions;
import io.trimtab.apiserver.openapi.OpenApi;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.rest.TestServer;
import io.trimtab.apiserver.table.Tables;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class CustomResourceDefinitionsTest {
    private static final String CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private static final String WIDGETS = "/apis/ex.io/v1/namespaces/default/widgets";
    private static final String SPEC = """
            {"type":"object","properties":{
              "spec":{"type":"object","required":["color"],"properties":{
                "color":{"type":"string","enum":["red","blue"]},
                "replicas":{"type":"integer","default":1,"minimum":0,"maximum":10},
                "s":{"type":"string","maxLength":3,"pattern":"^[a-z]*$"},
                "even":{"type":"integer","multipleOf":2},
                "day":{"type":"string","format":"date"},
                "ios":{"x-kubernetes-int-or-string":true},
                "maybe":{"type":"string","nullable":true},
                "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
                "list":{"type":"array","maxItems":3,"x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],
                        "items":{"type":"object","required":["name"],"properties":{"name":{"type":"string"}}}},
                "one":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},
                       "oneOf":[{"required":["a"]},{"required":["b"]}]}
              }},
              "status":{"type":"object","properties":{"replicas":{"type":"integer"}}}}}""";

    private final AtomicReference<CustomResourceDefinitions> definitions = new AtomicReference<>();
    private final TestServer server;

    CustomResourceDefinitionsTest() {
        ResourceRegistry registry =
                ResourceRegistry.builtIn(new Kinds(new KindsOptions("10.0.0.0/24", "30000-32767")).registry());
        server = new TestServer(b -> b.resources(registry)
                .tables(new Tables(
                        () -> java.time.Instant.EPOCH,
                        resource -> definitions.get().columns().of(resource)))
                .paths(List.of(
                        new OpenApi(registry, CustomResourceDefinitions::schema, () -> java.time.Instant.EPOCH))));
        definitions.set(
                CustomResourceDefinitions.start(server.server.storage(), server.server.resources(), server.driver));
        server.post("/api/v1/namespaces", "{\"metadata\":{\"name\":\"default\"}}");
    }

    private static String definition(String plural, String kind, String versions) {
        return """
                {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"%s.ex.io"},
                 "spec":{"group":"ex.io","scope":"Namespaced","names":{"plural":"%s","kind":"%s","shortNames":["wd"]},
                         "versions":[%s]}}""".formatted(plural, plural, kind, versions);
    }

    private static String version(String name, boolean storage, String schema) {
        return """
                {"name":"%s","served":true,"storage":%s,"schema":{"openAPIV3Schema":%s},"subresources":{"status":{},
                 "scale":{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.replicas"}},
                 "additionalPrinterColumns":[{"name":"Color","type":"string","jsonPath":".spec.color"}],
                 "selectableFields":[{"jsonPath":".spec.color"}]}""".formatted(name, storage, schema);
    }

    private static String widget(String name, String spec) {
        return "{\"apiVersion\":\"ex.io/v1\",\"kind\":\"Widget\",\"metadata\":{\"name\":\"" + name + "\"},\"spec\":"
                + spec + "}";
    }

    private void define() {
        define(version("v1", true, SPEC));
    }

    private void define(String versions) {
        TestServer.Answer answer = server.post(CRDS, definition("widgets", "Widget", versions));
        assertThat(answer.code()).as(answer.body()).isEqualTo(201);
        server.driver.settle();
    }

    @Test
    void givenADefinition_whenItIsCreated_thenItsNamesAreAcceptedAndItsVersionIsServed() {
        define();

        TestServer.Answer stored = server.get(CRDS + "/widgets.ex.io");
        assertThat(stored.at("/spec/names/singular")).isEqualTo("widget");
        assertThat(stored.at("/spec/names/listKind")).isEqualTo("WidgetList");
        assertThat(stored.at("/status/storedVersions/0")).isEqualTo("v1");
        assertThat(stored.at("/status/conditions/0/reason")).isEqualTo("NoConflicts");
        assertThat(stored.at("/status/conditions/1/type")).isEqualTo("Established");
        assertThat(stored.at("/status/conditions/1/status")).isEqualTo("True");
        assertThat(server.get(WIDGETS).at("/kind")).isEqualTo("WidgetList");
    }

    @Test
    void givenAServedDefinition_whenAScaleWithoutAVersionIsPut_thenTheObjectFollows() {
        define();
        server.post(WIDGETS, widget("a", "{\"color\":\"red\"}"));
        String scale = "{\"kind\":\"Scale\",\"apiVersion\":\"autoscaling/v1\",\"metadata\":{\"name\":\"a\"%s},"
                + "\"spec\":{\"replicas\":3}}";

        assertThat(server.put(WIDGETS + "/a/scale", scale.formatted("")).code()).isEqualTo(200);

        assertThat(server.get(WIDGETS + "/a").at("/spec/replicas")).isEqualTo("3");
        assertThat(server.put(WIDGETS + "/a/scale", scale.formatted(",\"resourceVersion\":\"1\""))
                        .code())
                .isEqualTo(409);
    }

    @Test
    void givenEmptyMetadata_whenACustomResourceIsWritten_thenNobodyOwnsIt() {
        define();
        String empty =
                "{\"apiVersion\":\"ex.io/v1\",\"kind\":\"Widget\",\"metadata\":{\"name\":\"a\",\"annotations\":{},\"labels\":{},\"finalizers\":[]},"
                        + "\"spec\":{\"color\":\"red\"}}";

        server.post(WIDGETS, empty);
        server.patch(WIDGETS + "/a", "merge-patch+json", empty.replace("red", "blue"));

        assertThat(server.get(WIDGETS + "/a").body())
                .contains("f:spec")
                .doesNotContain("f:metadata")
                .doesNotContain("finalizers");
    }

    @Test
    void givenAGroupOfDefinitions_whenSomethingElseIsAskedOfIt_thenThereIsNoSuchPage() {
        define();

        for (String path : List.of(
                "/apis/ex.io/v2",
                "/apis/ex.io/v2/widgets",
                "/apis/ex.io/v1/others",
                "/apis/ex.io/v1/namespaces/default/others/a")) {
            assertThat(server.get(path).body()).as(path).isEqualTo("404 page not found\n");
        }
        assertThat(server.get("/apis/apps/v1/others").message())
                .isEqualTo("the server could not find the requested resource");
    }

    @Test
    void givenAServedDefinition_whenObjectsAreWritten_thenWatchesAndGenerationsFollow() {
        define();
        TestServer.Watch watch = server.watch(WIDGETS + "?watch=true");

        TestServer.Answer made = server.post(WIDGETS, widget("a", "{\"color\":\"red\",\"zz\":1}"));
        server.patch(WIDGETS + "/a", "merge-patch+json", "{\"spec\":{\"color\":\"blue\"}}");
        server.patch(WIDGETS + "/a/status", "merge-patch+json", "{\"status\":{\"replicas\":4}}");
        server.patch(WIDGETS + "/a/scale", "merge-patch+json", "{\"spec\":{\"replicas\":3}}");
        server.delete(WIDGETS + "/a");

        assertThat(made.headers().get("Warning")).containsExactly("299 - \"unknown field \\\"spec.zz\\\"\"");
        assertThat(made.json().path("spec").toString()).isEqualTo("{\"color\":\"red\",\"replicas\":1}");
        List<String> lines = watch.lines();
        assertThat(lines).hasSize(5);
        assertThat(lines.get(4)).contains("\"generation\":3", "\"replicas\":3", "\"status\":{\"replicas\":4}");
    }

    @Test
    void givenAPutWithoutVersion_whenItIsSent_thenItIsRefusedInTheNameOfTheResource() {
        define();
        server.post(WIDGETS, widget("a", "{\"color\":\"red\"}"));

        assertThat(server.put(WIDGETS + "/a", widget("a", "{\"color\":\"blue\"}"))
                        .message())
                .isEqualTo("widgets.ex.io \"a\" is invalid: metadata.resourceVersion: Invalid value: 0: must be"
                        + " specified for an update");
    }

    @Test
    void givenMistakes_whenObjectsAreCreated_thenTheMessagesAreKubernetesOwn() {
        define();

        assertThat(refusal("{\"color\":\"green\"}"))
                .isEqualTo("spec.color: Unsupported value: \"green\": supported values: \"red\", \"blue\"");
        assertThat(refusal("{\"color\":\"red\",\"replicas\":\"1\"}"))
                .isEqualTo("[spec.replicas: Invalid value: \"string\": spec.replicas in body must be of type integer:"
                        + " \"string\", .spec.replicas: Invalid value: 0: .spec.replicas accessor error: 1 is of the type"
                        + " string, expected int64]");
        assertThat(refusal("{\"color\":\"red\",\"replicas\":11}"))
                .isEqualTo(
                        "spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10");
        assertThat(refusal("{\"color\":\"red\",\"s\":\"abcd\"}"))
                .isEqualTo("spec.s: Too long: may not be more than 3 bytes");
        assertThat(refusal("{\"color\":\"red\",\"s\":\"A\"}"))
                .isEqualTo("spec.s: Invalid value: \"A\": spec.s in body should match '^[a-z]*$'");
        assertThat(refusal("{\"color\":\"red\",\"even\":3}"))
                .isEqualTo("spec.even: Invalid value: 3: spec.even in body should be a multiple of 2");
        assertThat(refusal("{\"color\":\"red\",\"day\":\"x\"}"))
                .isEqualTo("spec.day: Invalid value: \"x\": spec.day in body must be of type date: \"x\"");
        assertThat(refusal("{\"color\":\"red\",\"ios\":true}"))
                .isEqualTo("spec.ios: Invalid value: \"boolean\": spec.ios in body must be of type integer,string:"
                        + " \"boolean\"");
        assertThat(refusal("{}")).isEqualTo("spec.color: Required value");
        assertThat(refusal("{\"color\":\"red\",\"list\":[{\"name\":\"a\"},{\"name\":\"a\"}]}"))
                .isEqualTo("spec.list[1]: Duplicate value: {\"name\":\"a\"}");
        assertThat(refusal("{\"color\":\"red\",\"list\":[{},{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]}"))
                .isEqualTo("[spec.list[0].name: Required value, spec.list: Too many: 4: must have at most 3 items]");
        assertThat(refusal("{\"color\":\"red\",\"one\":{\"a\":\"1\",\"b\":\"2\"}}"))
                .isEqualTo("<nil>: Invalid value: \"\": \"spec.one\" must validate one and only one schema (oneOf)."
                        + " Found 2 valid alternatives");
        assertThat(server.post(WIDGETS, widget("x", "{\"color\":\"red\"}").replace("Widget", "Foo"))
                        .message())
                .endsWith("kind: Invalid value: \"Foo\": must be Widget");
    }

    @Test
    void givenAResourceWithinAResource_whenItIsNone_thenItsPlaceIsTold() {
        define(version(
                "v1",
                true,
                SPEC.replace(
                        "\"one\":{",
                        "\"in\":{\"type\":\"object\",\"x-kubernetes-embedded-resource\":true,"
                                + "\"x-kubernetes-preserve-unknown-fields\":true},\"one\":{")));

        assertThat(refusal("{\"color\":\"red\",\"in\":{\"apiVersion\":\"a/b/c\",\"kind\":\"\"}}"))
                .isEqualTo("[spec.in.apiVersion: Invalid value: \"a/b/c\": unexpected GroupVersion string: a/b/c,"
                        + " spec.in.kind: Invalid value: \"\": must not be empty]");
        assertThat(refusal("{\"color\":\"red\",\"in\":{}}"))
                .isEqualTo("[spec.in.apiVersion: Required value, spec.in.kind: Required value]");
        assertThat(server.post(
                                WIDGETS,
                                widget(
                                        "x",
                                        "{\"color\":\"red\",\"in\":{\"apiVersion\":\"v1\",\"kind\":\"P\","
                                                + "\"metadata\":{\"name\":5,\"labels\":{}}}}"))
                        .message())
                .isEqualTo("Widget in version \"v1\" cannot be handled as a Widget: spec.in.metadata: Invalid value:"
                        + " {\"labels\":{},\"name\":5}: json: cannot unmarshal number into Go struct field"
                        + " ObjectMeta.name of type string");
    }

    @Test
    void givenAPatch_whenItGivesAKeyTwiceOrAnotherKind_thenItIsRefused() {
        define();
        server.post(WIDGETS, widget("a", "{\"color\":\"red\",\"list\":[{\"name\":\"a\"},{\"name\":\"b\"}]}"));
        String merge = "merge-patch+json";

        assertThat(server.patch(WIDGETS + "/a", merge, "{\"spec\":{\"list\":[{\"name\":\"a\"},{\"name\":\"a\"}]}}")
                        .message())
                .isEqualTo("Widget.ex.io \"a\" is invalid: spec.list[1]: Duplicate value: {\"name\":\"a\"}");
        assertThat(server.patch(WIDGETS + "/a", merge, "{\"kind\":\"X\"}").message())
                .isEqualTo("X.ex.io \"a\" is invalid: kind: Invalid value: \"X\": must be Widget");
        assertThat(server.patch(WIDGETS + "/a/scale", merge, "{\"spec\":{\"replicas\":-1}}")
                        .message())
                .contains(".spec.replicas: Invalid value: -1: should be a non-negative integer");
    }

    @Test
    void givenNoKind_whenUnknownFieldsAreIgnored_thenTheRefusalHasOtherWords() {
        define();

        assertThat(server.post(WIDGETS, "{}").message())
                .isEqualTo("the object provided is unrecognized (must be of type Widget): Object 'Kind' is missing in"
                        + " '{}' ({})");
        assertThat(server.post(WIDGETS + "?fieldValidation=Ignore", "{}").message())
                .isEqualTo("Widget in version \"v1\" cannot be handled as a Widget: Object 'Kind' is missing in '{}'");
    }

    private String refusal(String spec) {
        TestServer.Answer answer = server.post(WIDGETS, widget("x", spec));
        assertThat(answer.code()).as(answer.body()).isEqualTo(422);
        String prefix = "Widget.ex.io \"x\" is invalid: ";
        assertThat(answer.message()).startsWith(prefix);
        return answer.message().substring(prefix.length());
    }

    @Test
    void givenNulls_whenAnObjectIsCreated_thenTheyStayOnlyWhereNullIsAValue() {
        define();

        TestServer.Answer made = server.post(
                WIDGETS,
                widget(
                        "a",
                        "{\"color\":\"red\",\"s\":null,\"replicas\":null,\"maybe\":null,\"free\":{\"x\":{\"y\":1}}}"));

        assertThat(made.json().path("spec").toString())
                .isEqualTo("{\"color\":\"red\",\"free\":{\"x\":{\"y\":1}},\"maybe\":null,\"replicas\":1}");
    }

    @Test
    void givenTwoVersions_whenAnObjectIsRead_thenItHasTheVersionThatIsAskedFor() {
        define(version("v1", true, SPEC) + ","
                + version("v1beta1", false, SPEC).replace("\"served\":true", "\"served\":true,\"deprecated\":true"));
        server.post(WIDGETS, widget("a", "{\"color\":\"red\"}"));

        TestServer.Answer old = server.get(WIDGETS.replace("v1", "v1beta1") + "/a");
        TestServer.Answer list = server.get(WIDGETS.replace("v1", "v1beta1") + "?fieldSelector=spec.color=red");

        assertThat(old.at("/apiVersion")).isEqualTo("ex.io/v1beta1");
        assertThat(old.headers().get("Warning")).containsExactly("299 - \"ex.io/v1beta1 Widget is deprecated\"");
        assertThat(list.at("/items/0/apiVersion")).as(list.body()).isEqualTo("ex.io/v1beta1");
    }

    @Test
    void givenColumns_whenATableIsAskedFor_thenItHasThem() {
        define();
        server.post(WIDGETS, widget("a", "{\"color\":\"red\"}"));

        TestServer.Answer table =
                server.send("GET", WIDGETS, Map.of("accept", "application/json;as=Table;v=v1;g=meta.k8s.io"), "");

        assertThat(table.at("/columnDefinitions/1/name")).isEqualTo("Color");
        assertThat(table.json().at("/rows/0/cells").toString()).isEqualTo("[\"a\",\"red\"]");
    }

    @Test
    void givenADefinition_whenOpenApiIsRead_thenItDescribesTheObjects() {
        define();

        assertThat(server.get("/openapi/v3/apis/ex.io/v1")
                        .at("/components/schemas/io.ex.v1.Widget/properties/spec/properties/replicas/default"))
                .isEqualTo("1");
        assertThat(server.get("/openapi/v2").body()).contains("io.ex.v1.Widget");
    }

    @Test
    void givenAStricterSchema_whenAnOldObjectIsChangedElsewhere_thenItsOldMistakesAreLetPass() {
        define();
        server.post(WIDGETS, widget("a", "{\"color\":\"red\"}"));
        TestServer.Answer stricter = server.patch(
                CRDS + "/widgets.ex.io",
                "json-patch+json",
                "[{\"op\":\"replace\",\"path\":\"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties"
                        + "/color/enum\",\"value\":[\"blue\"]}]");
        assertThat(stricter.code()).as(stricter.body()).isEqualTo(200);
        server.driver.settle();

        assertThat(server.patch(WIDGETS + "/a", "merge-patch+json", "{\"spec\":{\"replicas\":2}}")
                        .code())
                .isEqualTo(200);
        assertThat(server.patch(WIDGETS + "/a", "merge-patch+json", "{\"spec\":{\"color\":\"green\"}}")
                        .code())
                .isEqualTo(422);
    }

    @Test
    void givenAKindThatIsTaken_whenItIsFreed_thenTheWaitingDefinitionGetsIt() {
        define();
        server.post(
                CRDS, definition("gadgets", "Widget", version("v1", true, SPEC)).replace("\"wd\"", "\"gd\""));
        server.driver.settle();
        TestServer.Answer waiting = server.get(CRDS + "/gadgets.ex.io");
        assertThat(waiting.at("/status/conditions/0/reason")).isEqualTo("ListKindConflict");
        assertThat(waiting.at("/status/conditions/0/message")).isEqualTo("\"WidgetList\" is already in use");
        assertThat(waiting.at("/status/conditions/1/message")).isEqualTo("not all names are accepted");

        server.delete(CRDS + "/widgets.ex.io");
        server.driver.settle();

        assertThat(server.get(CRDS + "/gadgets.ex.io").at("/status/conditions/1/status"))
                .isEqualTo("True");
        assertThat(server.get(WIDGETS.replace("widgets", "gadgets")).code()).isEqualTo(200);
        assertThat(server.get(WIDGETS).code()).isEqualTo(404);
    }

    @Test
    void givenAnObjectWithAFinalizer_whenTheDefinitionIsDeleted_thenItWaitsAndTakesNoNewOnes() {
        define();
        server.post(WIDGETS, widget("free", "{\"color\":\"red\"}"));
        server.post(
                WIDGETS,
                widget("held", "{\"color\":\"red\"}")
                        .replace("\"name\":\"held\"", "\"name\":\"held\",\"finalizers\":[\"ex.io/f\"]"));

        TestServer.Answer answer = server.delete(CRDS + "/widgets.ex.io");
        server.driver.settle();

        assertThat(answer.at("/metadata/finalizers/0")).isEqualTo(CustomResourceDefinitions.FINALIZER);
        assertThat(server.get(WIDGETS + "/free").code()).isEqualTo(404);
        assertThat(server.get(WIDGETS + "/held").json().path("metadata").has("deletionTimestamp"))
                .isTrue();
        TestServer.Answer refused = server.post(WIDGETS, widget("late", "{\"color\":\"red\"}"));
        assertThat(refused.code()).isEqualTo(403);
        assertThat(refused.message()).contains("create not allowed while custom resource definition is terminating");

        server.patch(WIDGETS + "/held", "merge-patch+json", "{\"metadata\":{\"finalizers\":null}}");
        server.driver.advance(Duration.ofSeconds(3));

        assertThat(server.get(CRDS + "/widgets.ex.io").code()).isEqualTo(404);
        assertThat(server.get(WIDGETS).code()).isEqualTo(404);
    }

    @Test
    void givenAStoredDefinition_whenAServerStarts_thenItServesItAtOnce() {
        define();
        ResourceRegistry fresh =
                ResourceRegistry.builtIn(new Kinds(new KindsOptions("10.0.0.0/24", "30000-32767")).registry());

        CustomResourceDefinitions.start(server.server.storage(), fresh, server.driver);

        assertThat(fresh.find("ex.io", "v1", "widgets")).isNotNull();
    }

    @Test
    void givenMalformedDefinitions_whenTheyAreCreated_thenTheyAreRefused() {
        String good = definition("widgets", "Widget", version("v1", true, SPEC));

        assertThat(server.post(CRDS, good.replace("widgets.ex.io", "foo")).message())
                .contains("metadata.name: Invalid value: \"foo\": must be spec.names.plural+\".\"+spec.group");
        assertThat(server.post(CRDS, good.replace("\"storage\":true", "\"storage\":false"))
                        .message())
                .contains("must have exactly one version marked as storage version");
        assertThat(server.post(CRDS, definition("widgets", "Widget", version("v1", true, "{\"properties\":{}}")))
                        .message())
                .contains("spec.validation.openAPIV3Schema.type: Required value: must not be empty at the root");
        assertThat(server.post(
                                CRDS,
                                definition(
                                        "widgets",
                                        "Widget",
                                        version(
                                                "v1",
                                                true,
                                                "{\"type\":\"object\",\"properties\":{\"l\":{\"type\":\"array\"}}}")))
                        .message())
                .contains("properties[l].items: Required value: must be specified");
    }
}
