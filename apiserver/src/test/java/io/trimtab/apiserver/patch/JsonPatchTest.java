package io.trimtab.apiserver.patch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonPatchTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    static ObjectNode json(String text) {
        try {
            return (ObjectNode) MAPPER.readTree(text.replace('\'', '"'));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static Patched patch(String document, String patch) {
        return JsonPatch.apply(json(document), patch.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'a':1}|[{'op':'add','path':'/b','value':2}]|{'a':1,'b':2}",
                "{'a':[1,3]}|[{'op':'add','path':'/a/1','value':2}]|{'a':[1,2,3]}",
                "{'a':[1]}|[{'op':'add','path':'/a/-','value':2}]|{'a':[1,2]}",
                "{'a':1,'b':2}|[{'op':'remove','path':'/a'}]|{'b':2}",
                "{'a':[1,2]}|[{'op':'remove','path':'/a/-1'}]|{'a':[1]}",
                "{'a':1}|[{'op':'replace','path':'/a','value':{'x':1}}]|{'a':{'x':1}}",
                "{'a':{'b':1}}|[{'op':'move','from':'/a/b','path':'/c'}]|{'a':{},'c':1}",
                "{'a':{'b':1}}|[{'op':'copy','from':'/a','path':'/c'}]|{'a':{'b':1},'c':{'b':1}}",
                "{'a':1}|[{'op':'test','path':'/a','value':1},{'op':'remove','path':'/a'}]|{}",
                "{'a':1}|[{'op':'test','path':'/x','value':null}]|{'a':1}",
                "{'a':{'x/y':1,'m~n':2}}|[{'op':'remove','path':'/a/x~1y'},{'op':'remove','path':'/a/m~0n'}]|{'a':{}}",
            })
    void givenOperations_whenPatched_thenTheDocumentFollows(String document, String patch, String result) {
        assertThat(patch(document, patch).object()).isEqualTo(json(result));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[{'op':'test','path':'/a','value':2}]",
                "[{'op':'remove','path':'/x'}]",
                "[{'op':'add','path':'/x/y','value':1}]",
                "[{'op':'add','path':'','value':{}}]",
                "[{'op':'frob','path':'/a'}]",
                "[{'op':'add','path':'/l/5','value':1}]",
                "[{'op':'copy','from':'/x/y','path':'/b'}]",
            })
    void givenOperationThatFails_whenPatched_thenTheRefusalSaysNothing(String patch) {
        assertThatThrownBy(() -> patch("{'a':1,'l':[1]}", patch))
                .hasMessage("the server rejected our request due to an error in our request");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[{]|error decoding patch: invalid character ']' looking for beginning of object key string",
                "{}|error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
            })
    void givenMalformedPatch_whenPatched_thenItIsABadRequest(String patch, String message) {
        assertThatThrownBy(() -> patch("{}", patch)).hasMessage(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                // The vectors of RFC 7386, appendix A, whose outcome is an object.
                "{'a':'b'}|{'a':'c'}|{'a':'c'}",
                "{'a':'b'}|{'b':'c'}|{'a':'b','b':'c'}",
                "{'a':'b'}|{'a':null}|{}",
                "{'a':'b','b':'c'}|{'a':null}|{'b':'c'}",
                "{'a':['b']}|{'a':'c'}|{'a':'c'}",
                "{'a':'c'}|{'a':['b']}|{'a':['b']}",
                "{'a':{'b':'c'}}|{'a':{'b':'d','c':null}}|{'a':{'b':'d'}}",
                "{'a':[{'b':'c'}]}|{'a':[1]}|{'a':[1]}",
                "{'e':null}|{'a':1}|{'e':null,'a':1}",
                "{}|{'a':{'bb':{'ccc':null}}}|{'a':{'bb':{}}}",
            })
    void givenMergePatch_whenPatched_thenTheRfcsVectorsHold(String document, String patch, String result) {
        assertThat(MergePatch.apply(json(document), patch.replace('\'', '"').getBytes(StandardCharsets.UTF_8))
                        .object())
                .isEqualTo(json(result));
    }
}
