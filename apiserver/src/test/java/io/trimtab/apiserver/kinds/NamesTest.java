package io.trimtab.apiserver.kinds;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class NamesTest {

    @Test
    void givenGoodNames_whenTheyAreChecked_thenNothingIsWrong() {
        assertThat(Names.subdomain("a.b-c.1")).isEmpty();
        assertThat(Names.label("a-1")).isEmpty();
        assertThat(Names.label1035("a-1")).isEmpty();
        assertThat(Names.qualified("ex.io/My_Name")).isEmpty();
        assertThat(Names.labelValue("")).isEmpty();
        assertThat(Names.configKey(".a_B")).isEmpty();
        assertThat(Names.wildcardSubdomain("*.a.b")).isEmpty();
        assertThat(Names.portName("http-2")).isEmpty();
        assertThat(Names.envVar("1 anything!")).isEmpty();
        assertThat(Names.pathSegment("system:node")).isEmpty();
    }

    @Test
    void givenALabelWithDots_whenItIsChecked_thenTheDotsAreNamed() {
        assertThat(Names.label("a.b")).containsExactly("must not contain dots");
    }

    @Test
    void givenABadLabel_whenItIsChecked_thenTheSentenceHasTwoBlanksBeforeOr() {
        assertThat(Names.label("A_B"))
                .containsExactly(
                        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and"
                                + " must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for"
                                + " validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')");
    }

    @Test
    void givenQualifiedNamesGoneWrong_whenTheyAreChecked_thenThePartIsNamed() {
        assertThat(Names.qualified("/a")).containsExactly("prefix part must be non-empty");
        assertThat(Names.qualified("a/b/c")).singleElement().asString().startsWith("a qualified name must consist of");
        assertThat(Names.qualified("")).first().asString().isEqualTo("name part must be non-empty");
        assertThat(Names.qualified("A_/b")).singleElement().asString().startsWith("prefix part a lowercase RFC 1123");
    }

    @Test
    void givenLongNames_whenTheyAreChecked_thenTheLengthIsTold() {
        assertThat(Names.label("a".repeat(64))).containsExactly("must be no more than 63 characters");
        assertThat(Names.subdomain("a".repeat(254))).containsExactly("must be no more than 253 characters");
        assertThat(Names.portName("a".repeat(16))).containsExactly("must be no more than 15 characters");
    }

    @Test
    void givenKeysThatClimb_whenTheyAreChecked_thenTheyAreRefused() {
        assertThat(Names.configKey(".")).containsExactly("must not be '.'");
        assertThat(Names.configKey("..")).containsExactly("must not be '..'");
        assertThat(Names.configKey("..a")).containsExactly("must not start with '..'");
        assertThat(Names.pathSegment("..")).containsExactly("may not be '..'");
        assertThat(Names.pathSegment("a/%")).containsExactly("may not contain '/'", "may not contain '%'");
    }

    @Test
    void givenAGenerateName_whenItsDashIsMasked_thenItPassesAsAName() {
        assertThat(Names.subdomain(Names.maskTrailingDash("web-"))).isEmpty();
    }
}
