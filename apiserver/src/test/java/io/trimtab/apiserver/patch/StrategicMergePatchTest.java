package io.trimtab.apiserver.patch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.schema.Schema;
import io.trimtab.apiserver.schema.SchemaRegistry;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StrategicMergePatchTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Schema POD =
            SchemaRegistry.builtin().forKind("", "v1", "Pod").orElseThrow();

    // Single quotes for brevity.
    private static ObjectNode json(String text) {
        try {
            return (ObjectNode) MAPPER.readTree(text.replace('\'', '"'));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static String patch(String document, String patch) {
        return StrategicMergePatch.apply(
                        json(document), patch.replace('\'', '"').getBytes(StandardCharsets.UTF_8), POD)
                .object()
                .toString()
                .replace('"', '\'');
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                // merge by key, the patch's items first
                "{'spec':{'containers':[{'name':'a','image':'1'},{'name':'b'}]}}|{'spec':{'containers':[{'name':'b','image':'2'}]}}|{'spec':{'containers':[{'name':'a','image':'1'},{'name':'b','image':'2'}]}}",
                "{'spec':{'containers':[{'name':'a'}]}}|{'spec':{'containers':[{'name':'z'}]}}|{'spec':{'containers':[{'name':'z'},{'name':'a'}]}}",
                // delete an item
                "{'spec':{'containers':[{'name':'a'},{'name':'b'}]}}|{'spec':{'containers':[{'name':'a','$patch':'delete'}]}}|{'spec':{'containers':[{'name':'b'}]}}",
                // replace the list
                "{'spec':{'containers':[{'name':'a'},{'name':'b'}]}}|{'spec':{'containers':[{'$patch':'replace'},{'name':'c'}]}}|{'spec':{'containers':[{'name':'c'}]}}",
                // null deletes, scalars replace, atomic lists replace
                "{'spec':{'nodeName':'n','hostname':'h','tolerations':[{'key':'a'}]}}|{'spec':{'nodeName':null,'hostname':'i','tolerations':[{'key':'b'}]}}|{'spec':{'hostname':'i','tolerations':[{'key':'b'}]}}",
                // primitive merge list
                "{'metadata':{'finalizers':['a','b']}}|{'metadata':{'finalizers':['c']}}|{'metadata':{'finalizers':['c','a','b']}}",
                "{'metadata':{'finalizers':['a','b']}}|{'metadata':{'$deleteFromPrimitiveList/finalizers':['a']}}|{'metadata':{'finalizers':['b']}}",
                // order
                "{'spec':{'containers':[{'name':'a'},{'name':'b'},{'name':'c'}]}}|{'spec':{'$setElementOrder/containers':[{'name':'c'},{'name':'a'}]}}|{'spec':{'containers':[{'name':'b'},{'name':'c'},{'name':'a'}]}}",
                "{'metadata':{'finalizers':['a','b']}}|{'metadata':{'$setElementOrder/finalizers':['b','a']}}|{'metadata':{'finalizers':['b','a']}}",
                // retainKeys
                "{'spec':{'volumes':[{'name':'v','emptyDir':{}}]}}|{'spec':{'volumes':[{'name':'v','$retainKeys':['name','hostPath'],'hostPath':{'path':'/'}}]}}|{'spec':{'volumes':[{'name':'v','hostPath':{'path':'/'}}]}}",
                // map directives
                "{'spec':{'securityContext':{'runAsUser':1,'fsGroup':2}}}|{'spec':{'securityContext':{'$patch':'replace','runAsUser':3}}}|{'spec':{'securityContext':{'runAsUser':3}}}",
                "{'spec':{'securityContext':{'runAsUser':1}}}|{'spec':{'securityContext':{'$patch':'delete'}}}|{'spec':{'securityContext':{}}}",
                // nulls in new maps vanish
                "{'metadata':{}}|{'metadata':{'labels':{'a':'b','c':null}}}|{'metadata':{'labels':{'a':'b'}}}",
            })
    void givenDirectives_whenPatched_thenTheyMeanWhatKubernetesMeans(String document, String patch, String result) {
        assertThat(patch(document, patch)).isEqualTo(result);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'spec':{'containers':[{'image':'q'}]}}|500|map: map[image:q] does not contain declared merge key: name",
                "{'spec':{'$patch':'foo','a':1}}|500|unknown patch type: foo in map: map[$patch:foo a:1]",
                "{'spec':{'$retainKeys':['a'],'hostname':'x'}}|400|invalid patch format of retainKeys",
                "{'spec':{'$setElementOrder/containers':[{'name':'a'}],'containers':[{'name':'b'}]}}|500|The order in patch list:\\n[map[name:b]]\\n doesn't match $setElementOrder list:\\n[map[name:a]]\\n",
                "{'spec'|400|unexpected end of JSON input",
                "[]|400|json: cannot unmarshal array into Go value of type map[string]interface {}",
            })
    void givenWrongPatch_whenPatched_thenTheErrorIsKubernetes(String patch, int code, String message) {
        assertThatThrownBy(() -> patch("{'spec':{'containers':[{'name':'a'}]}}", patch))
                .isInstanceOfSatisfying(
                        StatusException.class, e -> assertThat(e.code()).isEqualTo(code))
                .hasMessage(message.replace("\\n", "\n"));
    }

    @Test
    void givenPatchTwice_whenMerged_thenTheSecondChangesNothing() {
        ObjectNode patch = json(
                "{'metadata':{'labels':{'a':'b'},'finalizers':['x']},'spec':{'containers':[{'name':'b','env':[{'name':'E','value':'1'}]}]}}");
        ObjectNode once = StrategicMergePatch.merge(json("{'spec':{'containers':[{'name':'a'}]}}"), patch, POD);
        assertThat(StrategicMergePatch.merge(once, patch, POD)).isEqualTo(once);
    }
}
