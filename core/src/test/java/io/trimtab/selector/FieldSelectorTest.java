package io.trimtab.selector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FieldSelectorTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "spec.nodeName=a|spec.nodeName=a",
                "b==1,a!=2|a!=2,b=1",
                "a=1,,|a=1",
                "a=|a=",
                "=b|=b",
                "a=x\\,y\\=z\\\\|a=x\\,y\\=z\\\\",
            })
    void givenSelectors_whenParsed_thenTheyPrintCanonically(String text, String printed) {
        assertThat(FieldSelector.parse(text)).hasToString(printed);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "foo|invalid selector: 'foo'; can't understand 'foo'",
                "a=b,foo|invalid selector: 'a=b,foo'; can't understand 'foo'",
                "a=b=c|invalid field selector: unescaped character in value: 61",
                "a=b\\c|invalid field selector: invalid escape sequence: \\c",
                "a=b\\|invalid field selector: invalid escape sequence: \\",
            })
    void givenMalformedSelectors_whenParsed_thenTheMessageIsKubernetes(String text, String message) {
        assertThatThrownBy(() -> FieldSelector.parse(text))
                .isInstanceOf(InvalidSelectorException.class)
                .hasMessage(message);
    }

    @Test
    void givenFields_whenMatched_thenAMissingOneIsEmpty() {
        Map<String, String> fields = Map.of("status.phase", "Running");

        assertThat(FieldSelector.parse("status.phase=Running,spec.nodeName=").matches(fields::get))
                .isTrue();
        assertThat(FieldSelector.parse("spec.nodeName!=").matches(fields::get)).isFalse();
        assertThat(FieldSelector.parse("status.phase!=Failed").matches(fields::get))
                .isTrue();
        assertThat(FieldSelector.parse("").matches(fields::get)).isTrue();
    }

    @Test
    void givenASelector_whenAskedForAnExactField_thenItsValueIsTold() {
        FieldSelector selector = FieldSelector.parse("metadata.name=a,spec.nodeName!=b");

        assertThat(selector.requiredValue("metadata.name")).contains("a");
        assertThat(selector.requiredValue("spec.nodeName")).isEmpty();
    }

    @Test
    void givenATransform_whenApplied_thenTermsAreRenamedOrLeftOut() {
        FieldSelector selector = FieldSelector.parse("spec.host=a,x=y");

        FieldSelector changed = selector.transform(term -> term.field().equals("x")
                ? null
                : new FieldSelector.Term("spec.nodeName", term.negated(), term.value()));

        assertThat(changed).isEqualTo(FieldSelector.equal("spec.nodeName", "a"));
    }
}
