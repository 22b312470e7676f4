package io.trimtab.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.apiserver.admission.AdmissionPlugin;
import io.trimtab.apiserver.kinds.Kinds;
import io.trimtab.apiserver.kinds.KindsOptions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WhatAdmissionSeesTest {
    private final List<String> seen = new ArrayList<>();
    private final List<String> options = new ArrayList<>();
    private final TestServer server = new TestServer(b -> b.kinds(new Kinds(KindsOptions.DEFAULT).registry())
            .admission(List.of(new AdmissionPlugin() {
                @Override
                public String name() {
                    return "Recording";
                }

                @Override
                public void validate(Attributes attributes) {
                    seen.add(attributes.operation() + " "
                            + attributes.resource().plural() + "/" + attributes.subresource());
                    options.add(attributes.options().toString());
                    if (attributes.context().name().equals("warned")) {
                        attributes.context().warnings().addAll(List.of("one", "two\nlines"));
                    }
                }
            })));

    @Test
    void givenAPod_whenItIsEvicted_thenNobodyIsAskedAboutTheDeletion() {
        server.post("/api/v1/namespaces", "{\"metadata\":{\"name\":\"n\"}}");
        server.post(
                "/api/v1/namespaces/n/pods",
                "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}");
        seen.clear();

        TestServer.Answer evicted =
                server.post("/api/v1/namespaces/n/pods/p/eviction", "{\"metadata\":{\"name\":\"p\"}}");

        assertThat(evicted.code()).as(evicted.body()).isEqualTo(201);
        assertThat(seen).containsExactly("CREATE pods/eviction");
    }

    @Test
    void givenANamespace_whenItIsDeleted_thenTheOptionsSayWhichOne() {
        String uid = server.post("/api/v1/namespaces", "{\"metadata\":{\"name\":\"n\"}}")
                .json()
                .path("metadata")
                .path("uid")
                .asText();

        server.delete("/api/v1/namespaces/n");

        assertThat(options.get(options.size() - 1)).contains("\"preconditions\":{\"uid\":\"" + uid + "\"}");
    }

    @Test
    void givenAWarningOfTwoLines_whenItIsAnswered_thenItIsLeftOut() {
        TestServer.Answer made = server.post("/api/v1/namespaces", "{\"metadata\":{\"name\":\"warned\"}}");

        assertThat(made.headers().get("Warning")).containsExactly("299 - \"one\"");
    }
}
