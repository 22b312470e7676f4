package io.trimtab.standalone;

import io.trimtab.apiserver.certificates.Credential;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** How the administrator gets in, and hears that it is time to. */
public final class AdminAccess {
    private AdminAccess() {}

    /**
     * Writes a kubeconfig for the administrator.
     *
     * @throws StartException if the file cannot be written
     */
    public static void write(Path file, ApiServerInstance apiServer) {
        Kubeconfig.write(file, kubeconfig(apiServer));
    }

    /** The administrator's kubeconfig as text. */
    public static String kubeconfig(ApiServerInstance apiServer) {
        Credential credential = apiServer.administrator();
        String server = apiServer.securePort() >= 0
                ? "https://" + host(apiServer.options().bindAddress()) + ":" + apiServer.securePort()
                : "http://127.0.0.1:" + apiServer.insecurePort();
        return Kubeconfig.text(server, apiServer.certificateAuthority(), "kubernetes-admin", credential);
    }

    /** The same, for a port that was opened beside those of the options. */
    public static String kubeconfig(ApiServerInstance apiServer, int securePort) {
        return Kubeconfig.text(
                "https://127.0.0.1:" + securePort,
                apiServer.certificateAuthority(),
                "kubernetes-admin",
                apiServer.administrator());
    }

    private static String host(String address) {
        if (address.equals("0.0.0.0") || address.equals("::")) {
            return "127.0.0.1";
        }
        return address.indexOf(':') >= 0 ? "[" + address + "]" : address;
    }

    /**
     * Tells a script that waits: the file holds the ports, a line each.
     *
     * @throws StartException if the file cannot be written
     */
    public static void signalReady(@Nullable Path file, ApiServerInstance apiServer) {
        if (file == null) {
            return;
        }
        try {
            // Whoever sees the file must see all of it.
            Path part = file.resolveSibling(file.getFileName() + ".part");
            Files.writeString(
                    part,
                    "secure-port=" + apiServer.securePort() + "\ninsecure-port=" + apiServer.insecurePort() + "\n");
            Files.move(
                    part,
                    file,
                    java.nio.file.StandardCopyOption.REPLACE_EXISTING,
                    java.nio.file.StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new StartException(
                    "--ready-file " + file + " cannot be written: " + e.getMessage() + "; give another file", e);
        }
    }
}
