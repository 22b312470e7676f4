package io.trimtab.apiserver.quantity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantityTest {

    @ParameterizedTest
    @CsvSource({
        "0.5,500m",
        "1000m,1",
        "1024Mi,1Gi",
        "1.5Gi,1536Mi",
        "1500,1500",
        "100000,100k",
        "0Mi,0",
        "1e3,1e3",
        "1000,1k",
        "12e3,12e3",
        "100m,100m",
        "0.0001,100u",
        "-0.5,-500m",
        "1025Ki,1025Ki",
        "512,512",
        "8Ki,8Ki",
        "0.5Ki,512",
        "128974848,128974848",
        "129e6,129e6",
        "123Mi,123Mi",
        "0.1m,100u",
        "2.0,2",
        "00,0",
        "1E,1E",
        "1.500,1.500"
    })
    void givenText_whenParsed_thenCanonicalTextIsKubernetes(String text, String canonical) {
        assertThat(Quantity.parse(text)).hasToString(canonical);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "abc", "1 Gi", "1.2.3", "5x"})
    void givenNonsense_whenParsed_thenTheRegularExpressionIsNamed(String text) {
        assertThatThrownBy(() -> Quantity.parse(text)).hasMessage(Quantity.WRONG_FORMAT);
    }

    @Test
    void givenUnknownSuffix_whenParsed_thenTheSuffixIsRefused() {
        assertThatThrownBy(() -> Quantity.parse("1mi")).hasMessage(Quantity.WRONG_SUFFIX);
    }

    @Test
    void givenMixedFamilies_whenAdded_thenTheFirstFamilyStays() {
        assertThat(Quantity.parse("1Gi").add(Quantity.parse("1024"))).hasToString("1048577Ki");
        assertThat(Quantity.ZERO.add(Quantity.parse("1Gi"))).hasToString("1Gi");
        assertThat(Quantity.parse("1").subtract(Quantity.parse("100m"))).hasToString("900m");
        assertThat(Quantity.parse("1024Mi")).isEqualTo(Quantity.parse("1Gi"));
        assertThat(Quantity.parse("100u").roundUpToMilli()).hasToString("1m");
    }
}
