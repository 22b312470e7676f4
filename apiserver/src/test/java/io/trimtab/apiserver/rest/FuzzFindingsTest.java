package io.trimtab.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.apiserver.kinds.Kinds;
import io.trimtab.apiserver.kinds.KindsOptions;
import io.trimtab.apiserver.rest.TestServer.Answer;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What requests made at random have found. */
class FuzzFindingsTest {
    private final TestServer server = new TestServer();

    @Test
    void givenAnAcceptHeaderOfSemicolons_whenAnyRequestIsSent_thenItIsNoInternalError() {
        for (String accept : new String[] {";", ";;;,,=", ",", ";q=1", "application/json;;;"}) {
            Answer answer = server.send("GET", "/api/v1/namespaces", Map.of("accept", accept), "");

            assertThat(answer.code()).as(accept).isIn(200, 406);
        }
    }

    @Test
    void givenAYamlBomb_whenItIsPosted_thenItIsRefusedBeforeItGoesOff() {
        StringBuilder bomb = new StringBuilder("kind: ConfigMap\napiVersion: v1\na: &a [x,x,x,x,x,x,x,x,x]\n");
        for (char c = 'b'; c < 'k'; c++) {
            String before = "*" + (char) (c - 1);
            bomb.append(c)
                    .append(": &")
                    .append(c)
                    .append(" [")
                    .append((before + ",").repeat(8))
                    .append(before)
                    .append("]\n");
        }

        Answer answer = server.send(
                "POST",
                "/api/v1/namespaces/default/configmaps",
                Map.of("content-type", "application/yaml"),
                bomb.toString());

        assertThat(answer.code()).isEqualTo(400);
        assertThat(answer.message()).contains("document contains excessive aliasing");
    }

    @Test
    void givenAnOrdinaryDocumentWithAliases_thenItIsRead() {
        Answer answer = server.send(
                "POST",
                "/api/v1/namespaces/default/configmaps",
                Map.of("content-type", "application/yaml"),
                "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a, labels: &l {a: b}, annotations: *l}\ndata: *l\n");

        assertThat(answer.code()).isEqualTo(201);
        assertThat(answer.at("/data/a")).isEqualTo("b");
    }

    @Test
    void givenAYamlNumberOfManyDigits_whenItIsPosted_thenItIsTextAndCostsNothing() {
        Answer answer = server.send(
                "POST",
                "/api/v1/namespaces/default/configmaps",
                Map.of("content-type", "application/yaml"),
                "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a, annotations: {a: " + "9".repeat(1_000_000)
                        + "}}\n");

        // What is no number may be an annotation, but none of that length.
        assertThat(answer.code()).isEqualTo(422);
        assertThat(answer.message()).contains("may not be more than 262144 bytes");
        assertThat(server.send(
                                "POST",
                                "/api/v1/namespaces/default/configmaps",
                                Map.of("content-type", "application/yaml"),
                                "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {a: 1e999}\n")
                        .at("/data/a"))
                .isEqualTo("1e999");
    }

    @Test
    void givenAQuantityOfManyDigits_whenItIsPosted_thenItIsRefusedAtOnce() {
        for (String digits : new String[] {"9".repeat(500_000), "0." + "0".repeat(500_000) + "1"}) {
            Answer answer = new TestServer(
                            b -> b.kinds(new Kinds(new KindsOptions("10.254.0.0/16", "30000-32767")).registry()))
                    .post(
                            "/api/v1/namespaces/default/limitranges",
                            "{\"kind\":\"LimitRange\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\"},\"spec\":"
                                    + "{\"limits\":[{\"type\":\"Container\",\"max\":{\"cpu\":\"" + digits + "\"}}]}}");

            assertThat(answer.code()).isEqualTo(400);
            assertThat(answer.message()).contains("unable to parse numeric part of quantity");
        }
    }
}
