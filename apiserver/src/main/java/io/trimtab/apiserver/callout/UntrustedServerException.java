package io.trimtab.apiserver.callout;

import java.security.cert.CertificateException;

/** A server's certificate is no good; the message says why in the words of Go's crypto/x509. */
final class UntrustedServerException extends CertificateException {
    private static final long serialVersionUID = 1L;

    UntrustedServerException(String message) {
        super(message);
    }
}
