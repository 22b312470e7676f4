package io.trimtab.benchmarks.process;

import io.trimtab.apiserver.certificates.CertificateAuthority;
import io.trimtab.apiserver.certificates.Credential;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** Starts Kubernetes' own programs: etcd, kube-apiserver, and when all is wanted also the other three. Stateless. */
final class RealControlPlane {
    private RealControlPlane() {}

    /**
     * @param binaries the directory of the programs
     * @param all false for the API server and its store alone
     */
    static ControlPlane start(Path binaries, Path directory, boolean all) throws IOException {
        int port = freePort();
        int etcd = freePort();
        int peer = freePort();
        writeCredentials(directory, port);
        ControlPlane plane = new ControlPlane(directory);
        String etcdUrl = "http://127.0.0.1:" + etcd;
        String peerUrl = "http://127.0.0.1:" + peer;
        plane.start(
                "etcd",
                List.of(
                        binaries.resolve("etcd").toString(),
                        "--data-dir=etcd",
                        "--listen-client-urls=" + etcdUrl,
                        "--advertise-client-urls=" + etcdUrl,
                        "--listen-peer-urls=" + peerUrl,
                        "--initial-advertise-peer-urls=" + peerUrl,
                        "--initial-cluster=default=" + peerUrl));
        List<String> apiServer = new ArrayList<>(List.of(
                binaries.resolve("kube-apiserver").toString(),
                "--etcd-servers=" + etcdUrl,
                "--secure-port=" + port,
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                "--tls-cert-file=server.crt",
                "--tls-private-key-file=server.key",
                "--client-ca-file=ca.crt",
                "--service-cluster-ip-range=10.254.0.0/16",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-account-key-file=sa.crt",
                "--service-account-signing-key-file=sa.key",
                "--authorization-mode=Node,RBAC",
                "--allow-privileged",
                "--endpoint-reconciler-type=none"));
        plane.start("kube-apiserver", apiServer);
        if (all) {
            plane.start(
                    "kube-controller-manager",
                    List.of(
                            binaries.resolve("kube-controller-manager").toString(),
                            "--kubeconfig=admin.kubeconfig",
                            "--authentication-kubeconfig=admin.kubeconfig",
                            "--authorization-kubeconfig=admin.kubeconfig",
                            "--bind-address=127.0.0.1",
                            "--secure-port=" + freePort(),
                            "--service-account-private-key-file=sa.key",
                            "--root-ca-file=ca.crt",
                            "--use-service-account-credentials",
                            "--allocate-node-cidrs",
                            "--cluster-cidr=172.16.0.0/16",
                            "--leader-elect=false"));
            plane.start(
                    "kube-scheduler",
                    List.of(
                            binaries.resolve("kube-scheduler").toString(),
                            "--kubeconfig=admin.kubeconfig",
                            "--authentication-kubeconfig=admin.kubeconfig",
                            "--authorization-kubeconfig=admin.kubeconfig",
                            "--bind-address=127.0.0.1",
                            "--secure-port=" + freePort(),
                            "--leader-elect=false"));
        }
        return plane;
    }

    /** Plays the kubelets' part; it wants an API server that answers. */
    static void startNodes(Path binaries, ControlPlane plane) throws IOException {
        plane.start(
                "kwok",
                List.of(
                        binaries.resolve("kwok").toString(),
                        "--kubeconfig=admin.kubeconfig",
                        "--manage-all-nodes=true",
                        "--cidr=172.16.0.0/16",
                        "--node-ip=127.0.0.1",
                        "--server-address=127.0.0.1:0"));
    }

    private static void writeCredentials(Path directory, int port) throws IOException {
        try (Driver driver = RealDriver.create("credentials")) {
            CertificateAuthority authority = CertificateAuthority.create(driver);
            Files.writeString(directory.resolve("ca.crt"), authority.certificatePem());
            write(
                    directory,
                    "server",
                    authority.issueServer("kube-apiserver", List.of("127.0.0.1", "localhost", "10.254.0.1")));
            Credential admin = authority.issueClient("admin", List.of("system:masters"));
            write(directory, "admin", admin);
            write(directory, "sa", authority.issueClient("service-accounts", List.of()));
            Files.writeString(
                    directory.resolve("admin.kubeconfig"),
                    "apiVersion: v1\nkind: Config\ncurrent-context: real\nclusters:\n- name: real\n  cluster:\n"
                            + "    server: https://127.0.0.1:" + port + "\n    certificate-authority-data: "
                            + base64(authority.certificatePem())
                            + "\nusers:\n- name: admin\n  user:\n    client-certificate-data: "
                            + base64(admin.chainPem()) + "\n    client-key-data: " + base64(admin.privateKeyPem())
                            + "\ncontexts:\n- name: real\n  context: {cluster: real, user: admin}\n");
        }
    }

    private static void write(Path directory, String name, Credential credential) throws IOException {
        Files.writeString(directory.resolve(name + ".crt"), credential.chainPem());
        Files.writeString(directory.resolve(name + ".key"), credential.privateKeyPem());
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
