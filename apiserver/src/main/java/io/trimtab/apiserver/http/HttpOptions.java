package io.trimtab.apiserver.http;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where and how to listen. Immutable.
 *
 * @param bindAddress of the TLS port
 * @param securePort 0 for any that is free; -1 for none
 * @param insecurePort without TLS, on loopback only; 0 for any that is free; -1 for none
 * @param tls null only if there is no secure port
 * @param maxBodyBytes of a request; one that is larger reaches the handler cut off one byte beyond, to be refused there
 * @param drain how long {@link HttpFrontend#close} waits for requests under way
 * @param idle a connection without any request is closed after this
 * @param requestTimeout a request whose body has not come, or whose answer is not known, by then is answered with 504, unless
 *     it may take as long as it likes
 */
public record HttpOptions(
        String bindAddress,
        int securePort,
        int insecurePort,
        @Nullable Tls tls,
        int maxBodyBytes,
        Duration drain,
        Duration idle,
        Duration requestTimeout) {

    /** Kubernetes' own limit for the body of a request. */
    public static final int MAX_BODY_BYTES = 3 * 1024 * 1024;

    public HttpOptions {
        if (securePort >= 0 && tls == null) {
            throw new IllegalArgumentException("the secure port needs a certificate and its key");
        }
        if (securePort < 0 && insecurePort < 0) {
            throw new IllegalArgumentException("neither a secure nor an insecure port is to be opened");
        }
    }

    /** TLS on loopback. */
    public static HttpOptions secure(int port, Tls tls) {
        return new HttpOptions(
                "127.0.0.1",
                port,
                -1,
                tls,
                MAX_BODY_BYTES,
                Duration.ofSeconds(5),
                Duration.ofSeconds(90),
                Duration.ofSeconds(60));
    }

    /** Plain HTTP on loopback, for tests and for tools that know no TLS. */
    public static HttpOptions insecure(int port) {
        return new HttpOptions(
                "127.0.0.1",
                -1,
                port,
                null,
                MAX_BODY_BYTES,
                Duration.ofSeconds(5),
                Duration.ofSeconds(90),
                Duration.ofSeconds(60));
    }

    public HttpOptions withBindAddress(String address) {
        return new HttpOptions(address, securePort, insecurePort, tls, maxBodyBytes, drain, idle, requestTimeout);
    }

    public HttpOptions withInsecurePort(int port) {
        return new HttpOptions(bindAddress, securePort, port, tls, maxBodyBytes, drain, idle, requestTimeout);
    }

    public HttpOptions withDrain(Duration drain) {
        return new HttpOptions(bindAddress, securePort, insecurePort, tls, maxBodyBytes, drain, idle, requestTimeout);
    }

    public HttpOptions withRequestTimeout(Duration timeout) {
        return new HttpOptions(bindAddress, securePort, insecurePort, tls, maxBodyBytes, drain, idle, timeout);
    }

    /**
     * The server's certificate, and whom it trusts to vouch for clients. All in PEM, as bytes: nothing is read from disk.
     *
     * @param certificate the chain, leaf first
     * @param key PKCS#8, PKCS#1 (RSA) or SEC1 (EC), not encrypted
     * @param clientAuthorities certificates of the authorities that client certificates are verified against: those of users
     *     and, where there is one, that of front proxies; empty if none is accepted
     * @param protocols as the JDK names them
     * @param cipherSuites of TLS 1.2, by their registered names; those of 1.3 are always there; empty for the JDK's choice
     * @param named further certificates, shown to clients that ask for one of their names
     */
    public record Tls(
            byte[] certificate,
            byte[] key,
            List<byte[]> clientAuthorities,
            List<String> protocols,
            List<String> cipherSuites,
            List<Named> named) {
        /** TLS 1.2 is the least, as in Kubernetes. */
        public static final List<String> PROTOCOLS = List.of("TLSv1.2", "TLSv1.3");

        public Tls {
            clientAuthorities = List.copyOf(clientAuthorities);
            protocols = List.copyOf(protocols);
            cipherSuites = List.copyOf(cipherSuites);
            named = List.copyOf(named);
        }

        /** With the protocols and cipher suites that nobody asks for. */
        public Tls(byte[] certificate, byte[] key, List<byte[]> clientAuthorities) {
            this(certificate, key, clientAuthorities, PROTOCOLS, List.of(), List.of());
        }

        /** The same, speaking other protocols, or by other cipher suites. */
        public Tls speaking(List<String> others, List<String> suites) {
            return new Tls(certificate, key, clientAuthorities, others, suites, named);
        }

        /** The same with further certificates. */
        public Tls withNamed(List<Named> others) {
            return new Tls(certificate, key, clientAuthorities, protocols, cipherSuites, others);
        }
    }

    /**
     * A certificate for some names, in PEM.
     *
     * @param names that clients ask for, a star standing for the first label; empty for those in the certificate
     */
    public record Named(byte[] certificate, byte[] key, List<String> names) {
        public Named {
            names = List.copyOf(names);
        }
    }
}
