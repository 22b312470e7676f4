package io.trimtab.apiserver.callout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.callout.CalloutTransport.Reply;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WebhookClientTest {
    private final LocalCallouts callouts = new LocalCallouts(CalloutTransport.NONE);
    private final WebhookClient client = new WebhookClient(callouts, "test");
    private final List<String> calls = new ArrayList<>();

    @Test
    void givenAPathWithEmptyAndBackwardSteps_whenAsked_thenItIsCleanAsClientGoJoinsIt() {
        answer();

        ask(Target.of("https://hook.example//a/./b/../review/", Target.Trust.SYSTEM));
        ask(Target.of("https://hook.example/", Target.Trust.SYSTEM));

        assertThat(calls)
                .containsExactly(
                        "POST https://hook.example/a/review?timeout=10s", "POST https://hook.example?timeout=10s");
    }

    @Test
    void givenARedirectThatKeepsTheMethod_whenAsked_thenTheReviewIsSentThere() {
        answer();
        callouts.register("old.example", request -> {
            assertThat(request.body()).isNotEmpty();
            return moved(307, "https://hook.example/new?x=1");
        });

        ask(Target.of("https://old.example/review", Target.Trust.SYSTEM));

        assertThat(calls).containsExactly("POST https://hook.example/new?x=1");
    }

    @Test
    void givenARedirectOfABrowser_whenAsked_thenTheReviewIsLeftBehind() {
        answer();
        callouts.register("old.example", request -> moved(302, "https://hook.example/new"));

        ask(Target.of("https://old.example/review", Target.Trust.SYSTEM));

        assertThat(calls).containsExactly("GET https://hook.example/new");
    }

    @Test
    void givenRedirectsInACircle_whenAsked_thenItEndsAfterTen() {
        callouts.register("old.example", request -> {
            calls.add(request.url());
            return moved(308, "/again");
        });

        assertThatThrownBy(() -> ask(Target.of("https://old.example/review", Target.Trust.SYSTEM)))
                .hasMessage("Post \"https://old.example/again\": stopped after 10 redirects");
        assertThat(calls).hasSize(10);
    }

    @Test
    void givenARedirectToNowhere_whenAsked_thenItIsAnAnswer() {
        callouts.register("old.example", request -> new Reply(307, Map.of(), new byte[0]));

        assertThatThrownBy(() -> ask(Target.of("https://old.example/review", Target.Trust.SYSTEM)))
                .hasMessage("the server responded with the status code 307 but did not return more information");
    }

    private void ask(Target target) {
        ObjectNode review = new ObjectMapper()
                .createObjectNode()
                .put("kind", "AdmissionReview")
                .put("apiVersion", "admission.k8s.io/v1");
        client.await(client.ask(target, Map.of(), review, List.of("v1"), Duration.ofSeconds(10)));
    }

    private void answer() {
        callouts.register("hook.example", request -> {
            calls.add(request.method() + " " + request.url());
            return new Reply(
                    200,
                    Map.of(),
                    "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\"}"
                            .getBytes(StandardCharsets.UTF_8));
        });
    }

    private static Reply moved(int code, String location) {
        return new Reply(code, Map.of("location", List.of(location)), new byte[0]);
    }
}
