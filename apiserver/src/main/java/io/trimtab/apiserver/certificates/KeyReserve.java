package io.trimtab.apiserver.certificates;

import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyPair;
import java.security.PublicKey;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.spec.RSAPublicKeySpec;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * RSA keys found ahead of time. In a JVM that has just started, finding the primes of one takes longer than starting
 * everything else; a process that has nothing to do finds them for the next one.
 *
 * <p>Each key is used once: who takes it renames its file first, and removes it then. The files are readable by their owner
 * only, in a directory of the same kind. Whatever is wrong with the directory, a key is still had: it is made on the spot.
 * Thread-safe, also between processes.
 */
public final class KeyReserve implements Supplier<KeyPair> {
    /** One for the administrator of the next cluster, and one more for whoever starts two in a row. */
    private static final int KEPT = 2;

    private static final Logger LOG = LoggerFactory.getLogger(KeyReserve.class);

    private final Path directory;

    private KeyReserve(Path directory) {
        this.directory = directory;
    }

    /** The reserve in a directory, which need not exist. */
    public static KeyReserve in(Path directory) {
        return new KeyReserve(directory);
    }

    /** The reserve of the user who runs this process: {@code trimtab/keys} in the user's cache directory. */
    public static KeyReserve ofUser() {
        String cache = System.getenv("XDG_CACHE_HOME");
        Path base =
                cache == null || cache.isEmpty() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache);
        return in(base.resolve("trimtab").resolve("keys"));
    }

    /** A key nobody else has: one of the reserve, or a new one. */
    @Override
    public KeyPair get() {
        for (int i = 0; i < KEPT; i++) {
            KeyPair pair = take(file(i));
            if (pair != null) {
                return pair;
            }
        }
        return Keys.rsa();
    }

    /** Fills up what is missing, on one of the driver's threads. Failure means only that a later start takes longer. */
    public void refill(Driver driver) {
        driver.execute(() -> {
            try {
                for (int i = 0; i < KEPT; i++) {
                    if (!KeyFiles.exists(file(i))) {
                        KeyFiles.write(file(i), Pem.privateKey(Keys.rsa().getPrivate()));
                    }
                }
            } catch (RuntimeException e) {
                LOG.debug("No keys are kept in reserve: {}", e.getMessage());
            }
        });
    }

    private Path file(int index) {
        return directory.resolve("rsa-" + index + ".key");
    }

    private static @Nullable KeyPair take(Path file) {
        if (!KeyFiles.exists(file)) {
            return null;
        }
        try {
            Path mine = file.resolveSibling(file.getFileName() + "." + Keys.secret(8));
            // Of several processes that see the file, one can rename it.
            Files.move(file, mine, StandardCopyOption.ATOMIC_MOVE);
            try {
                return pair(Files.readString(mine));
            } finally {
                Files.deleteIfExists(mine);
            }
        } catch (IOException | RuntimeException e) {
            LOG.debug("The key in {} cannot be used: {}", file, e.getMessage());
            return null;
        }
    }

    private static KeyPair pair(String pem) {
        if (!(Pem.privateKey(pem) instanceof RSAPrivateCrtKey key)) {
            throw new IllegalArgumentException("not an RSA key");
        }
        PublicKey open = Keys.publicKey(new RSAPublicKeySpec(key.getModulus(), key.getPublicExponent()));
        return new KeyPair(open, key);
    }
}
