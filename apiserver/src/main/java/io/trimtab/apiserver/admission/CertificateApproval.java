package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.errors.FieldErrors;

/** Lets certificate requests be approved only by who may do so for their signer. */
final class CertificateApproval implements AdmissionPlugin {
    private final Authorizer authorizer;

    CertificateApproval(Authorizer authorizer) {
        this.authorizer = authorizer;
    }

    @Override
    public String name() {
        return "CertificateApproval";
    }

    @Override
    public void validate(Attributes attributes) {
        ObjectNode old = attributes.old();
        if (old == null
                || attributes.operation() != Operation.UPDATE
                || !attributes.subresource().equals("approval")
                || !attributes.resource().qualifiedName().equals("certificatesigningrequests.certificates.k8s.io")) {
            return;
        }
        // Of the old state: nobody gets around this by changing the signer in the same write.
        String signer = PodTrees.text(old.path("spec"), "signerName");
        if (!SignerPermissions.isAllowed(authorizer, attributes.user(), "approve", signer)) {
            throw Refusals.forbidden(
                    attributes, "user not permitted to approve requests with signerName " + FieldErrors.quote(signer));
        }
    }
}
