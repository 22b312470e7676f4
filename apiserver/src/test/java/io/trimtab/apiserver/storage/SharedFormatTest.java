package io.trimtab.apiserver.storage;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.protobuf.ProtobufEncoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** What lies in an etcd that Kubernetes' own API server writes to, too. */
class SharedFormatTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SharedFormat format = new SharedFormat(false);

    private static byte[] bytes(String text) {
        return text.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }

    private String decoded(String stored) {
        return new String(format.decode("/registry/x", bytes(stored), 42), StandardCharsets.UTF_8).replace('"', '\'');
    }

    @Test
    void givenOurOwnJson_thenItsRevisionIsPutIn() {
        assertThat(decoded("{'kind':'Pod','apiVersion':'v1','metadata':{'name':'a','resourceVersion':'','labels':{}}}"))
                .isEqualTo(
                        "{'kind':'Pod','apiVersion':'v1','metadata':{'name':'a','resourceVersion':'42','labels':{}}}");
    }

    @Test
    void givenJsonWithoutARevision_thenItStandsWhereKubernetesWritesIt() {
        assertThat(decoded("{'kind':'Pod','apiVersion':'v1','metadata':{'name':'a','uid':'u','generation':1}}"))
                .contains("{'name':'a','uid':'u','resourceVersion':'42','generation':1}");
        // Custom resources have their fields sorted.
        assertThat(decoded("{'kind':'W','apiVersion':'e/v1','metadata':{'generation':1,'name':'a','uid':'u'}}"))
                .contains("{'generation':1,'name':'a','resourceVersion':'42','uid':'u'}");
    }

    @Test
    void givenProtobuf_thenItIsReadAsJson() throws IOException {
        ObjectNode claim = (ObjectNode) JSON.readTree(bytes("{'kind':'PersistentVolumeClaim','apiVersion':'v1',"
                + "'metadata':{'name':'a','namespace':'n'},'spec':{'accessModes':['ReadWriteOnce']},'status':{}}"));

        JsonNode read = JSON.readTree(format.decode("/registry/x", ProtobufEncoder.object(claim), 42));

        assertThat(read.at("/metadata/resourceVersion").asText()).isEqualTo("42");
        assertThat(read.at("/spec/accessModes/0").asText()).isEqualTo("ReadWriteOnce");
        // Kubernetes stores none, and sets it when it reads.
        assertThat(read.at("/status/phase").asText()).isEqualTo("Pending");
    }

    @Test
    void givenProtobufIsWanted_thenBuiltInKindsAreWrittenSoAndOthersAsJson() throws IOException {
        SharedFormat protobuf = new SharedFormat(true);
        byte[] pod = bytes("{'kind':'Pod','apiVersion':'v1','metadata':{'name':'a','resourceVersion':''},'spec':{}}");
        byte[] custom = bytes("{'kind':'W','apiVersion':'e/v1','metadata':{'name':'a','resourceVersion':''}}");

        assertThat(protobuf.encode("/registry/x", pod)).startsWith('k', '8', 's', 0);
        assertThat(protobuf.encode("/registry/x", custom)).isEqualTo(custom);
        JsonNode read = JSON.readTree(protobuf.decode("/registry/x", protobuf.encode("/registry/x", pod), 7));
        assertThat(read.at("/metadata/resourceVersion").asText()).isEqualTo("7");
    }

    @Test
    void givenADefinitionAsKubernetesStoresIt_thenItIsReadAsItIsServed() throws IOException {
        JsonNode read = JSON.readTree(format.decode(
                "/registry/x",
                bytes("{'kind':'CustomResourceDefinition','apiVersion':'apiextensions.k8s.io/v1beta1',"
                        + "'metadata':{'name':'w.e'},'spec':{'group':'e','version':'v1','names':{'plural':'w'},"
                        + "'scope':'Namespaced','validation':{'openAPIV3Schema':{'type':'object'}},"
                        + "'subresources':{'status':{}},'additionalPrinterColumns':[{'name':'A','type':'string',"
                        + "'JSONPath':'.spec.a'}],'versions':[{'name':'v1','served':true,'storage':true},"
                        + "{'name':'v2','served':true,'storage':false,'schema':{'openAPIV3Schema':{'type':'integer'}}}],"
                        + "'conversion':{'strategy':'Webhook','webhookClientConfig':{'url':'https://x'},"
                        + "'conversionReviewVersions':['v1']},'preserveUnknownFields':false}}"),
                42));

        assertThat(read.path("apiVersion").asText()).isEqualTo("apiextensions.k8s.io/v1");
        assertThat(read.path("spec").toString().replace('"', '\''))
                .isEqualTo("{'group':'e','names':{'plural':'w'},'scope':'Namespaced','versions':["
                        + "{'name':'v1','served':true,'storage':true,'schema':{'openAPIV3Schema':{'type':'object'}},"
                        + "'subresources':{'status':{}},"
                        + "'additionalPrinterColumns':[{'name':'A','type':'string','jsonPath':'.spec.a'}]},"
                        + "{'name':'v2','served':true,'storage':false,'schema':{'openAPIV3Schema':{'type':'integer'}},"
                        + "'subresources':{'status':{}},"
                        + "'additionalPrinterColumns':[{'name':'A','type':'string','jsonPath':'.spec.a'}]}],"
                        + "'conversion':{'strategy':'Webhook','webhook':{'clientConfig':{'url':'https://x'},"
                        + "'conversionReviewVersions':['v1']}}}");
    }

    @Test
    void givenBytesThatAreNoObject_thenTheyAreGivenBackAsTheyAre() {
        assertThat(decoded("k8s:enc:aescbc:v1:key1:...")).isEqualTo("k8s:enc:aescbc:v1:key1:...");
    }
}
