package io.trimtab.apiserver.auth;

import static io.trimtab.apiserver.auth.SecurityFixture.yaml;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.CoreResources;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AccessReviewsTest {
    private final SecurityFixture cluster = new SecurityFixture();
    private final AuthorizerChain chain = new AuthorizerChain(List.of(new RbacAuthorizer(cluster.storage)));
    private final AccessReviews reviews = new AccessReviews(
            chain,
            chain,
            new BearerTokens(List.of(StaticTokens.parse("t", "abc,jane,1,devs", List.of("api"))), List.of("api")),
            cluster.driver);

    @AfterEach
    void close() {
        cluster.close();
    }

    @Test
    void givenAnEmptyReview_whenAsked_thenAllThatIsMissingIsSaid() {
        assertThatThrownBy(() -> reviews.subjectAccessReview(yaml("metadata: {name: x}\nspec: {}")))
                .hasMessage(
                        ".authorization.k8s.io \"\" is invalid: [spec.resourceAttributes: Invalid value: null: exactly"
                                + " one of nonResourceAttributes or resourceAttributes must be specified, spec.user: Invalid value:"
                                + " \"\": at least one of user or group must be specified, metadata: Invalid value:"
                                + " {\"name\":\"x\"}: must be empty]");
        assertThatThrownBy(() -> reviews.selfSubjectAccessReview(
                        yaml("spec: {resourceAttributes: {verb: get}, nonResourceAttributes: {path: /a, verb: get}}"),
                        UserInfo.ANONYMOUS))
                .hasMessage(".authorization.k8s.io \"\" is invalid: spec.nonResourceAttributes: Invalid value:"
                        + " {\"Path\":\"/a\",\"Verb\":\"get\"}: cannot be specified in combination with"
                        + " resourceAttributes");
    }

    @Test
    void givenALocalReview_whenTheNamespaceDiffers_thenRefused() {
        assertThatThrownBy(() -> reviews.localSubjectAccessReview(
                        yaml("metadata: {namespace: a}\nspec: {user: bob, resourceAttributes: {namespace: b}}"), "a"))
                .hasMessageContaining(
                        "spec.resourceAttributes.namespace: Invalid value: \"b\": must match" + " metadata.namespace");
        assertThatThrownBy(() -> reviews.localSubjectAccessReview(
                        yaml("metadata: {namespace: a}\nspec: {user: bob, resourceAttributes: {namespace: a}}"), "c"))
                .hasMessage("spec.resourceAttributes.namespace must match namespace: c");
    }

    @Test
    void givenARole_whenAsked_thenTheAnswerSaysWhy() {
        cluster.put(
                CoreResources.ROLES,
                "metadata: {name: r, namespace: ns}\nrules: [{apiGroups: [''], resources: [pods], verbs: [get]}]");
        cluster.put(
                CoreResources.ROLE_BINDINGS,
                "metadata: {name: b, namespace: ns}\nroleRef: {kind: Role, name: r}\nsubjects: [{kind: Group, name: devs}]");
        String review =
                "spec: {user: bob, groups: [devs], resourceAttributes: {verb: get, resource: pods, namespace: %s}}";

        ObjectNode yes = reviews.subjectAccessReview(yaml(review.formatted("ns")));
        ObjectNode no = reviews.subjectAccessReview(yaml(review.formatted("other")));
        ObjectNode rules = reviews.selfSubjectRulesReview(yaml("spec: {namespace: ns}"), UserInfo.of("x", "devs"));

        assertThat(yes.path("status").toString())
                .isEqualTo(
                        "{\"allowed\":true,\"reason\":\"RBAC: allowed by RoleBinding \\\"b/ns\\\" of Role \\\"r\\\" to"
                                + " Group \\\"devs\\\"\"}");
        assertThat(no.path("status").toString()).isEqualTo("{\"allowed\":false}");
        assertThat(rules.path("status").toString())
                .isEqualTo("{\"resourceRules\":[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}],"
                        + "\"nonResourceRules\":[],\"incomplete\":false}");
        assertThatThrownBy(() -> reviews.selfSubjectRulesReview(yaml("spec: {}"), UserInfo.ANONYMOUS))
                .hasMessage("no namespace on request");
    }

    @Test
    void givenTokens_whenReviewed_thenTheUserOrWhyNot() {
        assertThat(reviews.tokenReview(yaml("spec: {token: abc}"))
                        .path("status")
                        .toString())
                .isEqualTo("{\"authenticated\":true,\"user\":{\"username\":\"jane\",\"uid\":\"1\",\"groups\":[\"devs\","
                        + "\"system:authenticated\"]},\"audiences\":[\"api\"]}");
        assertThat(reviews.tokenReview(yaml("spec: {token: no}")).path("status").toString())
                .isEqualTo("{\"user\":{},\"error\":\"invalid bearer token\"}");
        assertThat(reviews.tokenReview(yaml("spec: {token: abc, audiences: [other]}"))
                        .path("status")
                        .path("authenticated")
                        .asBoolean())
                .isFalse();
        assertThatThrownBy(() -> reviews.tokenReview(yaml("spec: {}")))
                .hasMessage("token is required for TokenReview in authentication");
        assertThat(reviews.selfSubjectReview(UserInfo.of("jane", "devs"))
                        .at("/status/userInfo")
                        .toString())
                .isEqualTo("{\"username\":\"jane\",\"groups\":[\"devs\"]}");
    }
}
