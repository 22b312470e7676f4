package io.trimtab.controllers.legacytokens;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Periodic;
import io.trimtab.informer.Lister;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks, once a day, for tokens of Secrets that an older Kubernetes made for every ServiceAccount and nobody has used for a year: first
 * marks them, so that the API server refuses them; deletes them when nobody has taken the mark off for another year. Tokens that
 * somebody asked for, or that a pod mounts, stay.
 */
public final class LegacyTokenCleaner {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "legacy-serviceaccount-token-cleaner-controller";

    /** For how long a token must not have been used, unless somebody says. */
    public static final Duration UNUSED = Duration.ofHours(8760);

    static final String LAST_USED = "kubernetes.io/legacy-token-last-used";
    static final String INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since";
    private static final String TRACKING = "kube-apiserver-legacy-service-account-token-tracking";
    private static final String TYPE = "kubernetes.io/service-account-token";
    private static final Duration PERIOD = Duration.ofHours(24);
    private static final Logger LOG = LoggerFactory.getLogger(LegacyTokenCleaner.class);
    private static final ResourceType<Secret> SECRETS = ResourceType.of(Secret.class);
    private static final ResourceType<ConfigMap> CONFIG_MAPS = ResourceType.of(ConfigMap.class);

    private final Client client;
    private final Driver driver;
    private final Duration unused;
    private final Lister<ServiceAccount> accounts;
    private final Lister<Secret> secrets;
    private final Lister<Pod> pods;

    private LegacyTokenCleaner(Manager manager, Duration unused) {
        this.client = manager.client("legacy-service-account-token-cleaner");
        this.driver = manager.driver();
        this.unused = unused;
        this.accounts = manager.informers().informer(ServiceAccount.class).lister();
        this.secrets = manager.informers().informer(Secret.class).lister();
        this.pods = manager.informers().informer(Pod.class).lister();
    }

    /**
     * The cleaner, to be added to the manager.
     *
     * @param unused for how long a token must not have been used
     */
    public static Manager.Component component(Manager manager, Duration unused) {
        if (unused.isNegative() || unused.isZero()) {
            throw new IllegalArgumentException("invalid CleanUpPeriod: " + unused);
        }
        LegacyTokenCleaner cleaner = new LegacyTokenCleaner(manager, unused);
        return Periodic.of(NAME, manager.driver(), PERIOD, cleaner::pass);
    }

    private void pass() {
        Instant now = driver.now();
        Instant trackedSince = trackedSince();
        if (trackedSince == null || now.isBefore(trackedSince.plus(unused))) {
            return; // not noted for long enough: what seems unused may have been used before
        }
        Map<String, Set<String>> mounted = new HashMap<>();
        for (Secret secret : secrets.list()) {
            try {
                look(secret, now, mounted);
            } catch (ApiException e) {
                LOG.warn(
                        "a token was not cleared away, controller={} namespace={} name={} reason={}",
                        NAME,
                        secret.getMetadata().getNamespace(),
                        secret.getMetadata().getName(),
                        e.getMessage());
            }
        }
    }

    /** From when on every use has been noted for sure; null if that is not known. */
    private @Nullable Instant trackedSince() {
        try {
            ConfigMap map = client.get(CONFIG_MAPS, "kube-system", TRACKING).orElse(null);
            LocalDate since = map == null || map.getData() == null
                    ? null
                    : date(map.getData().get("since"));
            return since == null
                    ? null
                    : since.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
        } catch (ApiException e) {
            LOG.warn("the start of tracking is not known, controller={} reason={}", NAME, e.getMessage());
            return null;
        }
    }

    private void look(Secret secret, Instant now, Map<String, Set<String>> mounted) {
        Instant before = now.minus(unused);
        LocalDate limit = LocalDate.ofInstant(before, ZoneOffset.UTC);
        if (!TYPE.equals(secret.getType())
                || !Instant.parse(secret.getMetadata().getCreationTimestamp()).isBefore(before)
                || secret.getMetadata().getDeletionTimestamp() != null) {
            return;
        }
        String lastUsed = label(secret, LAST_USED);
        if (lastUsed != null) {
            LocalDate day = date(lastUsed);
            if (day == null || !day.isBefore(limit)) {
                return;
            }
        }
        if (!isMadeForAccount(secret)) {
            return;
        }
        String namespace = secret.getMetadata().getNamespace();
        if (mounted.computeIfAbsent(namespace, this::mounted)
                .contains(secret.getMetadata().getName())) {
            return;
        }
        LocalDate invalid = date(label(secret, INVALID_SINCE));
        if (invalid == null) {
            mark(secret, LocalDate.ofInstant(now, ZoneOffset.UTC));
        } else if (invalid.isBefore(limit)) {
            delete(secret);
        }
    }

    /** Whether the account lists it: then it was made for the account, and not because somebody asked. */
    private boolean isMadeForAccount(Secret secret) {
        Map<String, String> annotations = secret.getMetadata().getAnnotations();
        String name = annotations == null ? null : annotations.get("kubernetes.io/service-account.name");
        String uid = annotations == null ? null : annotations.get("kubernetes.io/service-account.uid");
        if (name == null || name.isEmpty()) {
            return false;
        }
        ServiceAccount account =
                accounts.get(secret.getMetadata().getNamespace(), name).orElse(null);
        return account != null
                && (uid == null
                        || uid.isEmpty()
                        || uid.equals(account.getMetadata().getUid()))
                && account.getSecrets().stream()
                        .map(ObjectReference::getName)
                        .anyMatch(secret.getMetadata().getName()::equals);
    }

    private Set<String> mounted(String namespace) {
        Set<String> names = new TreeSet<>();
        pods.list(namespace).forEach(pod -> names.addAll(MountedSecrets.of(pod)));
        return names;
    }

    private void mark(Secret secret, LocalDate today) {
        LOG.info(
                "marking an unused token as invalid, controller={} namespace={} name={}",
                NAME,
                secret.getMetadata().getNamespace(),
                secret.getMetadata().getName());
        client.patchOnly(
                SECRETS,
                secret.getMetadata().getNamespace(),
                secret.getMetadata().getName(),
                Patch.merge("{\"metadata\":{\"uid\":\"" + secret.getMetadata().getUid() + "\",\"labels\":{\""
                        + INVALID_SINCE + "\":\"" + today + "\"}}}"));
    }

    private void delete(Secret secret) {
        try {
            client.delete(
                    SECRETS,
                    secret.getMetadata().getNamespace(),
                    secret.getMetadata().getName(),
                    new DeleteOptionsBuilder()
                            .withNewPreconditions()
                            .withResourceVersion(secret.getMetadata().getResourceVersion())
                            .endPreconditions()
                            .build());
        } catch (ApiException e) {
            if (!e.isNotFound() && !e.isConflict()) {
                throw e;
            }
        }
    }

    private static @Nullable String label(Secret secret, String name) {
        Map<String, String> labels = secret.getMetadata().getLabels();
        return labels == null ? null : labels.get(name);
    }

    private static @Nullable LocalDate date(@Nullable String text) {
        try {
            return text == null ? null : LocalDate.parse(text);
        } catch (DateTimeParseException e) {
            return null;
        }
    }
}
