package io.trimtab.controllers.serviceaccounttoken;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.authentication.TokenRequest;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.trimtab.client.Client;
import io.trimtab.client.Deletions;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.informer.Lister;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Fills Secrets of type {@code kubernetes.io/service-account-token} with a token of the account they name, and deletes those whose
 * account is not there. Signs with a key if it has one; else asks the API server for a token that is bound to the Secret.
 */
public final class ServiceAccountTokenController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "serviceaccount-token-controller";

    private static final String TYPE = "kubernetes.io/service-account-token";
    private static final String ACCOUNT_NAME = "kubernetes.io/service-account.name";
    private static final String ACCOUNT_UID = "kubernetes.io/service-account.uid";
    private static final ResourceType<Secret> SECRETS = ResourceType.of(Secret.class);
    private static final ResourceType<ServiceAccount> ACCOUNTS = ResourceType.of(ServiceAccount.class);
    private static final int MAX_RETRIES = 10;
    /** As long as servers give tokens: such a Secret is meant to last. */
    private static final Duration LIFE = Duration.ofDays(365);

    private final Client client;
    private final String rootCertificates;
    private final @Nullable TokenKey key;
    private final Lister<Secret> secrets;

    private ServiceAccountTokenController(Manager manager, String rootCertificates, @Nullable TokenKey key) {
        this.client = manager.client("tokens-controller");
        this.rootCertificates = rootCertificates;
        this.key = key;
        this.secrets = manager.informers().informer(Secret.class).lister();
    }

    /**
     * The controller, to be added to the manager.
     *
     * @param rootCertificates in PEM form; empty for none
     * @param key null to ask the API server for tokens
     */
    public static Controller controller(Manager manager, String rootCertificates, @Nullable TokenKey key) {
        ServiceAccountTokenController controller = new ServiceAccountTokenController(manager, rootCertificates, key);
        return Controller.<Secret>of(NAME, SECRETS, change -> !change.isDeleted() && isToken(change.latest()))
                .watches(ACCOUNTS, WatchScope.ALL, (change, queue) -> {
                    if (!change.isUpdated()) {
                        String account = change.latest().getMetadata().getName();
                        controller.secrets.list(change.latest().getMetadata().getNamespace()).stream()
                                .filter(secret -> isToken(secret) && account.equals(annotation(secret, ACCOUNT_NAME)))
                                .forEach(secret -> queue.add(Request.of(secret)));
                    }
                })
                .workers(5)
                .maxRetries(MAX_RETRIES)
                .reconcile(controller);
    }

    private static boolean isToken(Secret secret) {
        return TYPE.equals(secret.getType());
    }

    private static @Nullable String annotation(Secret secret, String name) {
        Map<String, String> annotations = secret.getMetadata().getAnnotations();
        return annotations == null ? null : annotations.get(name);
    }

    @Override
    public Result reconcile(Request request) {
        Secret secret = secrets.get(request.namespace(), request.name()).orElse(null);
        if (secret == null || !isToken(secret) || secret.getMetadata().getDeletionTimestamp() != null) {
            return Result.done();
        }
        String name = annotation(secret, ACCOUNT_NAME);
        if (name == null || name.isEmpty()) {
            return Result.done();
        }
        // Not from a cache: a Secret is lost for good if we are wrong.
        ServiceAccount account = client.get(ACCOUNTS, request.namespace(), name).orElse(null);
        String uid = annotation(secret, ACCOUNT_UID);
        if (account == null
                || uid != null
                        && !uid.isEmpty()
                        && !uid.equals(account.getMetadata().getUid())) {
            delete(secret);
            return Result.done();
        }
        fill(secret, account);
        return Result.done();
    }

    private void delete(Secret secret) {
        Deletions.exactly(client, SECRETS, secret);
    }

    private void fill(Secret cached, ServiceAccount account) {
        if (isRight(cached, account)) {
            return;
        }
        Secret secret = client.get(
                        SECRETS,
                        cached.getMetadata().getNamespace(),
                        cached.getMetadata().getName())
                .orElse(null);
        if (secret == null
                || !secret.getMetadata().getUid().equals(cached.getMetadata().getUid())
                || isRight(secret, account)) {
            return;
        }
        Map<String, String> data = new HashMap<>(Objects.requireNonNullElse(secret.getData(), Map.of()));
        if (!rootCertificates.isEmpty()) {
            data.put("ca.crt", encode(rootCertificates));
        }
        data.put("namespace", encode(account.getMetadata().getNamespace()));
        if (data.getOrDefault("token", "").isEmpty()) {
            data.put("token", encode(token(account, secret)));
        }
        Map<String, String> annotations =
                new HashMap<>(Objects.requireNonNullElse(secret.getMetadata().getAnnotations(), Map.of()));
        annotations.put(ACCOUNT_NAME, account.getMetadata().getName());
        annotations.put(ACCOUNT_UID, account.getMetadata().getUid());
        client.update(
                SECRETS,
                new SecretBuilder(secret)
                        .editMetadata()
                        .withAnnotations(annotations)
                        .endMetadata()
                        .withData(data)
                        .build());
    }

    private boolean isRight(Secret secret, ServiceAccount account) {
        Map<String, String> data = Objects.requireNonNullElse(secret.getData(), Map.of());
        boolean certificates =
                rootCertificates.isEmpty() || encode(rootCertificates).equals(data.get("ca.crt"));
        return certificates
                && encode(account.getMetadata().getNamespace()).equals(data.get("namespace"))
                && !data.getOrDefault("token", "").isEmpty()
                && account.getMetadata().getUid().equals(annotation(secret, ACCOUNT_UID));
    }

    private String token(ServiceAccount account, Secret secret) {
        if (key != null) {
            return key.sign(account, secret);
        }
        TokenRequest request = new TokenRequestBuilder()
                .withNewSpec()
                .withExpirationSeconds(LIFE.toSeconds())
                .withNewBoundObjectRef()
                .withApiVersion("v1")
                .withKind("Secret")
                .withName(secret.getMetadata().getName())
                .withUid(secret.getMetadata().getUid())
                .endBoundObjectRef()
                .endSpec()
                .build();
        TokenRequest answer = client.createSubresource(
                ACCOUNTS,
                account.getMetadata().getNamespace(),
                account.getMetadata().getName(),
                "token",
                request,
                TokenRequest.class);
        return answer.getStatus().getToken();
    }

    private static String encode(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
