package io.trimtab.apiserver.encryption;

import java.nio.file.Path;
import java.time.Duration;

/** A key management plugin behind a Unix socket, by the protocol of KMS v2. Blocks the caller; safe for use by several threads. */
public final class UnixKmsService implements KmsService {
    private static final String SERVICE = "/v2.KeyManagementService/";

    private final UnixGrpc grpc;

    public UnixKmsService(Path socket, Duration timeout) {
        this.grpc = new UnixGrpc(socket, timeout);
    }

    @Override
    public Status status() {
        Wire.Message answer = read(grpc.call(SERVICE + "Status", new byte[0]), 0);
        return new Status(answer.text(1), answer.text(2), answer.text(3));
    }

    @Override
    public Sealed seal(byte[] plain, String uid) {
        byte[] request = new Wire.Writer().bytes(1, plain).text(2, uid).done();
        Wire.Message answer = read(grpc.call(SERVICE + "Encrypt", request), 3);
        return new Sealed(answer.bytes(1), answer.text(2), answer.map(3));
    }

    @Override
    public byte[] open(Sealed sealed, String uid) {
        byte[] request = new Wire.Writer()
                .bytes(1, sealed.ciphertext())
                .text(2, uid)
                .text(3, sealed.keyId())
                .map(4, sealed.annotations())
                .done();
        return read(grpc.call(SERVICE + "Decrypt", request), 0).bytes(1);
    }

    private static Wire.Message read(byte[] answer, int mapField) {
        try {
            return Wire.read(answer, mapField);
        } catch (IllegalArgumentException e) {
            throw new KmsException("rpc error: code = Internal desc = " + e.getMessage());
        }
    }
}
