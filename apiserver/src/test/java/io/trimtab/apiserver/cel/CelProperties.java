package io.trimtab.apiserver.cel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class CelProperties {
    private static final CelEnvironment ENV = CelEnvironment.base()
            .with("o", CelType.DYN)
            .with("l", CelType.list(CelType.INT))
            .with("m", CelType.map(CelType.STRING, CelType.STRING));

    @Provide
    Arbitrary<String> soups() {
        return Arbitraries.of(
                        "o",
                        "l",
                        "m",
                        "x",
                        ".",
                        "?",
                        ":",
                        "(",
                        ")",
                        "[",
                        "]",
                        "{",
                        "}",
                        ",",
                        "1",
                        "2u",
                        "-",
                        "1.5",
                        "'a'",
                        "b'b'",
                        "+",
                        "*",
                        "/",
                        "%",
                        "==",
                        "!=",
                        "<",
                        "in",
                        "&&",
                        "||",
                        "!",
                        "true",
                        "null",
                        "all",
                        "map",
                        "exists",
                        "filter",
                        "has",
                        "size",
                        "matches",
                        "'['",
                        "optMap",
                        "orValue",
                        "[?",
                        ".?",
                        "duration",
                        "'1h'",
                        "format",
                        "'%s'",
                        "string",
                        "int",
                        "type",
                        "quantity",
                        "ip",
                        "cidr",
                        "split",
                        "join",
                        "max",
                        " ",
                        "\n",
                        "\"",
                        "\\",
                        "$",
                        "Object",
                        "é",
                        "transformMap")
                .list()
                .ofMaxSize(14)
                .map(parts -> String.join("", parts));
    }

    @Property(tries = 20_000)
    void givenAnyWords_whenCompiled_thenThereIsAProgramOrAnIssue(@ForAll("soups") String text) {
        CelEnvironment.Compilation compiled = ENV.compile(text);

        CelProgram program = compiled.program();
        assertThat(program == null).isNotEqualTo(compiled.issues().isEmpty());
        if (program != null) {
            CelProgram.Outcome outcome = program.evaluate(name -> switch (name) {
                case "l" -> CelList.of(List.of(1L, 2L));
                case "m" -> CelMap.of(java.util.Map.of("a", "b"));
                default -> "text";
            });
            assertThat(outcome.value() == null).isNotEqualTo(outcome.error() == null);
            CostEstimator.Range cost = program.estimate(CostEstimator.Sizes.NONE);
            assertThat(cost.min()).isBetween(0L, cost.max());
        }
    }

    @Property(tries = 2_000)
    void givenAnyText_whenCompiled_thenNothingIsThrown(@ForAll String text) {
        assertThat(ENV.compile(text)).isNotNull();
    }
}
