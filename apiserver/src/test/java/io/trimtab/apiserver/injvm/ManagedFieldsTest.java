package io.trimtab.apiserver.injvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ManagedFieldsTest {

    private static String cut(String json) {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        return new String(ManagedFields.cut(bytes), StandardCharsets.UTF_8);
    }

    @Test
    void givenManagedFields_whenCut_thenTheRestIsAsItWas() {
        String managed =
                "\"managedFields\":[{\"manager\":\"a]\\\"}\",\"fieldsV1\":{\"k:{\\\"ip\\\":\\\"1\\\"}\":{\".\":{}}}}]";

        assertThat(cut("{\"kind\":\"Pod\",\"metadata\":{\"name\":\"é\"," + managed + "},\"spec\":{}}"))
                .isEqualTo("{\"kind\":\"Pod\",\"metadata\":{\"name\":\"é\"},\"spec\":{}}");
        assertThat(cut("{\"kind\":\"Pod\",\"metadata\":{" + managed + ",\"name\":\"a\"}}"))
                .isEqualTo("{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}");
        assertThat(cut("{\"kind\":\"Pod\",\"metadata\":{" + managed + "}}"))
                .isEqualTo("{\"kind\":\"Pod\",\"metadata\":{}}");
    }

    @Test
    void givenTheNameElsewhere_whenCut_thenNothingIs() {
        for (String json : new String[] {
            "{\"kind\":\"A\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"managedFields\":[1]}}",
            "{\"kind\":\"A\",\"metadata\":{\"annotations\":{\"a\":\"{\\\"managedFields\\\":[1]}\"}}}",
            "{\"kind\":\"A\",\"data\":{\"metadata\":{\"managedFields\":[1]}},\"metadata\":{}}",
            "{\"kind\":\"A\"}"
        }) {
            assertThat(cut(json)).isEqualTo(json);
        }
    }
}
