package io.trimtab.apiserver.patch;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import java.util.List;
import java.util.function.Supplier;

/**
 * The outcome of a patch, not yet checked against the type: it goes through {@link
 * io.trimtab.apiserver.schema.Decoder#convert} next.
 *
 * @param object not to be changed: it may share what was not patched with the document
 * @param strictErrors what field validation says about the text of the patch
 * @param shown how refusals show what was patched: the patched document, or the patch; costly
 */
public record Patched(ObjectNode object, List<String> strictErrors, Supplier<String> shown) {

    /**
     * The refusal when the outcome does not fit the type, or when field validation is strict and found something: 422, about the
     * field {@code patch} of nothing.
     */
    public StatusException refusal(String why) {
        FieldErrors errors = new FieldErrors();
        errors.invalid("patch", shown.get(), why);
        return Statuses.invalid("", "", "", errors);
    }

    /** The refusal of strict field validation. */
    public StatusException strictRefusal(List<String> allStrictErrors) {
        return refusal("strict decoding error: " + String.join(", ", allStrictErrors));
    }

    /** A patch that does not apply: 422 without a word of why, as Kubernetes has it. */
    static StatusException doesNotApply() {
        return Statuses.of(
                422,
                "Invalid",
                "the server rejected our request due to an error in our request",
                Statuses.details("", "", ""));
    }
}
