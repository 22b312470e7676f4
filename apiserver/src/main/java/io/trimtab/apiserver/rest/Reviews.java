package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.AccessReviews;
import io.trimtab.apiserver.auth.BearerTokens;
import io.trimtab.apiserver.auth.RuleResolver;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.schema.Canonical;
import java.util.List;

/** Questions about tokens and permissions: answered, not stored. Stateless. */
final class Reviews {
    private Reviews() {}

    static ApiResponse create(Call call) {
        Representation form = Representation.negotiate(call, Representation.Endpoint.VIRTUAL);
        WriteOptions options = WriteOptions.create(call.request);
        ObjectNode review = BodyReader.read(call, options.validation());
        Writes.fitNamespace(call, review);
        FieldManagement.recordUpdate(call, Json.object(), review, options.managerOr(call.request), "");
        Admission.create(call, "", Metadata.name(review), review, options, () -> {});
        AccessReviews reviews = reviews(call.env);
        ObjectNode managed = Metadata.of(review);
        // A review whose metadata is refused is shown as it is; all others are asked without their books.
        boolean bare = managed.size() <= (managed.has("namespace") ? 2 : 1);
        var fields = bare ? managed.remove("managedFields") : null;
        ObjectNode answer =
                switch (call.resource().plural()) {
                    case "selfsubjectreviews" -> reviews.selfSubjectReview(call.user);
                    case "tokenreviews" -> reviews.tokenReview(review);
                    case "selfsubjectrulesreviews" -> reviews.selfSubjectRulesReview(review, call.user);
                    case "selfsubjectaccessreviews" -> reviews.selfSubjectAccessReview(review, call.user);
                    case "subjectaccessreviews" -> reviews.subjectAccessReview(review);
                    case "localsubjectaccessreviews" -> reviews.localSubjectAccessReview(review, call.info.namespace());
                    default -> throw Statuses.noSuchResource();
                };
        boolean echoes = !call.resource().plural().equals("selfsubjectreviews")
                && !call.resource().plural().equals("selfsubjectrulesreviews");
        if (fields != null && echoes) {
            Metadata.of(answer).set("managedFields", fields);
        }
        ObjectNode canonical = Canonical.of(answer, call.served.schema());
        Metadata.dropEmpty(canonical);
        return ResponseWriter.tree(form, 201, canonical);
    }

    private static AccessReviews reviews(Environment env) {
        RuleResolver rules = env.authorizer() instanceof RuleResolver resolver
                ? resolver
                : (user, namespace) -> new RuleResolver.Rules(List.of(), List.of(), true, "");
        BearerTokens tokens = env.tokens();
        return new AccessReviews(
                env.authorizer(),
                rules,
                tokens == null ? new BearerTokens(List.of(), List.of()) : tokens,
                env.driver());
    }
}
