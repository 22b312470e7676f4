package io.trimtab.apiserver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AcceptTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''|true|",
                "application/json;q=0.1,application/yaml;q=0.9|true|application/yaml application/json",
                "application/yaml,application/json|true|application/yaml application/json",
                "text/html,application/json;q=0.9,*/*;q=0.8|true|text/html application/json */*",
                "*/*,application/json|true|application/json */*",
                "APPLICATION/JSON|false|APPLICATION/JSON",
                "application/*|false|application/*",
                "*|false|*/*",
                "junk|false|",
                "a/b/c|false|",
                ";;|false|",
                "application/json;q=abc,text/plain|true|text/plain application/json",
            })
    void givenAHeader_whenRead_thenRoutesAndClausesAreThoseOfKubernetes(String header, boolean routes, String clauses) {
        Accept accept = Accept.of(header);

        assertThat(accept.routes(List.of("application/json", "application/yaml")))
                .isEqualTo(routes);
        assertThat(accept.clauses())
                .extracting(c -> c.type() + "/" + c.subtype())
                .containsExactly(clauses == null ? new String[0] : clauses.split(" "));
    }
}
