package io.trimtab.apiserver.customresources;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.trimtab.apiserver.errors.FieldErrors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RatchetTest {
    private static final JsonNode SCHEMA = json("{'properties':{'text':{},'spec':{},'any':{'additionalProperties':{}},"
            + "'set':{'x-kubernetes-list-type':'set'},'plain':{},"
            + "'map':{'x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['k'],'items':{}}}}");
    private static final JsonNode OLD = json("{'text':'a','spec':{'x':1},'any':{'b':1,'c':1},'set':['a','b'],"
            + "'plain':['a'],'map':[{'k':'1','v':'a'},{'k':'2','v':'a'}],'same':['z']}");
    private static final JsonNode NOW = json("{'text':'a','spec':{'x':1},'any':{'b':1,'c':2},'set':['a','b','c'],"
            + "'plain':['a','b'],'map':[{'k':'0','v':'a'},{'k':'1','v':'a'},{'k':'2','v':'b'}],'same':['z']}");

    private static JsonNode json(String text) {
        try {
            return new ObjectMapper().readTree(text.replace('\'', '"'));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "text, false", // as before
        "any.b, false",
        "any.c, true", // changed
        "set[0], true", // which item it was cannot be told
        "plain[0], true",
        "same[0], false", // nor need it, if the whole list is as before
        "map[0].v, true", // new
        "map[1].v, false", // as before, at another place
        "map[2].v, true"
    })
    void givenAMistake_whenItIsWithinWhatWasThereBefore_thenItPasses(String path, boolean kept) {
        FieldErrors errors = new FieldErrors();
        errors.invalid(path, "", "wrong");

        assertThat(Ratchet.withoutOld(errors, NOW, OLD, SCHEMA).list().isEmpty())
                .isEqualTo(!kept);
    }

    @ParameterizedTest
    @CsvSource({"spec.missing, false", "any.missing, true", "missing, true"})
    void givenSomethingIsMissing_whenItsParentIsAsBefore_thenItPasses(String path, boolean kept) {
        FieldErrors errors = new FieldErrors();
        errors.required(path, "");

        assertThat(Ratchet.withoutOld(errors, NOW, OLD, SCHEMA).list())
                .hasSize(kept ? 1 : 0)
                .isInstanceOf(List.class);
    }
}
