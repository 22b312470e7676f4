package io.trimtab.apiserver.bootstrap;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.runtime.Driver;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/**
 * Says that this server is alive: a Lease in {@code kube-system}, named after a hash of the host's name, renewed until closed.
 * Safe for use by any thread.
 */
public final class ServerLease implements AutoCloseable {
    private static final int DURATION_SECONDS = 3600;
    // A third of the lease. Kubernetes writes every ten seconds; nobody reads it that often, and an idle cluster should
    // be
    // idle.
    private static final Duration RENEW_EVERY = Duration.ofSeconds(DURATION_SECONDS / 3);
    private static final DateTimeFormatter MICROS =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

    private final Storage storage;
    private final Driver driver;
    private final String hostname;
    private final String name;
    private final String holder;
    private final Keeper keeper;

    private ServerLease(Storage storage, Driver driver, String hostname) {
        this.storage = storage;
        this.driver = driver;
        this.hostname = hostname;
        this.name = "apiserver-" + hash(hostname);
        this.holder = name + "_" + Bootstrap.uuid(driver);
        this.keeper = Keeper.now(driver, RENEW_EVERY, "server lease " + name + " not renewed", this::renew);
    }

    /** Writes the lease, and goes on doing so. */
    public static ServerLease start(Storage storage, Driver driver, String hostname) {
        return new ServerLease(storage, driver, hostname);
    }

    /** The Lease's name, which is the identity of this server. */
    public String name() {
        return name;
    }

    @Override
    public void close() {
        keeper.close();
    }

    private void renew() {
        if (storage.get(CoreResources.LEASES, "kube-system", name).isEmpty()) {
            storage.create(CoreResources.LEASES, fresh());
        } else {
            storage.update(CoreResources.LEASES, "kube-system", name, this::renewed);
        }
    }

    private ObjectNode renewed(ObjectNode lease) {
        lease.withObjectProperty("spec")
                .put("holderIdentity", holder)
                .put("leaseDurationSeconds", DURATION_SECONDS)
                .put("renewTime", MICROS.format(driver.now()));
        return lease;
    }

    private ObjectNode fresh() {
        Instant now = driver.now();
        ObjectNode lease = JsonNodeFactory.instance.objectNode();
        lease.put("apiVersion", "coordination.k8s.io/v1").put("kind", "Lease");
        ObjectNode metadata = lease.putObject("metadata");
        metadata.put("name", name)
                .put("namespace", "kube-system")
                .put("uid", Bootstrap.uuid(driver))
                .put("creationTimestamp", Bootstrap.time(now));
        metadata.putObject("labels")
                .put("apiserver.kubernetes.io/identity", "kube-apiserver")
                .put("kubernetes.io/hostname", hostname);
        return renewed(lease);
    }

    private static String hash(String hostname) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(hostname.getBytes(StandardCharsets.UTF_8));
            // 16 bytes in base 32 without padding, as Kubernetes names its servers.
            java.math.BigInteger number = new java.math.BigInteger(1, java.util.Arrays.copyOf(digest, 16)).shiftLeft(2);
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 26; i++) {
                text.append("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
                        .charAt(number.shiftRight(5 * (25 - i)).intValue() & 31));
            }
            return text.toString().toLowerCase(Locale.ROOT);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this JVM has no SHA-256", e);
        }
    }
}
