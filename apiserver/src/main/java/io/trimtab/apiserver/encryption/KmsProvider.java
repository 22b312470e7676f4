package io.trimtab.apiserver.encryption;

import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.runtime.Driver;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Envelopes: values are sealed with keys made of a seed, and the seed by a key management service, which is asked when the server
 * starts, when its key changes, and for seeds that are not known. Writes what Kubernetes writes with KMS v2. Safe for use by any
 * thread.
 */
final class KmsProvider implements Transformer, AutoCloseable {
    private static final Duration GOOD = Duration.ofMinutes(1);
    private static final Duration BAD = Duration.ofSeconds(10);
    /** For how long a seed may seal without the service saying that its key is still the one. */
    private static final Duration LIFE = Duration.ofMinutes(3);

    private static final int SEED_BYTES = 32;
    private static final int INFO_BYTES = 32;
    private static final int NONCE_BYTES = 12;
    private static final int MAX_SOURCE = 1024;
    private static final int MAX_SEEDS = 2048;
    private static final int FROM_SEED = 1;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final String name;
    private final KmsService service;
    private final Driver driver;
    private final Driver.Lane lane;
    private final Runnable keyChanged;
    /** What seeds sealed by the service are, by what they are sealed as. */
    private final Map<String, byte[]> seeds = new ConcurrentHashMap<>();

    private final ReentrantLock lock = new ReentrantLock();
    /** Written under the lock. */
    private volatile @Nullable State state;
    /** Why the service is not well; null if it is. Written under the lock. */
    private volatile @Nullable String problem = "not yet asked";

    private volatile boolean closed;

    private record State(byte[] seed, KmsService.Sealed source, Instant until) {}

    /** @param keyChanged called after the service began to seal by another key */
    KmsProvider(String name, KmsService service, Driver driver, Runnable keyChanged) {
        this.name = name;
        this.service = service;
        this.driver = driver;
        this.lane = driver.lane("kms " + name);
        this.keyChanged = keyChanged;
    }

    /** Asks the service for the first time, on the caller's thread, and from now on again and again. */
    void start() {
        look();
        lane.execute(this::again);
    }

    private void again() {
        if (!closed) {
            driver.schedule(
                    problem == null ? GOOD : BAD,
                    () -> lane.execute(() -> {
                        if (!closed) {
                            look();
                            again();
                        }
                    }));
        }
    }

    /** Why the service cannot be relied on; null if it can. */
    @Nullable
    String problem() {
        return problem;
    }

    private void look() {
        lock.lock();
        try {
            problem = check();
        } finally {
            lock.unlock();
        }
    }

    private @Nullable String check() {
        KmsService.Status status;
        try {
            status = service.status();
        } catch (KmsService.KmsException e) {
            return "failed to perform status section of the healthz check for KMS Provider " + name + ", error: "
                    + e.getMessage();
        }
        List<String> errors = new ArrayList<>();
        if (!status.health().equals("ok")) {
            errors.add("got unexpected healthz status: " + status.health());
        }
        if (!status.version().equals("v2") && !status.version().equals("v2beta1")) {
            errors.add("expected KMSv2 API version v2, got " + status.version());
        }
        String wrong = wrongKeyId(status.keyId());
        if (!wrong.isEmpty()) {
            errors.add("got invalid KMSv2 KeyID hash \"" + status.keyId() + "\": " + wrong);
        } else {
            String failed = follow(status.keyId());
            if (!failed.isEmpty()) {
                errors.add(failed);
            }
        }
        return errors.isEmpty()
                ? null
                : "kmsv2 Provider " + name + " is not healthy, error: "
                        + (errors.size() == 1 ? errors.get(0) : "[" + String.join(", ", errors) + "]");
    }

    private String follow(String keyId) {
        State before = state;
        Instant until = driver.now().plus(LIFE);
        if (before != null && before.source().keyId().equals(keyId)) {
            state = new State(before.seed(), before.source(), until);
            return "";
        }
        byte[] seed = new byte[SEED_BYTES];
        RANDOM.nextBytes(seed);
        KmsService.Sealed sealed;
        try {
            sealed = service.seal(seed, uid());
        } catch (KmsService.KmsException e) {
            return "failed to rotate DEK uid=\"\", errState=<nil>, errGen=failed to encrypt DEK, error: "
                    + e.getMessage();
        }
        String wrong = wrong(sealed);
        if (!wrong.isEmpty()) {
            return wrong;
        }
        if (!sealed.keyId().equals(keyId)) {
            // It changed its mind between the two answers; the next look finds it at one.
            return "keyID of the status and of the sealed key are not the same";
        }
        state = new State(seed, sealed, until);
        remember(sealed, seed);
        if (before != null) {
            keyChanged.run();
        }
        return "";
    }

    private static String wrong(KmsService.Sealed sealed) {
        if (sealed.ciphertext().length == 0) {
            return "failed to validate encrypted DEK source: encrypted DEK source is empty";
        }
        if (sealed.ciphertext().length > MAX_SOURCE) {
            return "failed to validate encrypted DEK source: encrypted DEK source is " + sealed.ciphertext().length
                    + " bytes, which exceeds the max size of " + MAX_SOURCE;
        }
        String keyId = wrongKeyId(sealed.keyId());
        return keyId.isEmpty() ? "" : "failed to validate key id: " + keyId;
    }

