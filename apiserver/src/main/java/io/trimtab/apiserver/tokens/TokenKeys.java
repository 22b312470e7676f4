package io.trimtab.apiserver.tokens;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.certificates.KeyFiles;
import io.trimtab.apiserver.certificates.Keys;
import io.trimtab.apiserver.certificates.Pem;
import io.trimtab.runtime.Driver;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.RSAPublicKey;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The key that signs service account tokens, and all keys whose signatures are accepted. The signing key is found when it is
 * first asked for: a server does not wait for primes before it answers. Safe for use by any thread.
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
        return new TokenKeys(Keys.sharedRsa(), List.of());
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
                    KeyPair fresh = Keys.rsa();
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

    /** Finds the signing key meanwhile, if there is a thread to spare. */
    public void prepare(Driver driver) {
        if (!driver.isVirtual()) {
            driver.execute(this::load);
        }
    }

    /** The identifier of the signing key. */
    String keyId() {
        return load().keyId;
    }

    byte[] sign(byte[] text) {
        try {
            Signature signature = Signature.getInstance("SHA256withRSA");
            signature.initSign(load().pair.getPrivate());
            signature.update(text);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot sign a service account token: " + e.getMessage(), e);
        }
    }

    /** Whether one of the keys made the signature. */
    boolean verify(@Nullable String keyId, byte[] text, byte[] signature) {
        Map<String, PublicKey> keys = load().accepted;
        PublicKey named = keyId == null ? null : keys.get(keyId);
        if (named != null) {
            return verify(named, text, signature);
        }
        return keys.values().stream().anyMatch(key -> verify(key, text, signature));
    }

    private static boolean verify(PublicKey key, byte[] text, byte[] signature) {
        try {
            Signature verifier = Signature.getInstance("SHA256withRSA");
            verifier.initVerify(key);
            verifier.update(text);
            return verifier.verify(signature);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    /** The public keys, as {@code /openid/v1/jwks} serves them. */
    public ObjectNode jwks() {
        ObjectNode document = JsonNodeFactory.instance.objectNode();
        ArrayNode keys = document.putArray("keys");
        load().accepted.forEach((id, key) -> {
            if (key instanceof RSAPublicKey rsa) {
                keys.addObject()
                        .put("use", "sig")
                        .put("kty", "RSA")
                        .put("kid", id)
                        .put("alg", "RS256")
                        .put("n", URL.encodeToString(unsigned(rsa.getModulus())))
                        .put("e", URL.encodeToString(unsigned(rsa.getPublicExponent())));
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

    private record Loaded(KeyPair pair, String keyId, Map<String, PublicKey> accepted) {}
}
