package io.trimtab.controllers.certificates;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequest;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestBuilder;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestCondition;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestConditionBuilder;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBindingBuilder;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import java.io.ByteArrayInputStream;
import java.io.StringWriter;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.junit.jupiter.api.Test;

/** Requests for certificates, from their asking to their being cleared away. */
@TrimtabCluster(nodes = 0)
class CertificatesTest {
    private static final List<String> CLIENT = List.of("digital signature", "key encipherment", "client auth");
    private static final KeyPair KEY = key();

    private static KeyPair key() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(256);
            return generator.generateKeyPair();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static String pem(String subject, GeneralName... names) throws Exception {
        var builder = new JcaPKCS10CertificationRequestBuilder(new X500Name(subject), KEY.getPublic());
        if (names.length > 0) {
            ExtensionsGenerator extensions = new ExtensionsGenerator();
            extensions.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(names));
            builder.addAttribute(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, extensions.generate());
        }
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            writer.writeObject(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(KEY.getPrivate())));
        }
        return text.toString();
    }

    private static CertificateSigningRequest request(
            String name, String signer, List<String> usages, String subject, GeneralName... names) throws Exception {
        return new CertificateSigningRequestBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata()
                .withNewSpec()
                .withRequest(
                        Base64.getEncoder().encodeToString(pem(subject, names).getBytes()))
                .withSignerName(signer)
                .withUsages(usages)
                .endSpec()
                .build();
    }

    private static KubernetesClient as(Cluster cluster, String user, String... groups) {
        String[] all = java.util.Arrays.copyOf(groups, groups.length + 1);
        all[groups.length] = UserInfo.AUTHENTICATED_GROUP;
        return cluster.parts().apiServer().transport().kubernetesClient(UserInfo.of(user, all));
    }

    private static CertificateSigningRequest decide(KubernetesClient client, String name, String type) {
        CertificateSigningRequest now = client.certificates()
                .v1()
                .certificateSigningRequests()
                .withName(name)
                .get();
        now.getStatus()
                .getConditions()
                .add(new CertificateSigningRequestConditionBuilder()
                        .withType(type)
                        .withStatus("True")
                        .withReason("Test")
                        .withMessage("m")
                        .build());
        return client.raw("/apis/certificates.k8s.io/v1/certificatesigningrequests/" + name + "/approval", "PUT", now)
                        == null
                ? now
                : client.certificates()
                        .v1()
                        .certificateSigningRequests()
                        .withName(name)
                        .get();
    }

    private static CertificateSigningRequest get(Cluster cluster, String name) {
        return cluster.get(CertificateSigningRequest.class, name).orElseThrow();
    }

    private static X509Certificate issued(CertificateSigningRequest request) throws Exception {
        return (X509Certificate) CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(
                        Base64.getDecoder().decode(request.getStatus().getCertificate())));
    }

    private static ApiResponse.Whole ask(Cluster cluster, X509Certificate certificate) {
        return (ApiResponse.Whole) cluster.parts()
                .apiServer()
                .server()
                .handle(new ApiRequest(
                        "GET",
                        "/api/v1/namespaces/default/pods",
                        Map.of(),
                        Map.of(),
                        new byte[0],
                        new ApiRequest.Peer("10.0.0.9", List.of(certificate), null)));
    }

    @Test
    void givenAClientsRequest_whenItIsApproved_thenItsCertificateLetsItIn(Cluster cluster) throws Exception {
        CertificateSigningRequest made =
                request("jane", Signers.API_CLIENT, CLIENT, "O=devs,CN=jane,UID=0,1.3.6.1.4.1.57683.2=evil");
        made.getSpec().setExpirationSeconds(3600);
        cluster.create(made);
        cluster.settle();
        assertThat(get(cluster, "jane").getStatus().getCertificate()).isNull();

        decide(cluster.client(), "jane", "Approved");
        cluster.settle();

        X509Certificate certificate = issued(get(cluster, "jane"));
        assertThat(certificate.getSubjectX500Principal().getName()).isEqualTo("CN=jane,O=devs");
        assertThat(Duration.between(
                        certificate.getNotBefore().toInstant(),
                        certificate.getNotAfter().toInstant()))
                .isEqualTo(Duration.ofMinutes(65));
        assertThat(certificate.getExtendedKeyUsage()).containsExactly("1.3.6.1.5.5.7.3.2");
        assertThat(certificate.getBasicConstraints()).isEqualTo(-1);
        assertThat(certificate.getKeyUsage()).startsWith(true, false, true, false);
        assertThat(new String(ask(cluster, certificate).body()))
                .contains("User \\\"jane\\\" cannot list resource \\\"pods\\\"");
        assertThat(ask(cluster, certificate).code()).isEqualTo(403);

        cluster.create(new ClusterRoleBuilder()
                .withNewMetadata()
                .withName("pods")
                .endMetadata()
                .addNewRule()
                .withApiGroups("")
                .withResources("pods")
                .withVerbs("list")
                .endRule()
                .build());
        cluster.create(new ClusterRoleBindingBuilder()
                .withNewMetadata()
                .withName("devs")
                .endMetadata()
                .withNewRoleRef("rbac.authorization.k8s.io", "ClusterRole", "pods")
                .addNewSubject("rbac.authorization.k8s.io", "Group", "devs", null)
                .build());
        cluster.settle();
        assertThat(ask(cluster, certificate).code()).isEqualTo(200);
        cluster.advance(Duration.ofMinutes(61));
        assertThat(ask(cluster, certificate).code()).isEqualTo(401);
    }

    @Test
    void givenUsagesThatAreNotAClients_whenApproved_thenItFails(Cluster cluster) throws Exception {
        cluster.create(request("s", Signers.API_CLIENT, List.of("client auth", "server auth"), "CN=jane"));
        decide(cluster.client(), "s", "Approved");
        cluster.settle();

        CertificateSigningRequest now = get(cluster, "s");
        assertThat(now.getStatus().getCertificate()).isNull();
        CertificateSigningRequestCondition failed =
                now.getStatus().getConditions().get(1);
        assertThat(failed.getType()).isEqualTo("Failed");
        assertThat(failed.getReason()).isEqualTo("SignerValidationFailure");
        assertThat(failed.getMessage()).isEqualTo("invalid usage for client certificate: server auth");
    }

    @Test
    void givenNodesThatJoin_whenTheyAsk_thenOnlyThoseWhoMayAreApproved(Cluster cluster) throws Exception {
        try (KubernetesClient node = as(cluster, "system:node:n1", "system:nodes");
                KubernetesClient stranger = as(cluster, "mallory")) {
            bind(cluster, "self", "selfnodeclient", "Group", "system:nodes");
            bind(cluster, "asking", "create-requests", "User", "mallory");
            cluster.create(new ClusterRoleBuilder()
                    .withNewMetadata()
                    .withName("create-requests")
                    .endMetadata()
                    .addNewRule()
                    .withApiGroups("certificates.k8s.io")
                    .withResources("certificatesigningrequests")
                    .withVerbs("create")
                    .endRule()
                    .build());
            cluster.settle();

            String own = "O=system:nodes,CN=system:node:n1";
            create(node, request("own", Signers.NODE_CLIENT, CLIENT, own));
            create(node, request("other", Signers.NODE_CLIENT, CLIENT, "O=system:nodes,CN=system:node:n2"));
            create(stranger, request("stranger", Signers.NODE_CLIENT, CLIENT, own));
            create(
                    node,
                    request("named", Signers.NODE_CLIENT, CLIENT, own, new GeneralName(GeneralName.dNSName, "n1")));
            cluster.advance(Duration.ofSeconds(30));

            assertThat(get(cluster, "own").getStatus().getConditions().get(0).getMessage())
                    .isEqualTo("Auto approving self kubelet client certificate after SubjectAccessReview.");
            assertThat(issued(get(cluster, "own")).getSubjectX500Principal().getName())
                    .isEqualTo("CN=system:node:n1,O=system:nodes");
            for (String name : List.of("other", "stranger", "named")) {
                assertThat(get(cluster, name).getStatus().getConditions())
                        .as(name)
                        .isEmpty();
            }

            bind(cluster, "join", "nodeclient", "User", "mallory");
            cluster.advance(Duration.ofMinutes(2));
            assertThat(get(cluster, "stranger")
                            .getStatus()
                            .getConditions()
                            .get(0)
                            .getMessage())
                    .isEqualTo("Auto approving kubelet client certificate after SubjectAccessReview.");
        }
    }

    private static void create(KubernetesClient client, CertificateSigningRequest request) {
        client.certificates()
                .v1()
                .certificateSigningRequests()
                .resource(request)
                .create();
    }

    private static void bind(Cluster cluster, String name, String role, String kind, String subject) {
        String full =
                role.endsWith("nodeclient") ? "system:certificates.k8s.io:certificatesigningrequests:" + role : role;
        cluster.create(new ClusterRoleBindingBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata()
                .withNewRoleRef("rbac.authorization.k8s.io", "ClusterRole", full)
                .addNewSubject("rbac.authorization.k8s.io", kind, subject, null)
                .build());
    }

    @Test
    void givenANodesServerCertificate_whenItIsApproved_thenItHasTheNamesAsked(Cluster cluster) throws Exception {
        cluster.create(request(
                "serving",
                Signers.NODE_SERVING,
                List.of("digital signature", "server auth"),
                "O=system:nodes,CN=system:node:n1",
                new GeneralName(GeneralName.dNSName, "n1"),
                new GeneralName(GeneralName.iPAddress, "10.0.0.1")));
        decide(cluster.client(), "serving", "Approved");
        cluster.create(request(
                "nameless",
                Signers.NODE_SERVING,
                List.of("digital signature", "server auth"),
                "O=system:nodes,CN=system:node:n1"));
        decide(cluster.client(), "nameless", "Approved");
        cluster.settle();

        assertThat(issued(get(cluster, "serving")).getSubjectAlternativeNames())
                .containsExactly(List.of(2, "n1"), List.of(7, "10.0.0.1"));
        assertThat(get(cluster, "nameless").getStatus().getConditions().get(1).getMessage())
                .isEqualTo("DNS or IP subjectAltName is required");
    }

    @Test
    void givenOthersSigners_whenApproved_thenNobodySignsForThem(Cluster cluster) throws Exception {
        cluster.create(request("theirs", "example.com/signer", CLIENT, "CN=jane"));
        decide(cluster.client(), "theirs", "Approved");
        cluster.settle();

        assertThat(get(cluster, "theirs").getStatus().getCertificate()).isNull();
    }

    @Test
    void givenSomebodyWithoutTheRight_whenHeApprovesOrSigns_thenForbidden(Cluster cluster) throws Exception {
        cluster.create(new ClusterRoleBuilder()
                .withNewMetadata()
                .withName("half")
                .endMetadata()
                .addNewRule()
                .withApiGroups("certificates.k8s.io")
                .withResources(
                        "certificatesigningrequests",
                        "certificatesigningrequests/approval",
                        "certificatesigningrequests/status")
                .withVerbs("*")
                .endRule()
                .addNewRule()
                .withApiGroups("certificates.k8s.io")
                .withResources("signers")
                .withResourceNames("example.com/*")
                .withVerbs("approve", "sign")
                .endRule()
                .build());
        bind(cluster, "half", "half", "User", "eve");
        cluster.create(request("jane", Signers.API_CLIENT, CLIENT, "CN=jane"));
        cluster.create(request("theirs", "example.com/signer", CLIENT, "CN=jane"));
        cluster.settle();
        try (KubernetesClient eve = as(cluster, "eve")) {
            assertThatThrownBy(() -> decide(eve, "jane", "Approved"))
                    .isInstanceOf(KubernetesClientException.class)
                    .hasMessageContaining("user not permitted to approve requests with signerName"
                            + " \"kubernetes.io/kube-apiserver-client\"");
            CertificateSigningRequest signed = get(cluster, "jane");
            signed.getStatus()
                    .setCertificate(Base64.getEncoder()
                            .encodeToString(cluster.parts()
                                    .apiServer()
                                    .certificateAuthority()
                                    .getBytes()));
            assertThatThrownBy(() -> eve.certificates()
                            .v1()
                            .certificateSigningRequests()
                            .resource(signed)
                            .updateStatus())
                    .hasMessageContaining("user not permitted to sign requests with signerName"
                            + " \"kubernetes.io/kube-apiserver-client\"");
            assertThatThrownBy(() -> create(eve, request("m", Signers.API_CLIENT, CLIENT, "O=system:masters,CN=eve")))
                    .hasMessageContaining(
                            "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed");

            decide(eve, "theirs", "Approved"); // by the signer's domain
            assertThatThrownBy(() -> decide(eve, "theirs", "Denied"))
                    .hasMessageContaining("Approved and Denied conditions are mutually exclusive");
            CertificateSigningRequest theirs = get(cluster, "theirs");
            theirs.getStatus().setCertificate(Base64.getEncoder().encodeToString("x".getBytes()));
            assertThatThrownBy(() -> eve.certificates()
                            .v1()
                            .certificateSigningRequests()
                            .resource(theirs)
                            .updateStatus())
                    .hasMessageContaining(
                            "status.certificate: Invalid value: \"<certificate data>\": must contain at least one CERTIFICATE PEM block");
            theirs.getStatus().setCertificate(null);
            theirs.getStatus().getConditions().clear();
            assertThatThrownBy(() -> eve.certificates()
                            .v1()
                            .certificateSigningRequests()
                            .resource(theirs)
                            .updateStatus())
                    .hasMessageContaining("updates may not remove a condition of type \"Approved\"");
        }
    }

    @Test
    void givenABrokenRequest_whenCreated_thenEachFaultIsNamed(Cluster cluster) throws Exception {
        CertificateSigningRequest broken =
                request("b", "nodots/x/y", List.of("client auth", "client auth", "fly"), "CN=a");
        broken.getSpec().setRequest(Base64.getEncoder().encodeToString("nothing".getBytes()));
        broken.getSpec().setExpirationSeconds(599);

        assertThatThrownBy(() -> cluster.create(broken))
                .hasMessageContaining("PEM block type must be CERTIFICATE REQUEST")
                .hasMessageContaining("spec.usages[1]: Duplicate value: \"client auth\"")
                .hasMessageContaining(
                        "spec.usages[2]: Unsupported value: \"fly\": supported values: \"any\", \"cert sign\"")
                .hasMessageContaining(
                        "spec.signerName: Invalid value: \"nodots/x/y\": must be a fully qualified domain and"
                                + " path of the form 'example.com/signer-name'")
                .hasMessageContaining(
                        "spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)");
    }

    @Test
    void givenOldRequests_whenTimePasses_thenTheyGoAtTheirTime(Cluster cluster) throws Exception {
        cluster.create(request("signed", Signers.API_CLIENT, CLIENT, "CN=a"));
        cluster.create(request("denied", Signers.API_CLIENT, CLIENT, "CN=a"));
        cluster.create(request("approved", "example.com/signer", CLIENT, "CN=a"));
        cluster.create(request("pending", Signers.API_CLIENT, CLIENT, "CN=a"));
        decide(cluster.client(), "signed", "Approved");
        decide(cluster.client(), "denied", "Denied");
        decide(cluster.client(), "approved", "Approved");
        cluster.advance(Duration.ofMinutes(59));
        assertThat(cluster.list(CertificateSigningRequest.class)).hasSize(4);

        cluster.advance(Duration.ofMinutes(62));
        assertThat(cluster.list(CertificateSigningRequest.class))
                .extracting(r -> r.getMetadata().getName())
                .containsExactlyInAnyOrder("approved", "pending");
        cluster.advance(Duration.ofHours(22));
        assertThat(cluster.list(CertificateSigningRequest.class)).hasSize(2);
        cluster.advance(Duration.ofHours(2));
        assertThat(cluster.list(CertificateSigningRequest.class))
                .extracting(r -> r.getMetadata().getName())
                .containsExactly("approved");
    }
}
