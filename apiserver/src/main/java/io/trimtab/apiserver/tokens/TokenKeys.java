package io.trimtab.apiserver.tokens;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.certificates.KeyFiles;
import io.trimtab.apiserver.certificates.Keys;
import io.trimtab.apiserver.certificates.Pem;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The key that signs service account tokens, and all keys whose signatures are accepted: elliptic ones or RSA. The signing key
 * is made when it is first asked for. Safe for use by any thread.
 */
public final class TokenKeys {
    private static final Base64.Encoder URL = Base64.getUrlEncoder().withoutPadding();

    private final Supplier<KeyPair> source;
    private final List<PublicKey> others;
    private final ReentrantLock lock = new ReentrantLock();
    // Written once, under the lock.
    private volatile @Nullable Loaded loaded;

    private TokenKeys(Supplier<KeyPair> source, List<PublicKey> others) {
        this.source = source;
        this.others = List.copyOf(others);
    }

    /** The key of a cluster that leaves nothing on disk: one for the whole JVM. */
    public static TokenKeys inMemory() {
        return new TokenKeys(Keys.shared(), List.of());
    }

    /** The key in {@code sa.key} of the directory, beside {@code sa.pub}; made there when first needed. */
    public static TokenKeys open(Path directory) {
        return new TokenKeys(
                () -> {
                    Path privateFile = directory.resolve("sa.key");
                    Path publicFile = directory.resolve("sa.pub");
                    if (Files.exists(privateFile) && Files.exists(publicFile)) {
                        return new KeyPair(
                                Pem.publicKeys(KeyFiles.read(publicFile)).get(0),
                                Pem.privateKey(KeyFiles.read(privateFile)));
                    }
                    KeyPair fresh = Keys.ellipticCurve();
                    KeyFiles.write(publicFile, Pem.publicKey(fresh.getPublic()));
                    KeyFiles.write(privateFile, Pem.privateKey(fresh.getPrivate()));
                    return fresh;
                },
                List.of());
    }

    /**
     * Keys somebody else made.
     *
     * @param others further keys whose signatures are accepted
     */
    public static TokenKeys of(PublicKey publicKey, PrivateKey privateKey, List<PublicKey> others) {
        return new TokenKeys(() -> new KeyPair(publicKey, privateKey), others);
    }

    /** The identifier of the signing key. */
    String keyId() {
        return load().keyId;
    }

    /** The public half of the signing key. */
    PublicKey publicKey() {
        return load().pair.getPublic();
    }

    /** By which algorithm the signing key signs. */
    SigningAlgorithm algorithm() {
        return SigningAlgorithm.of(load().pair.getPrivate());
    }

    byte[] sign(byte[] text) {
        PrivateKey key = load().pair.getPrivate();
        return SigningAlgorithm.of(key).sign(key, text);
    }

    /** Whether one of the keys made the signature, by its own algorithm, which must be the one that the token names. */
    boolean verify(@Nullable String keyId, String algorithm, byte[] text, byte[] signature) {
        Map<String, PublicKey> keys = load().accepted;
        PublicKey named = keyId == null ? null : keys.get(keyId);
        if (named != null) {
            return verify(named, algorithm, text, signature);
        }
        return keys.values().stream().anyMatch(key -> verify(key, algorithm, text, signature));
    }

    private static boolean verify(PublicKey key, String algorithm, byte[] text, byte[] signature) {
        SigningAlgorithm own = SigningAlgorithm.of(key);
        return own.name().equals(algorithm) && own.verify(key, text, signature);
    }

    /** The algorithms of all accepted keys, each once, in the order of their names. */
    Set<String> algorithms() {
        Set<String> names = new TreeSet<>();
        load().accepted
                .values()
                .forEach(key -> names.add(SigningAlgorithm.of(key).name()));
        return names;
    }

    /** The public keys, as {@code /openid/v1/jwks} serves them. */
    public ObjectNode jwks() {
        ObjectNode document = JsonNodeFactory.instance.objectNode();
        ArrayNode keys = document.putArray("keys");
        load().accepted.forEach((id, key) -> {
            String algorithm = SigningAlgorithm.of(key).name();
            if (key instanceof RSAPublicKey rsa) {
                keys.addObject()
                        .put("use", "sig")
                        .put("kty", "RSA")
                        .put("kid", id)
                        .put("alg", algorithm)
                        .put("n", URL.encodeToString(unsigned(rsa.getModulus())))
                        .put("e", URL.encodeToString(unsigned(rsa.getPublicExponent())));
            } else if (key instanceof ECPublicKey elliptic) {
                int bits = elliptic.getParams().getCurve().getField().getFieldSize();
                int size = (bits + 7) / 8;
                keys.addObject()
                        .put("use", "sig")
                        .put("kty", "EC")
                        .put("kid", id)
                        .put("crv", "P-" + bits)
                        .put("alg", algorithm)
                        .put("x", URL.encodeToString(padded(elliptic.getW().getAffineX(), size)))
                        .put("y", URL.encodeToString(padded(elliptic.getW().getAffineY(), size)));
            }
        });
        return document;
    }

    private Loaded load() {
        Loaded found = loaded;
        if (found != null) {
            return found;
        }
        lock.lock();
        try {
            found = loaded;
            if (found == null) {
                KeyPair pair = source.get();
                Map<String, PublicKey> accepted = new LinkedHashMap<>();
                accepted.put(id(pair.getPublic()), pair.getPublic());
                others.forEach(key -> accepted.putIfAbsent(id(key), key));
                found = new Loaded(pair, id(pair.getPublic()), accepted);
                loaded = found;
            }
            return found;
        } finally {
            lock.unlock();
        }
    }

    /** The hash of the key's encoding, as Kubernetes names its keys. */
    private static String id(PublicKey key) {
        try {
            return URL.encodeToString(MessageDigest.getInstance("SHA-256").digest(key.getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JVM has no SHA-256", e);
        }
    }

    private static byte[] unsigned(BigInteger number) {
        byte[] bytes = number.toByteArray();
        return bytes[0] == 0 && bytes.length > 1 ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes;
    }

    private static byte[] padded(BigInteger number, int size) {
        byte[] bytes = unsigned(number);
        byte[] padded = new byte[size];
        System.arraycopy(bytes, 0, padded, size - bytes.length, bytes.length);
        return padded;
    }

    private record Loaded(KeyPair pair, String keyId, Map<String, PublicKey> accepted) {}
}
