package io.trimtab.controllers.certificates;

import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequest;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestBuilder;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestConditionBuilder;
import io.trimtab.client.Client;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.informer.Lister;
import io.trimtab.runtime.Driver;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Signs the approved requests to Kubernetes' own signers, where they ask for what the signer gives; else marks them failed. */
public final class CertificateSigner implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "certificatesigningrequest-signing-controller";

    /** As whom the controllers of this package act. */
    static final String ACCOUNT = "certificate-controller";

    static final ResourceType<CertificateSigningRequest> REQUESTS = ResourceType.of(CertificateSigningRequest.class);
    static final Duration RETRY_BASE = Duration.ofMillis(200);
    static final Duration RETRY_MAX = Duration.ofSeconds(1000);
    private static final Duration SHORTEST = Duration.ofMinutes(10);

    private final Client client;
    private final Driver driver;
    private final Lister<CertificateSigningRequest> requests;
    private final Signers signers;

    private CertificateSigner(Manager manager, Signers signers) {
        this.client = manager.client(ACCOUNT);
        this.driver = manager.driver();
        this.requests =
                manager.informers().informer(CertificateSigningRequest.class).lister();
        this.signers = signers;
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager, Signers signers) {
        return Controller.<CertificateSigningRequest>of(NAME, REQUESTS, change -> !change.isDeleted())
                .workers(5)
                .retry(RETRY_BASE, RETRY_MAX)
                .reconcile(new CertificateSigner(manager, signers));
    }

    @Override
    public Result reconcile(Request key) {
        CertificateSigningRequest request = requests.get(null, key.name()).orElse(null);
        if (request == null
                || isIssued(request)
                || !has(request, "Approved")
                || has(request, "Denied")
                || has(request, "Failed")) {
            return Result.done();
        }
        String signer = request.getSpec().getSignerName();
        SigningAuthority authority = signers.authorities().get(signer);
        if (authority == null) {
            return Result.done();
        }
        CertificateRequest asked = CertificateRequest.parse(request.getSpec().getRequest());
        List<String> usages = request.getSpec().getUsages();
        String problem =
                switch (signer) {
                    case Signers.API_CLIENT -> CertificateRequest.problemAsClient(usages);
                    case Signers.NODE_CLIENT -> asked.problemAsNodeClient(usages);
                    case Signers.NODE_SERVING -> asked.problemAsNodeServer(usages);
                    default -> "";
                };
        Instant now = driver.now();
        if (problem.isEmpty()) {
            String certificate = CertificateIssuer.issue(
                    authority.current(), asked, usages, life(request.getSpec().getExpirationSeconds()), now);
            client.updateStatus(
                    REQUESTS,
                    new CertificateSigningRequestBuilder(request)
                            .editOrNewStatus()
                            .withCertificate(
                                    Base64.getEncoder().encodeToString(certificate.getBytes(StandardCharsets.US_ASCII)))
                            .endStatus()
                            .build());
        } else {
            client.updateStatus(
                    REQUESTS,
                    new CertificateSigningRequestBuilder(request)
                            .editOrNewStatus()
                            .addToConditions(new CertificateSigningRequestConditionBuilder()
                                    .withType("Failed")
                                    .withStatus("True")
                                    .withReason("SignerValidationFailure")
                                    .withMessage(problem)
                                    .withLastUpdateTime(
                                            now.truncatedTo(ChronoUnit.SECONDS).toString())
                                    .build())
                            .endStatus()
                            .build());
        }
        return Result.done();
    }

    private Duration life(@Nullable Integer seconds) {
        if (seconds == null) {
            return signers.longest();
        }
        Duration asked = Duration.ofSeconds(seconds);
        if (asked.compareTo(signers.longest()) > 0) {
            return signers.longest();
        }
        return asked.compareTo(SHORTEST) < 0 ? SHORTEST : asked;
    }

    static boolean isIssued(CertificateSigningRequest request) {
        return request.getStatus() != null
                && request.getStatus().getCertificate() != null
                && !request.getStatus().getCertificate().isEmpty();
    }

    /** Whether there is a condition of this type; those of requests are true or absent. */
    static boolean has(CertificateSigningRequest request, String type) {
        return request.getStatus() != null
                && request.getStatus().getConditions().stream().anyMatch(c -> type.equals(c.getType()));
    }
}
