package io.trimtab.apiserver.admission.webhook;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.admission.AdmissionPlugin.Attributes;
import org.jspecify.annotations.Nullable;

/** Decides by CEL expressions whether a webhook wants to hear of a write. Safe for use by any thread. */
@FunctionalInterface
public interface MatchConditions {

    /** Every webhook wants to. */
    MatchConditions ALL = (conditions, question) -> true;

    /**
     * What is asked about.
     *
     * @param request the {@code request} of the AdmissionReview, without its objects
     * @param object at the version that the webhook sees; null if there is none
     * @param old likewise
     * @param failsOpen whether the webhook's failure policy is Ignore
     */
    record Question(
            Attributes attributes,
            ObjectNode request,
            @Nullable ObjectNode object,
            @Nullable ObjectNode old,
            boolean failsOpen) {}

    /**
     * Whether all conditions hold.
     *
     * @param conditions the {@code matchConditions} of the webhook, at least one
     * @throws MatchFailure if one cannot be evaluated, none is false, and the webhook does not fail open
     */
    boolean matches(JsonNode conditions, Question question);

    /** The message says which condition failed and why. */
    final class MatchFailure extends RuntimeException {
        private static final long serialVersionUID = 1L;

        public MatchFailure(String message) {
            super(message, null, false, false);
        }
    }
}
