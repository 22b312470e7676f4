package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.errors.FieldErrors;

/** Lets certificates be put into requests only by who may sign for their signer. */
final class CertificateSigning implements AdmissionPlugin {
    private final Authorizer authorizer;

    CertificateSigning(Authorizer authorizer) {
        this.authorizer = authorizer;
    }

    @Override
    public String name() {
        return "CertificateSigning";
    }

    @Override
    public void validate(Attributes attributes) {
        ObjectNode old = attributes.old();
        ObjectNode object = attributes.object();
        if (old == null
                || object == null
                || attributes.operation() != Operation.UPDATE
                || !attributes.subresource().equals("status")
                || !attributes.resource().qualifiedName().equals("certificatesigningrequests.certificates.k8s.io")) {
            return;
        }
        JsonNode before = old.path("status");
        JsonNode after = object.path("status");
        if (before.path("certificate").equals(after.path("certificate"))
                && before.path("conditions").equals(after.path("conditions"))) {
            return;
        }
        String signer = PodTrees.text(old.path("spec"), "signerName");
        if (!SignerPermissions.isAllowed(authorizer, attributes.user(), "sign", signer)) {
            throw Refusals.forbidden(
                    attributes, "user not permitted to sign requests with signerName " + FieldErrors.quote(signer));
        }
    }
}
