package io.trimtab.controllers.certificates;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequest;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestCondition;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Periodic;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.informer.Lister;
import io.trimtab.runtime.Driver;
import java.io.ByteArrayInputStream;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes, every hour, the requests that are done with: signed, denied or failed for an hour, with a certificate that has ended,
 * or unanswered for a day. State is touched on its lane only.
 */
public final class CertificateCleaner {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "certificatesigningrequest-cleaner-controller";

    private static final Logger LOG = LoggerFactory.getLogger(CertificateCleaner.class);
    private static final Duration PERIOD = Duration.ofHours(1);
    private static final Duration ANSWERED = Duration.ofHours(1);
    private static final Duration PENDING = Duration.ofHours(24);

    private final Client client;
    private final Driver driver;
    private final Lister<CertificateSigningRequest> requests;

    private CertificateCleaner(Manager manager) {
        this.client = manager.client(CertificateSigner.ACCOUNT);
        this.driver = manager.driver();
        this.requests =
                manager.informers().informer(CertificateSigningRequest.class).lister();
    }

    /** The cleaner, to be added to the manager. */
    public static Manager.Component component(Manager manager) {
        CertificateCleaner cleaner = new CertificateCleaner(manager);
        return Periodic.of(NAME, manager.driver(), PERIOD, cleaner::pass);
    }

    private void pass() {
        Instant now = driver.now();
        for (CertificateSigningRequest request : requests.list()) {
            if (isDone(request, now)) {
                delete(request);
            }
        }
    }

    private void delete(CertificateSigningRequest request) {
        try {
            client.delete(
                    CertificateSigner.REQUESTS, null, request.getMetadata().getName(), new DeleteOptions());
        } catch (ApiException e) {
            LOG.warn(
                    "a request was not cleared away, controller={} name={} reason={}",
                    NAME,
                    request.getMetadata().getName(),
                    e.getMessage());
        }
    }

    /** Whether nobody needs the request any more. Pure. */
    static boolean isDone(CertificateSigningRequest request, Instant now) {
        List<CertificateSigningRequestCondition> conditions =
                request.getStatus() == null ? List.of() : request.getStatus().getConditions();
        if (conditions.isEmpty()) {
            return isOlder(request.getMetadata().getCreationTimestamp(), PENDING, now);
        }
        boolean issued = CertificateSigner.isIssued(request);
        for (CertificateSigningRequestCondition condition : conditions) {
            boolean done =
                    switch (String.valueOf(condition.getType())) {
                        case "Approved" ->
                            issued
                                    && (isOlder(condition.getLastUpdateTime(), ANSWERED, now)
                                            || hasEnded(request.getStatus().getCertificate(), now));
                        case "Denied", "Failed" -> isOlder(condition.getLastUpdateTime(), ANSWERED, now);
                        default -> false;
                    };
            if (done) {
                return true;
            }
        }
        return false;
    }

    private static boolean isOlder(@Nullable String time, Duration age, Instant now) {
        Instant then = time == null || time.isEmpty() ? null : Pods.time(time);
        return then != null && Duration.between(then, now).compareTo(age) > 0;
    }

    private static boolean hasEnded(String certificate, Instant now) {
        try {
            X509Certificate read = (X509Certificate) CertificateFactory.getInstance("X.509")
                    .generateCertificate(
                            new ByteArrayInputStream(Base64.getMimeDecoder().decode(certificate)));
            return read != null && now.isAfter(read.getNotAfter().toInstant());
        } catch (CertificateException e) {
            return false;
        }
    }
}
