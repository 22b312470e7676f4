package io.trimtab.apiserver.protobuf;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.schema.SchemaRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds what is written against what Go wrote of the same objects. */
class ProtobufEncoderTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HexFormat HEX = HexFormat.of();

    static Stream<JsonNode> objects() throws IOException {
        return ProtobufBodiesTest.objects();
    }

    private static ObjectNode object(String json) throws IOException {
        return (ObjectNode) JSON.readTree(json.replace('\'', '"'));
    }

    private static String hex(byte[] bytes) {
        return HEX.formatHex(bytes);
    }

    private static byte[] join(Iterator<byte[]> pieces) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        pieces.forEachRemaining(all::writeBytes);
        return all.toByteArray();
    }

    @ParameterizedTest
    @MethodSource("objects")
    void givenAnObject_whenWritten_thenTheBytesAreThoseOfGo(JsonNode golden) {
        byte[] written = ProtobufEncoder.object((ObjectNode) golden.path("json"));

        assertThat(hex(written))
                .isEqualTo(
                        hex(Base64.getDecoder().decode(golden.path("protobuf").asText())));
    }

    @Test
    void givenTheSmallestNamespace_whenWritten_thenZeroValuesAreOnTheWireAndPointersAreNot() throws IOException {
        byte[] written =
                ProtobufEncoder.object(object("{'kind':'Namespace','apiVersion':'v1','metadata':{'name':'a'}}"));

        String meta = "0a11" + "0a0161" + "1200" + "1a00" + "2200" + "2a00" + "3200" + "3800" + "4200";
        assertThat(hex(written))
                .isEqualTo("6b387300" + "0a0f" + "0a027631" + "12094e616d657370616365" + "1219" + meta + "1200" + "1a02"
                        + "0a00" + "1a00" + "2200");
    }

    @Test
    void givenAList_whenWrittenInPieces_thenItIsTheSameAsWrittenWhole() throws IOException {
        List<ObjectNode> items = IntStream.range(0, 2000)
                .mapToObj(i -> JSON.createObjectNode()
                        .<ObjectNode>set(
                                "metadata",
                                JSON.createObjectNode().put("name", "pod-" + i).put("namespace", "größe")))
                .toList();
        ObjectNode list = object("{'kind':'PodList','apiVersion':'v1','metadata':{'resourceVersion':'7'}}");
        list.putArray("items").addAll(items);

        Iterator<byte[]> pieces =
                ProtobufEncoder.list("v1", "PodList", list.get("metadata"), items.iterator(), item -> item);
        byte[] first = pieces.next();

        assertThat(pieces).hasNext();
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(first);
        all.writeBytes(join(pieces));
        assertThat(all.toByteArray()).isEqualTo(ProtobufEncoder.object(list));
    }

    @Test
    void givenNoItems_whenAListIsWritten_thenItHasItsMetadata() throws IOException {
        byte[] written = join(ProtobufEncoder.list(
                "v1",
                "PodList",
                object("{'resourceVersion':'7'}"),
                List.<ObjectNode>of().iterator(),
                item -> item));

        assertThat(hex(written))
                .isEqualTo("6b387300" + "0a0d" + "0a027631" + "1207506f644c697374" + "1209" + "0a07" + "0a00" + "120137"
                        + "1a00" + "1a00" + "2200");
    }

    @Test
    void givenPartialMetadata_whenWritten_thenOnlyTheMetadataIs() throws IOException {
        ObjectNode partial = object(
                "{'kind':'PartialObjectMetadata','apiVersion':'meta.k8s.io/v1','metadata':{'name':'a'},'spec':{}}");
        ObjectNode list = object("{'kind':'PartialObjectMetadataList','apiVersion':'meta.k8s.io/v1','metadata':{}}");
        list.putArray("items").add(partial);

        String meta = "0a11" + "0a0161" + "1200" + "1a00" + "2200" + "2a00" + "3200" + "3800" + "4200";
        assertThat(hex(ProtobufEncoder.object(partial))).contains("1213" + meta + "1a002200");
        assertThat(hex(ProtobufEncoder.object(list))).contains("0a06" + "0a0012001a00" + "1213" + meta + "1a002200");
    }

    @Test
    void givenAnEvent_whenFramed_thenItsLengthStandsBeforeIt() throws IOException {
        ObjectNode object = object("{'kind':'Namespace','apiVersion':'v1','metadata':{'name':'a'}}");
        byte[] envelope = ProtobufEncoder.object(object);

        byte[] frame = ProtobufEncoder.watchFrame("ADDED", object);

        assertThat(hex(Arrays.copyOf(frame, 4))).isEqualTo(String.format("%08x", frame.length - 4));
        assertThat(hex(Arrays.copyOfRange(frame, 4, frame.length)))
                .isEqualTo("0a054144444544"
                        + String.format("12%02x0a%02x", envelope.length + 2, envelope.length)
                        + hex(envelope));
    }

    @Test
    void givenValuesWithAFormOfTheirOwn_whenWrittenAndRead_thenTheyAreTheSame() throws IOException {
        for (String json : List.of(
                "{'kind':'Service','apiVersion':'v1','metadata':{'name':'a'},'spec':{'ports':[{'port':80,'targetPort':'http'},"
                        + "{'port':81,'targetPort':-1}]},'status':{'loadBalancer':{}}}",
                "{'kind':'Secret','apiVersion':'v1','metadata':{'name':'a'},'data':{'k':'AAECAw==','empty':''}}",
                "{'kind':'Lease','apiVersion':'coordination.k8s.io/v1','metadata':{'name':'a'},"
                        + "'spec':{'renewTime':'2026-11-23T13:31:04.000123Z'}}",
                "{'kind':'TokenReview','apiVersion':'authentication.k8s.io/v1','metadata':{},'spec':{'token':'t'},"
                        + "'status':{'authenticated':true,'user':{'username':'u','extra':{'k':['a','b']}}}}",
                "{'kind':'CustomResourceDefinition','apiVersion':'apiextensions.k8s.io/v1','metadata':{'name':'a'},'spec':"
                        + "{'group':'g','names':{'plural':'a','kind':'A'},'scope':'Cluster','versions':[{'name':'v1','served':true,"
                        + "'storage':true,'schema':{'openAPIV3Schema':{'type':'object','default':{'a':[1,2.5,null]},'maximum':1.5,"
                        + "'properties':{'x':{'additionalProperties':false,'enum':['a',1]},'y':{'additionalProperties':"
                        + "{'type':'string'}},'z':{'items':{'type':'integer'}}},'dependencies':{'a':['b'],'c':{'type':'x'}}}}}]},"
                        + "'status':{'conditions':null,'acceptedNames':{'plural':'','kind':''},'storedVersions':null}}",
                "{'kind':'Status','apiVersion':'v1','metadata':{},'status':'Failure','message':'m','reason':'NotFound',"
                        + "'details':{'name':'x','kind':'pods','causes':[{'reason':'r','field':'f'}],'retryAfterSeconds':3},'code':404}")) {
            ObjectNode object = object(json);
            String apiVersion = object.get("apiVersion").asText();
            int slash = apiVersion.indexOf('/');
            var schema = SchemaRegistry.builtin()
                    .forKind(
                            slash < 0 ? "" : apiVersion.substring(0, slash),
                            apiVersion.substring(slash + 1),
                            object.get("kind").asText())
                    .orElseThrow();

            ObjectNode read = ProtobufBodies.read(ProtobufEncoder.object(object), "v1", "Pod");

            assertThat(JSON.readTree(Canonical.of(read, schema).toString()))
                    .isEqualTo(JSON.readTree(Canonical.of(object, schema).toString()));
        }
    }

    @Test
    void givenTheServedKinds_whenAsked_thenAllAreKnown() throws IOException {
        JsonNode resources;
        try (var in = getClass().getResourceAsStream("/io/trimtab/apiserver/resources.json")) {
            resources = JSON.readTree(in);
        }
        assertThat(resources).isNotEmpty().allSatisfy(resource -> {
            String group = resource.path("group").asText();
            String apiVersion = (group.isEmpty() ? "" : group + "/")
                    + resource.path("version").asText();
            String kind = resource.path("kind").asText();
            assertThat(ProtobufEncoder.knows(apiVersion, kind))
                    .as(apiVersion + " " + kind)
                    .isTrue();
            assertThat(ProtobufEncoder.knows(apiVersion, kind + "List")).isTrue();
        });
    }
}
