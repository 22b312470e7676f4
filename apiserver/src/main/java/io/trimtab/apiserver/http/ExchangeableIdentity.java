package io.trimtab.apiserver.http;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * The certificates the server shows: one for each name that clients ask for, and one for all others. They may be exchanged; connections
 * that are open stay as they are. Safe for use by any thread.
 */
final class ExchangeableIdentity extends X509ExtendedKeyManager {
    private static final String COMMON_NAME = "CN";

    private volatile Identities current;
    /** A handshake that has begun ends with what it began with. */
    private volatile @Nullable Identities before;

    private record Identity(X509Certificate[] chain, PrivateKey key) {}

    /** @param byName of those with names; a star stands for the first label */
    private record Identities(int generation, List<Identity> all, Map<String, Integer> byName) {}

    /** @throws GeneralSecurityException if one of the certificates or keys cannot be used */
    ExchangeableIdentity(HttpOptions.Tls tls) throws GeneralSecurityException {
        this.current = read(tls, 0);
    }

    /**
     * Shows these from now on.
     *
     * @throws GeneralSecurityException if one cannot be used; the old ones stay then
     */
    void exchange(HttpOptions.Tls tls) throws GeneralSecurityException {
        Identities now = current;
        Identities fresh = read(tls, now.generation() + 1);
        before = now;
        current = fresh;
    }

    private static Identities read(HttpOptions.Tls tls, int generation) throws GeneralSecurityException {
        List<Identity> all = new ArrayList<>();
        all.add(identity(tls.certificate(), tls.key()));
        Map<String, Integer> found = new HashMap<>();
        Map<String, Integer> said = new HashMap<>();
        for (HttpOptions.Named named : tls.named()) {
            int index = all.size();
            Identity identity = identity(named.certificate(), named.key());
            all.add(identity);
            // Of several for one name the first one is it.
            named.names().forEach(name -> said.putIfAbsent(name.toLowerCase(Locale.ROOT), index));
            if (named.names().isEmpty()) {
                names(identity.chain()[0]).forEach(name -> found.putIfAbsent(name.toLowerCase(Locale.ROOT), index));
            }
        }
        found.putAll(said);
        return new Identities(generation, List.copyOf(all), Map.copyOf(found));
    }

    private static Identity identity(byte[] certificate, byte[] key) throws GeneralSecurityException {
        ServerIdentity.Pair pair = ServerIdentity.read(certificate, key);
        return new Identity(pair.chain(), pair.key());
    }

    /** The names a certificate is for; addresses are none that clients ask by. */
    private static List<String> names(X509Certificate certificate) throws GeneralSecurityException {
        List<String> names = new ArrayList<>();
        for (String name : io.trimtab.apiserver.auth.ClientCertificates.names(certificate, COMMON_NAME)) {
            if (!name.matches("[0-9.]+|.*:.*")) {
                names.add(name);
            }
        }
        Collection<List<?>> others = certificate.getSubjectAlternativeNames();
        if (others != null) {
            for (List<?> name : others) {
                if (Integer.valueOf(2).equals(name.get(0))) {
                    names.add(String.valueOf(name.get(1)));
                }
            }
        }
        return names;
    }

    @Override
    public @Nullable String chooseEngineServerAlias(
            String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
        Identities now = current;
        int index = index(now, engine == null ? null : engine.getHandshakeSession());
        String wanted = keyType.indexOf('_') < 0 ? keyType : keyType.substring(0, keyType.indexOf('_'));
        return algorithm(now.all().get(index).key()).equals(algorithm(wanted)) ? now.generation() + ":" + index : null;
    }

    private static String algorithm(PrivateKey key) {
        return algorithm(key.getAlgorithm());
    }

    private static String algorithm(String name) {
        return switch (name) {
            case "ECDSA" -> "EC";
            case "RSASSA-PSS" -> "RSA";
            case "Ed25519", "Ed448" -> "EdDSA";
            default -> name;
        };
    }

    private static int index(Identities now, @Nullable SSLSession session) {
        if (now.byName().isEmpty() || !(session instanceof ExtendedSSLSession extended)) {
            return 0;
        }
        for (SNIServerName asked : extended.getRequestedServerNames()) {
            if (asked instanceof SNIHostName host) {
                return index(now, host.getAsciiName().toLowerCase(Locale.ROOT));
            }
        }
        return 0;
    }

    /** As Go looks: the name itself, then with a star for its first label. */
    private static int index(Identities now, String name) {
        Integer exact = now.byName().get(name);
        if (exact != null) {
            return exact;
        }
        int dot = name.indexOf('.');
        Integer wild = dot < 0 ? null : now.byName().get("*" + name.substring(dot));
        return wild == null ? 0 : wild;
    }

    private @Nullable Identity find(String alias) {
        int colon = alias.indexOf(':');
        int generation = Integer.parseInt(alias.substring(0, colon));
        int index = Integer.parseInt(alias.substring(colon + 1));
        for (Identities some : new @Nullable Identities[] {current, before}) {
            if (some != null && some.generation() == generation) {
                return some.all().get(index);
            }
        }
        return null;
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(String alias) {
        Identity found = find(alias);
        return found == null ? null : found.chain().clone();
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(String alias) {
        Identity found = find(alias);
        return found == null ? null : found.key();
    }

    @Override
    public @Nullable String chooseServerAlias(String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return chooseEngineServerAlias(keyType, issuers, null);
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        String alias = chooseEngineServerAlias(keyType, issuers, null);
        return alias == null ? null : new String[] {alias};
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
        return null;
    }

    @Override
    public @Nullable String chooseClientAlias(
            String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return null;
    }
}
