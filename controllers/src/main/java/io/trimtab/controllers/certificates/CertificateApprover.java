package io.trimtab.controllers.certificates;

import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReview;
import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReviewBuilder;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequest;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestBuilder;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestConditionBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.trimtab.client.Client;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.informer.Lister;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * Approves the requests of nodes for client certificates: a node's own where it may have its own renewed, others where whoever asks
 * may ask for nodes. The API server is asked who may.
 */
public final class CertificateApprover implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "certificatesigningrequest-approving-controller";

    private final Client client;
    private final Lister<CertificateSigningRequest> requests;

    private CertificateApprover(Manager manager) {
        this.client = manager.client(CertificateSigner.ACCOUNT);
        this.requests =
                manager.informers().informer(CertificateSigningRequest.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        return Controller.<CertificateSigningRequest>of(NAME, CertificateSigner.REQUESTS, change -> !change.isDeleted())
                .workers(5)
                .retry(CertificateSigner.RETRY_BASE, CertificateSigner.RETRY_MAX)
                .reconcile(new CertificateApprover(manager));
    }

    @Override
    public Result reconcile(Request key) {
        CertificateSigningRequest request = requests.get(null, key.name()).orElse(null);
        if (request == null
                || CertificateSigner.isIssued(request)
                || CertificateSigner.has(request, "Approved")
                || CertificateSigner.has(request, "Denied")
                || !Signers.NODE_CLIENT.equals(request.getSpec().getSignerName())) {
            return Result.done();
        }
        CertificateRequest asked = CertificateRequest.parse(request.getSpec().getRequest());
        if (!asked.problemAsNodeClient(request.getSpec().getUsages()).isEmpty()) {
            return Result.done();
        }
        boolean own = asked.commonName().equals(request.getSpec().getUsername());
        if (own && mayCreate(request, "selfnodeclient")) {
            approve(request, "Auto approving self kubelet client certificate after SubjectAccessReview.");
        } else if (mayCreate(request, "nodeclient")) {
            approve(request, "Auto approving kubelet client certificate after SubjectAccessReview.");
        } else {
            // Whoever asks may be given the right later; nothing tells us when.
            return Result.again();
        }
        return Result.done();
    }

    private boolean mayCreate(CertificateSigningRequest request, String subresource) {
        SubjectAccessReview review = new SubjectAccessReviewBuilder()
                .withNewSpec()
                .withUser(request.getSpec().getUsername())
                .withUid(request.getSpec().getUid())
                .withGroups(request.getSpec().getGroups())
                .withExtra(request.getSpec().getExtra())
                .withNewResourceAttributes()
                .withGroup("certificates.k8s.io")
                .withResource("certificatesigningrequests")
                .withVerb("create")
                .withSubresource(subresource)
                .withVersion("*")
                .endResourceAttributes()
                .endSpec()
                .build();
        byte[] answer = client.raw(
                "POST",
                "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                Serialization.asJson(review).getBytes(StandardCharsets.UTF_8));
        SubjectAccessReview answered =
                Serialization.unmarshal(new String(answer, StandardCharsets.UTF_8), SubjectAccessReview.class);
        return answered.getStatus() != null
                && Objects.requireNonNullElse(answered.getStatus().getAllowed(), false);
    }

    private void approve(CertificateSigningRequest request, String message) {
        client.updateSubresource(
                CertificateSigner.REQUESTS,
                null,
                request.getMetadata().getName(),
                "approval",
                new CertificateSigningRequestBuilder(request)
                        .editOrNewStatus()
                        .addToConditions(new CertificateSigningRequestConditionBuilder()
                                .withType("Approved")
                                .withStatus("True")
                                .withReason("AutoApproved")
                                .withMessage(message)
                                .build())
                        .endStatus()
                        .build(),
                CertificateSigningRequest.class);
    }
}
