package io.trimtab.controllers.bootstraptoken;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.trimtab.client.ApiException;
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
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.Base64;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Signs the kubeconfig in the ConfigMap {@code kube-public/cluster-info} with each bootstrap token, as detached JWS: who has a token
 * knows then that the kubeconfig is the cluster's, before it trusts anybody.
 */
public final class BootstrapSigner implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "bootstrap-signer-controller";

    private static final String NAMESPACE = "kube-public";
    private static final String CONFIG_MAP = "cluster-info";
    private static final String CONTENT = "kubeconfig";
    private static final String PREFIX = "jws-kubeconfig-";
    private static final ResourceType<ConfigMap> CONFIG_MAPS = ResourceType.of(ConfigMap.class);
    private static final Request KEY = new Request(NAMESPACE, CONFIG_MAP);

    private final Client client;
    private final Driver driver;
    private final Lister<ConfigMap> configMaps;
    private final Lister<Secret> secrets;

    private BootstrapSigner(Manager manager) {
        this.client = manager.client("bootstrap-signer");
        this.driver = manager.driver();
        this.configMaps = manager.informers().informer(ConfigMap.class).lister();
        this.secrets = manager.informers().informer(Secret.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        return Controller.named(NAME)
                .watches(ConfigMap.class, (change, queue) -> {
                    if (!change.isDeleted()
                            && CONFIG_MAP.equals(change.latest().getMetadata().getName())
                            && NAMESPACE.equals(change.latest().getMetadata().getNamespace())) {
                        queue.add(KEY);
                    }
                })
                .watches(Secret.class, (change, queue) -> {
                    if (BootstrapToken.isOne(change.latest())) {
                        queue.add(KEY);
                    }
                })
                .reconcile(new BootstrapSigner(manager));
    }

    @Override
    public Result reconcile(Request request) {
        ConfigMap info = configMaps.get(NAMESPACE, CONFIG_MAP).orElse(null);
        Map<String, String> data = info == null ? null : info.getData();
        String content = data == null ? null : data.get(CONTENT);
        if (info == null || data == null || content == null) {
            return Result.done();
        }
        Map<String, String> wanted = new TreeMap<>(data);
        wanted.keySet().removeIf(key -> key.startsWith(PREFIX));
        Instant now = driver.now();
        secrets.list(BootstrapToken.NAMESPACE).stream()
                .filter(BootstrapToken::isOne)
                .sorted(Comparator.comparing(secret -> secret.getMetadata().getName()))
                .forEach(secret -> BootstrapToken.forSigning(secret, now)
                        .ifPresent(token -> wanted.put(PREFIX + token.id(), sign(content, token))));
        if (!wanted.equals(data)) {
            try {
                client.update(
                        CONFIG_MAPS, new ConfigMapBuilder(info).withData(wanted).build());
            } catch (ApiException e) {
                if (!e.isConflict() && !e.isNotFound()) {
                    throw e;
                }
                // Somebody changed it meanwhile: that wakes us again.
            }
        }
        return Result.done();
    }

    /** Header and signature of a JWS, without the content. Pure. */
    static String sign(String content, BootstrapToken token) {
        String header = encode(("{\"alg\":\"HS256\",\"kid\":\"" + token.id() + "\"}").getBytes(StandardCharsets.UTF_8));
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(token.secret().getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            String signed = header + "." + encode(content.getBytes(StandardCharsets.UTF_8));
            return header + ".." + encode(mac.doFinal(signed.getBytes(StandardCharsets.US_ASCII)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JVM has no HMAC", e);
        }
    }

    private static String encode(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
