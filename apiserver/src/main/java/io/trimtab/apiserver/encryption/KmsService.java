package io.trimtab.apiserver.encryption;

import java.util.Map;

/**
 * A key management service as KMS v2 has it: seals and opens keys with one that never leaves it. Implementations block the caller,
 * and are safe for use by several threads.
 */
public interface KmsService {

    /** How the service is, and by which key it seals now. */
    record Status(String version, String health, String keyId) {}

    /**
     * A sealed key.
     *
     * @param keyId of the key that sealed it
     * @param annotations handed back when it is opened; none of it secret
     */
    record Sealed(byte[] ciphertext, String keyId, Map<String, byte[]> annotations) {
        public Sealed {
            annotations = Map.copyOf(annotations);
        }
    }

    /** @throws KmsException if the service cannot be asked */
    Status status();

    /**
     * Seals a key.
     *
     * @param uid names the call in the logs of both sides
     * @throws KmsException if it cannot
     */
    Sealed seal(byte[] plain, String uid);

    /** @throws KmsException if it cannot */
    byte[] open(Sealed sealed, String uid);

    /** The service could not do what was asked. */
    final class KmsException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        public KmsException(String message) {
            super(message);
        }
    }
}
