package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.UserInfo;
import java.util.Base64;
import java.util.List;

/** Refuses requests for client certificates that would make their holder a master of the cluster. */
final class CertificateSubjectRestriction implements AdmissionPlugin {
    private static final String SIGNER = "kubernetes.io/kube-apiserver-client";

    @Override
    public String name() {
        return "CertificateSubjectRestriction";
    }

    @Override
    public void validate(Attributes attributes) {
        ObjectNode object = attributes.object();
        if (object == null
                || attributes.operation() != Operation.CREATE
                || !attributes.isFor("certificates.k8s.io", "certificatesigningrequests")
                || !PodTrees.text(object.path("spec"), "signerName").equals(SIGNER)) {
            return;
        }
        List<String> organizations;
        try {
            organizations = io.trimtab.apiserver.certificates.Pem.requestOrganizations(new String(
                    Base64.getDecoder().decode(PodTrees.text(object.path("spec"), "request")),
                    java.nio.charset.StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
            throw Refusals.forbidden(attributes, "failed to parse CSR: " + e.getMessage());
        }
        if (organizations.contains(UserInfo.MASTERS_GROUP)) {
            throw Refusals.forbidden(
                    attributes, "use of " + SIGNER + " signer with system:masters group is not allowed");
        }
    }
}
