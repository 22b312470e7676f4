package io.trimtab.selector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.LabelSelectorRequirement;
import io.trimtab.selector.model.ModelSelectors;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LabelSelectorsTest {
    private static final String NAME_RULE =
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must"
                    + " start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for"
                    + " validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "x=a,y=b,z=c|x=a,y=b,z=c",
                "z=c , x = a|x=a,z=c",
                "x!=a,y=b|x!=a,y=b",
                "x==a|x==a",
                "x=|x=",
                "x= ,z= |x=,z=",
                "x|x",
                "!x|!x",
                "x>1|x>1",
                "x<5|x<5",
                "x in (b,a)|x in (a,b)",
                "x in (a,a)|x in (a)",
                "x notin (,a)|x notin (,a)",
                "x in (a,,b)|x in (,a,b)",
                "x in ()|x in ()",
                "in in (in,notin)|in in (in,notin)",
                "notin=in|notin=in",
                "x.io/y in(a)|x.io/y in (a)",
                "k\tin (v)|k in (v)",
            })
    void givenSelectors_whenParsed_thenTheyPrintCanonically(String text, String printed) {
        assertThat(LabelSelectors.parse(text)).hasToString(printed);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "\t\n"})
    void givenNothingWritten_whenParsed_thenEverythingIsSelected(String text) {
        LabelSelector selector = LabelSelectors.parse(text);

        assertThat(selector.isEverything()).isTrue();
        assertThat(selector.matches(Map.of())).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "x=a,|found '', expected: identifier after ','",
                ",x=a|found ',', expected: !, identifier, or 'end of string'",
                "x=a y=b|found 'y', expected: ',' or 'end of string'",
                "!x=a|found '=', expected: ',' or 'end of string'",
                "!|unable to parse requirement: found '', expected: identifier",
                "x in a|unable to parse requirement: found 'a' expected: '('",
                "x in|unable to parse requirement: found '' expected: '('",
                "x in (|unable to parse requirement: found '', expected: ',', ')' or identifier",
                "x in (a|unable to parse requirement: found '', expected: ',' or ')'",
                "x in (a b)|unable to parse requirement: found 'b', expected: ',' or ')'",
                "x in (a,(|unable to parse requirement: found '(', expected: ',', or identifier",
                "x y|unable to parse requirement: found 'y', expected: in, notin, =, ==, !=, gt, lt",
                "x==a==b|found '==', expected: ',' or 'end of string'",
                "x=(a)|unable to parse requirement: found '(', expected: identifier",
                "(x)|found '(', expected: !, identifier, or 'end of string'",
                "x>a|unable to parse requirement: values[0]: Invalid value: \"a\": for 'Gt', 'Lt' operators, the value must be an integer",
                "/x|unable to parse requirement: <nil>: Invalid value: \"/x\": prefix part must be non-empty",
                "x/|unable to parse requirement: <nil>: Invalid value: \"x/\": name part must be non-empty; NAME_RULE",
                "-x=a|unable to parse requirement: <nil>: Invalid value: \"-x\": NAME_RULE",
                "x=-a|unable to parse requirement: values[0][x]: Invalid value: \"-a\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
            })
    void givenMalformedSelectors_whenParsed_thenTheMessageIsKubernetes(String text, String message) {
        assertThatThrownBy(() -> LabelSelectors.parse(text))
                .isInstanceOf(InvalidSelectorException.class)
                .hasMessage(message.replace("NAME_RULE", NAME_RULE));
    }

    @Test
    void givenALongKeyAndValue_whenParsed_thenTheLengthIsNamed() {
        String longText = "a".repeat(64);

        assertThatThrownBy(() -> LabelSelectors.parse(longText + "=b"))
                .hasMessage("unable to parse requirement: <nil>: Invalid value: \"" + longText
                        + "\": name part must be no more than 63 characters");
        assertThatThrownBy(() -> LabelSelectors.parse("b=" + longText))
                .hasMessage("unable to parse requirement: values[0][b]: Invalid value: \"" + longText
                        + "\": must be no more than 63 characters");
    }

    @Test
    void givenAMissingLabel_whenMatched_thenNegationsHold() {
        Map<String, String> none = Map.of();

        assertThat(LabelSelectors.parse("x!=a").matches(none)).isTrue();
        assertThat(LabelSelectors.parse("x notin (a,b)").matches(none)).isTrue();
        assertThat(LabelSelectors.parse("!x").matches(none)).isTrue();
        assertThat(LabelSelectors.parse("x").matches(none)).isFalse();
        assertThat(LabelSelectors.parse("x=").matches(none)).isFalse();
        assertThat(LabelSelectors.parse("x>1").matches(none)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "x>5,6,true",
        "x>5,5,false",
        "x<5,4,true",
        "x<5,abc,false",
        "x>5,+6,true",
        "x>-9,-8,true",
        "x<9223372036854775807,9223372036854775806,true",
        "x>5,9223372036854775808,false",
        "x<0,-9223372036854775808,true",
        "x<0,-9223372036854775809,false",
        "x>5,'',false",
        "x>5,5_0,false",
    })
    void givenNumbers_whenMatched_thenTheyCompareAs64BitIntegers(String selector, String value, boolean matches) {
        // -n is no label value, but node fields may hold it
        LabelSelector compiled = LabelSelectors.of(List.of(new Requirement(
                "x",
                selector.charAt(1) == '>' ? Operator.GREATER_THAN : Operator.LESS_THAN,
                List.of(selector.substring(2)))));

        assertThat(compiled.matches(Map.of("x", value))).isEqualTo(matches);
    }

    @Test
    void givenNothing_whenMatched_thenNothingIsSelected() {
        assertThat(LabelSelectors.nothing().matches(Map.of())).isFalse();
        assertThat(LabelSelectors.nothing().isNothing()).isTrue();
        assertThat(LabelSelectors.nothing()).isNotEqualTo(LabelSelectors.everything());
    }

    @Test
    void givenAStructuredSelector_whenCompiled_thenItPrintsAsText() {
        var selector = new LabelSelectorBuilder()
                .addToMatchLabels("app", "web")
                .addToMatchExpressions(new LabelSelectorRequirement("tier", "In", List.of("front", "back")))
                .addToMatchExpressions(new LabelSelectorRequirement("old", "DoesNotExist", List.of()))
                .build();

        assertThat(ModelSelectors.of(selector)).hasToString("app=web,!old,tier in (back,front)");
        assertThat(ModelSelectors.of(null).isNothing()).isTrue();
        assertThat(ModelSelectors.of(new LabelSelectorBuilder().build()).isEverything())
                .isTrue();
    }

    @Test
    void givenAStructuredSelectorOfUnknownOperator_whenCompiled_thenItIsRefused() {
        var selector = new LabelSelectorBuilder()
                .addToMatchExpressions(new LabelSelectorRequirement("tier", "Like", List.of("f")))
                .build();

        assertThatThrownBy(() -> ModelSelectors.of(selector))
                .hasMessage("\"Like\" is not a valid label selector operator");
    }

    @Test
    void givenInWithoutValues_whenMade_thenItIsRefused() {
        assertThatThrownBy(() -> Requirement.of("x", Operator.IN, List.of()))
                .hasMessage("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty");
    }

    @Test
    void givenSelectors_whenAskedForTheRequiredValue_thenOnlyASingleOneCounts() {
        assertThat(LabelSelectors.parse("x=a").requiredValue("x")).contains("a");
        assertThat(LabelSelectors.parse("x in (a)").requiredValue("x")).contains("a");
        assertThat(LabelSelectors.parse("x in (a,b)").requiredValue("x")).isEmpty();
        assertThat(LabelSelectors.parse("x!=a").requiredValue("x")).isEmpty();
    }
}
