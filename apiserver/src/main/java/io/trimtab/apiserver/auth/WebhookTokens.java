package io.trimtab.apiserver.auth;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.callout.WebhookClient;
import io.trimtab.apiserver.callout.WebhookServer;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Asks another server whom a bearer token stands for, by TokenReviews; remembers its answers for a while. Safe for use by any
 * thread.
 */
public final class WebhookTokens implements TokenAuthenticator {
    private static final String GROUP = "authentication.k8s.io";
    private static final List<String> VERSIONS = List.of("v1", "v1beta1");
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final WebhookClient client;
    private final WebhookServer server;
    private final String version;
    private final Duration keep;
    private final List<String> implicitAudiences;
    private final Remembered<Key, Answer> answers;

    private record Key(String token, List<String> audiences) {}

    /** @param found empty if the token is nobody's; {@code error} then may say why */
    private record Answer(Optional<Authenticated> found, String error) {}

    /**
     * A webhook.
     *
     * @param version of TokenReview: v1 or v1beta1
     * @param keep how long answers hold
     * @param implicitAudiences the names by which this server goes
     */
    public WebhookTokens(
            WebhookClient client,
            WebhookServer server,
            String version,
            Duration keep,
            List<String> implicitAudiences,
            Driver driver) {
        this.client = client;
        this.server = server;
        this.version = version;
        this.keep = keep;
        this.implicitAudiences = List.copyOf(implicitAudiences);
        this.answers = new Remembered<>(driver);
    }

    @Override
    public Optional<Authenticated> authenticate(String token, List<String> audiences) {
        Key key = new Key(token, List.copyOf(audiences));
        Answer answer = answers.get(key).orElse(null);
        if (answer == null) {
            answer = ask(token, audiences);
            answers.put(key, answer, keep);
        }
        if (answer.found().isEmpty() && !answer.error().isEmpty()) {
            throw new BadToken(answer.error());
        }
        return answer.found();
    }

    private Answer ask(String token, List<String> audiences) {
        ObjectNode review = JsonNodeFactory.instance
                .objectNode()
                .put("kind", "TokenReview")
                .put("apiVersion", GROUP + "/" + version);
        review.putObject("metadata");
        ObjectNode spec = review.putObject("spec").put("token", token);
        if (!audiences.isEmpty()) {
            var array = spec.putArray("audiences");
            audiences.forEach(array::add);
        }
        review.putObject("status").putObject("user");
        JsonNode status;
        try {
            status = client.await(client.ask(server.target(), server.headers(), review, VERSIONS, TIMEOUT))
                    .path("status");
        } catch (WebhookClient.WebhookFailure e) {
            throw new BadToken(e.getMessage()); // and not remembered
        }
        if (!status.path("authenticated").asBoolean()) {
            return new Answer(Optional.empty(), status.path("error").asText(""));
        }
        List<String> answered = PolicyRule.texts(status.path("audiences"));
        List<String> good = new ArrayList<>();
        if (!audiences.isEmpty()) {
            // A webhook that knows nothing of audiences speaks for this server itself.
            for (String audience : answered.isEmpty() ? implicitAudiences : answered) {
                if (audiences.contains(audience)) {
                    good.add(audience);
                }
            }
            if (good.isEmpty()) {
                return new Answer(Optional.empty(), "");
            }
        }
        return new Answer(Optional.of(new Authenticated(user(status.path("user")), good)), "");
    }

    private static UserInfo user(JsonNode user) {
        Map<String, List<String>> extra = new LinkedHashMap<>();
        user.path("extra")
                .fields()
                .forEachRemaining(entry -> extra.put(entry.getKey(), PolicyRule.texts(entry.getValue())));
        return new UserInfo(
                user.path("username").asText(""),
                user.path("uid").asText(""),
                PolicyRule.texts(user.path("groups")),
                extra);
    }
}