    private static String wrongKeyId(String keyId) {
        return keyId.isEmpty()
                ? "keyID is empty"
                : keyId.length() > MAX_SOURCE
                        ? "keyID is " + keyId.length() + " bytes, which exceeds the max size of " + MAX_SOURCE
                        : "";
    }

    private static String uid() {
        return new UUID(RANDOM.nextLong() & ~0xf000L | 0x4000L, RANDOM.nextLong() >>> 2 | Long.MIN_VALUE).toString();
    }

    // ---- Values --------------------------------------------------------------------------------------------------

    @Override
    public String prefix() {
        return "k8s:enc:kms:v2:" + name + ":";
    }

    @Override
    public byte[] seal(byte[] plain, byte[] context) {
        State now = state;
        if (now == null) {
            look();
            now = state;
        }
        if (now == null) {
            throw new IllegalStateException("got unexpected nil transformer: " + problem);
        }
        Instant time = driver.now();
        if (time.isAfter(now.until())) {
            throw new IllegalStateException("encryptedDEKSource with keyID hash "
                    + FieldErrors.quote(hash(now.source().keyId())) + " expired at "
                    + now.until().truncatedTo(ChronoUnit.SECONDS) + " (current time is "
                    + time.truncatedTo(ChronoUnit.SECONDS) + ")");
        }
        byte[] info = new byte[INFO_BYTES];
        RANDOM.nextBytes(info);
        byte[] nonce = new byte[NONCE_BYTES];
        RANDOM.nextBytes(nonce);
        try {
            byte[] text = cipher(Cipher.ENCRYPT_MODE, derived(now.seed(), info), nonce, context)
                    .doFinal(plain);
            byte[] data = ByteBuffer.allocate(INFO_BYTES + NONCE_BYTES + text.length)
                    .put(info)
                    .put(nonce)
                    .put(text)
                    .array();
            return new Wire.Writer()
                    .bytes(1, data)
                    .text(2, now.source().keyId())
                    .bytes(3, now.source().ciphertext())
                    .map(4, now.source().annotations())
                    .number(5, FROM_SEED)
                    .done();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a value cannot be encrypted: " + e.getMessage(), e);
        }
    }

    @Override
    public byte[] open(byte[] sealed, byte[] context) {
        Wire.Message object = message(sealed);
        byte[] data = object.bytes(1);
        byte[] key = seed(source(object));
        boolean seeded = object.number(5) == FROM_SEED;
        int skip = seeded ? INFO_BYTES : 0;
        if (data.length < skip + NONCE_BYTES) {
            throw new SealException("the stored data was shorter than the required size");
        }
        try {
            byte[] secret = seeded ? derived(key, Arrays.copyOf(data, INFO_BYTES)) : key;
            byte[] nonce = Arrays.copyOfRange(data, skip, skip + NONCE_BYTES);
            return cipher(Cipher.DECRYPT_MODE, secret, nonce, context)
                    .doFinal(data, skip + NONCE_BYTES, data.length - skip - NONCE_BYTES);
        } catch (GeneralSecurityException e) {
            throw new SealException("the stored data cannot be decrypted: " + e.getMessage());
        }
    }

    @Override
    public boolean isStale(byte[] sealed) {
        State now = state;
        Wire.Message object = message(sealed);
        return now != null && (!object.text(2).equals(now.source().keyId()) || object.number(5) != FROM_SEED);
    }

    private static Wire.Message message(byte[] sealed) {
        try {
            Wire.Message object = Wire.read(sealed, 4);
            if (object.number(5) > FROM_SEED) {
                throw new SealException("unknown encryptedDEKSourceType: " + object.number(5));
            }
            return object;
        } catch (IllegalArgumentException e) {
            throw new SealException(String.valueOf(e.getMessage()));
        }
    }

    private static KmsService.Sealed source(Wire.Message object) {
        return new KmsService.Sealed(object.bytes(3), object.text(2), object.map(4));
    }

    private byte[] seed(KmsService.Sealed source) {
        byte[] known = seeds.get(cacheKey(source));
        if (known != null) {
            return known;
        }
        try {
            byte[] opened = service.open(source, uid());
            remember(source, opened);
            return opened;
        } catch (KmsService.KmsException e) {
            throw new SealException("failed to decrypt DEK, error: " + e.getMessage());
        }
    }

    private void remember(KmsService.Sealed source, byte[] seed) {
        if (seeds.size() >= MAX_SEEDS) {
            seeds.clear();
        }
        seeds.put(cacheKey(source), seed);
    }

    private static String cacheKey(KmsService.Sealed source) {
        StringBuilder key = new StringBuilder(source.keyId())
                .append('\n')
                .append(HexFormat.of().formatHex(source.ciphertext()));
        new TreeMap<>(source.annotations())
                .forEach((name, value) -> key.append('\n')
                        .append(name)
                        .append('=')
                        .append(HexFormat.of().formatHex(value)));
        return key.toString();
    }

    private static Cipher cipher(int mode, byte[] key, byte[] nonce, byte[] context) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(128, nonce));
        cipher.updateAAD(context);
        return cipher;
    }

    /** The second half of HKDF, RFC 5869: one block is all that is needed. */
    private static byte[] derived(byte[] seed, byte[] info) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(seed, "HmacSHA256"));
        mac.update(info);
        mac.update((byte) 1);
        return mac.doFinal();
    }

    private static String hash(String text) {
        try {
            return "sha256:"
                    + HexFormat.of()
                            .formatHex(
                                    MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JVM has no SHA-256", e);
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
