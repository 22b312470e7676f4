package io.trimtab.webhook;

import io.trimtab.webhook.Certificates.Pair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What all replicas of a program serve their webhooks with, as it lies in their Secret: an authority, the certificate it signed,
 * and, while one authority follows another, the next one. Immutable.
 *
 * <p>Nothing is ever served that the API server does not trust yet: a new authority is first published beside the old one, for
 * {@link Lives#handOver}, and signs only then; the old one stays published until it ends.
 *
 * @param trusted every authority that may have signed what some replica serves; the signing one first
 * @param next follows the signing authority once it has been published long enough
 */
record ServingKeys(
        Pair authority,
        Pair server,
        List<X509Certificate> trusted,
        @Nullable Pair next) {

    static final String CA_CERTIFICATE = "ca.crt";
    static final String CA_KEY = "ca.key";
    static final String CERTIFICATE = "tls.crt";
    static final String KEY = "tls.key";
    private static final String NEXT_CERTIFICATE = "next-ca.crt";
    private static final String NEXT_KEY = "next-ca.key";

    /**
     * How long things last. Each is replaced when two thirds of its life are over.
     *
     * @param handOver how long a new authority is published before it signs
     */
    record Lives(Duration authority, Duration server, Duration handOver) {
        /** Ten years and ninety days, as most certificate managers have it; an hour for all API servers to notice. */
        static final Lives DEFAULT = new Lives(Duration.ofDays(3650), Duration.ofDays(90), Duration.ofHours(1));
    }

    ServingKeys {
        trusted = List.copyOf(trusted);
    }

    /** What the API server is to trust, in PEM. */
    String bundle() {
        StringBuilder pem = new StringBuilder();
        trusted.forEach(certificate -> pem.append(Certificates.pem(certificate)));
        return pem.toString();
    }

    /** New ones. */
    static ServingKeys create(String commonName, Collection<String> names, Instant now, Lives lives) {
        Pair authority = Certificates.authority(commonName, now, lives.authority());
        Pair server = Certificates.server(authority, names, now, lives.server());
        return new ServingKeys(authority, server, List.of(authority.certificate()), null);
    }

    /** What these should be now: themselves if nothing is due. Pure, but for the keys it makes. */
    ServingKeys due(String commonName, Collection<String> names, Instant now, Lives lives) {
        if (isOver(authority.certificate(), now)) {
            return create(commonName, names, now, lives); // nobody was there to hand over
        }
        ServingKeys keys = this;
        Pair following = next;
        if (following != null
                && !madeAt(following.certificate()).plus(lives.handOver()).isAfter(now)) {
            keys = new ServingKeys(
                    following,
                    Certificates.server(following, names, now, lives.server()),
                    keys.alive(following.certificate(), now),
                    null);
        } else if (following == null && isDue(authority.certificate(), now)) {
            Pair made = Certificates.authority(commonName, now, lives.authority());
            List<X509Certificate> both = new ArrayList<>(alive(authority.certificate(), now));
            both.add(made.certificate());
            keys = new ServingKeys(authority, server, both, made);
        }
        boolean named = new LinkedHashSet<>(Certificates.namesOf(keys.server.certificate())).containsAll(names);
        if (!named
                || isDue(keys.server.certificate(), now)
                || !Certificates.isSignedBy(keys.server.certificate(), keys.authority.certificate())) {
            keys = new ServingKeys(
                    keys.authority,
                    Certificates.server(keys.authority, names, now, lives.server()),
                    keys.trusted,
                    keys.next);
        }
        boolean dead = keys.trusted.stream().anyMatch(certificate -> isOver(certificate, now));
        return dead
                ? new ServingKeys(keys.authority, keys.server, keys.alive(keys.authority.certificate(), now), keys.next)
                : keys;
    }

    private List<X509Certificate> alive(X509Certificate first, Instant now) {
        Set<X509Certificate> all = new LinkedHashSet<>(List.of(first));
        trusted.stream().filter(certificate -> !isOver(certificate, now)).forEach(all::add);
        return List.copyOf(all);
    }

    private static Instant madeAt(X509Certificate certificate) {
        return certificate.getNotBefore().toInstant().plus(Certificates.BACKDATE);
    }

    private static boolean isOver(X509Certificate certificate, Instant now) {
        return !certificate.getNotAfter().toInstant().isAfter(now);
    }

    private static boolean isDue(X509Certificate certificate, Instant now) {
        Instant made = madeAt(certificate);
        Duration life = Duration.between(made, certificate.getNotAfter().toInstant());
        return !made.plus(life.multipliedBy(2).dividedBy(3)).isAfter(now);
    }

    // ---- the Secret ------------------------------------------------------------------------------------------------

    Map<String, String> toData() {
        Map<String, String> data = new LinkedHashMap<>();
        data.put(CA_CERTIFICATE, bundle());
        data.put(CA_KEY, authority.keyPem());
        data.put(CERTIFICATE, server.certificatePem() + authority.certificatePem());
        data.put(KEY, server.keyPem());
        Pair following = next;
        if (following != null) {
            data.put(NEXT_CERTIFICATE, following.certificatePem());
            data.put(NEXT_KEY, following.keyPem());
        }
        return data;
    }

    /**
     * Reads them back.
     *
     * @throws IllegalArgumentException if something is missing or cannot be read
     */
    static ServingKeys of(Map<String, String> data) {
        List<X509Certificate> trusted = certificates(data, CA_CERTIFICATE);
        X509Certificate server = certificates(data, CERTIFICATE).get(0);
        boolean follows = data.containsKey(NEXT_CERTIFICATE) && data.containsKey(NEXT_KEY);
        return new ServingKeys(
                new Pair(trusted.get(0), Certificates.key(text(data, CA_KEY))),
                new Pair(server, Certificates.key(text(data, KEY))),
                trusted,
                follows
                        ? new Pair(certificates(data, NEXT_CERTIFICATE).get(0), Certificates.key(text(data, NEXT_KEY)))
                        : null);
    }

    private static List<X509Certificate> certificates(Map<String, String> data, String key) {
        List<X509Certificate> found = Certificates.certificates(text(data, key));
        if (found.isEmpty()) {
            throw new IllegalArgumentException("no certificate in " + key);
        }
        return found;
    }

    private static String text(Map<String, String> data, String key) {
        String text = data.get(key);
        if (text == null) {
            throw new IllegalArgumentException("expected an entry " + key);
        }
        return text;
    }
}
