package io.trimtab.node.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.trimtab.runtime.VirtualDriver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FabricTest implements ClusterView, Servers {
    private final VirtualDriver driver = VirtualDriver.create();
    private final List<Pod> pods = new ArrayList<>();
    private final List<Service> services = new ArrayList<>();
    private final List<EndpointSlice> slices = new ArrayList<>();
    private final List<NetworkPolicy> policies = new ArrayList<>();
    private final List<Node> nodes = List.of(node("n1", "10.0.0.11"), node("n2", "10.0.0.12"));
    private final Fabric fabric = new Fabric(driver, this, this);

    private final Pod client = add(pod("client", "n1", "172.16.1.2"));
    private final Pod one = add(pod("one", "n1", "172.16.1.3"));
    private final Pod two = add(pod("two", "n2", "172.16.2.3"));

    private static Node node(String name, String address) {
        return new NodeBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata()
                .withNewStatus()
                .addNewAddress(address, "InternalIP")
                .endStatus()
                .build();
    }

    private static Pod pod(String name, String node, String address) {
        return new PodBuilder()
                .withNewMetadata()
                .withNamespace("shop")
                .withName(name)
                .withUid(name)
                .addToLabels("app", name)
                .endMetadata()
                .withNewSpec()
                .withNodeName(node)
                .addNewContainer()
                .withName("c")
                .addNewPort()
                .withContainerPort(8080)
                .withHostPort(name.equals("two") ? 9000 : null)
                .endPort()
                .endContainer()
                .endSpec()
                .withNewStatus()
                .withPodIP(address)
                .endStatus()
                .build();
    }

    private Pod add(Pod pod) {
        pods.add(pod);
        return pod;
    }

    private void service(String more) {
        services.add(Serialization.unmarshal(
                "---\n"
                        + "{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: web, uid: web}, spec: {clusterIP:"
                        + " 10.254.0.5, clusterIPs: [10.254.0.5], ports: [{port: 80, targetPort: 8080, nodePort:"
                        + " 30080}]" + more + "}}",
                Service.class));
    }

    private void endpoints(String conditionsOne, String conditionsTwo) {
        slices.clear();
        slices.add(Serialization.unmarshal(
                "---\n"
                        + "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, metadata: {namespace: shop,"
                        + " name: web-1}, ports: [{port: 8080, protocol: TCP, name: ''}], endpoints: [{addresses:"
                        + " [172.16.1.3], nodeName: n1, hostname: one, conditions: {" + conditionsOne
                        + "}}, {addresses: [172.16.2.3], nodeName: n2, conditions: {" + conditionsTwo + "}}]}",
                EndpointSlice.class));
    }

    private String reach(Origin origin, String address, int port) {
        Verdict verdict = fabric.dial(origin, address, port, Protocol.TCP);
        return verdict instanceof Verdict.Reached reached
                ? reached.pod() == null ? "node" : reached.pod().getMetadata().getName()
                : verdict.getClass().getSimpleName();
    }

    private Set<String> many(Origin origin, String address, int port) {
        Set<String> all = new HashSet<>();
        for (int i = 0; i < 6; i++) {
            all.add(reach(origin, address, port));
        }
        return all;
    }

    private Origin in(Pod pod) {
        return new Origin.InPod(pod);
    }

    @Test
    void givenANode_whenItsOwnPortsAreDialled_thenItsProxyAnswers() {
        String node = "10.0.0.11";
        assertThat(reach(new Origin.OnNode("n1"), node, 10256)).isEqualTo("node");
        assertThat(reach(new Origin.OnNode("n1"), "127.0.0.1", 10249)).isEqualTo("node");
        assertThat(reach(new Origin.OnNode("n1"), node, 10249)).isEqualTo("Refused");
    }

    @Test
    void givenPods_whenOneDialsAnother_thenItReachesWhatListens() {
        assertThat(reach(in(client), "172.16.1.3", 8080)).isEqualTo("one");
        assertThat(reach(in(client), "172.16.1.3", 81)).isEqualTo("Refused");
        assertThat(reach(in(client), "172.16.9.9", 8080)).isEqualTo("Unreachable");
        assertThat(reach(in(one), "127.0.0.1", 8080)).isEqualTo("one");
    }

    @Test
    void givenAService_whenItIsDialled_thenItsEndpointsTakeTurns() {
        service("");
        endpoints("ready: true", "ready: true");
        assertThat(many(in(client), "10.254.0.5", 80)).containsExactlyInAnyOrder("one", "two");
        assertThat(many(new Origin.Outside("192.0.2.1"), "10.0.0.12", 30080)).containsExactlyInAnyOrder("one", "two");
        assertThat(reach(in(client), "10.254.0.5", 81)).isEqualTo("Silent");
    }

    @Test
    void givenNoReadyEndpoints_whenTheServiceIsDialled_thenThoseThatEndServeOrNobody() {
        service("");
        endpoints("ready: false, serving: true, terminating: true", "ready: false, serving: false");
        assertThat(many(in(client), "10.254.0.5", 80)).containsExactly("one");
        endpoints("ready: false, serving: false", "ready: false, serving: false");
        assertThat(reach(in(client), "10.254.0.5", 80)).isEqualTo("Refused");
    }

    @Test
    void givenAffinity_whenAClientComesAgain_thenItIsSentToTheSameUntilItStaysAway() {
        service(", sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}");
        endpoints("ready: true", "ready: true");
        Set<String> first = many(in(client), "10.254.0.5", 80);
        assertThat(first).hasSize(1);
        driver.advance(Duration.ofSeconds(61));
        assertThat(many(in(client), "10.254.0.5", 80)).hasSize(1).doesNotContainAnyElementsOf(first);
    }

    @Test
    void givenLocalPolicies_whenTheServiceIsDialled_thenOnlyTheNodesOwnEndpointsCount() {
        service(", internalTrafficPolicy: Local, externalTrafficPolicy: Local");
        endpoints("ready: true", "ready: false, serving: false");
        assertThat(many(in(client), "10.254.0.5", 80)).containsExactly("one");
        assertThat(reach(in(two), "10.254.0.5", 80)).isEqualTo("Silent");
        assertThat(reach(new Origin.Outside("192.0.2.1"), "10.0.0.12", 30080)).isEqualTo("Silent");
        assertThat(reach(new Origin.Outside("192.0.2.1"), "10.0.0.11", 30080)).isEqualTo("one");
    }

    @Test
    void givenLocalExternalTraffic_whenTheOutsideDials_thenTheServerSeesWhoItIs() {
        service(", externalTrafficPolicy: Local");
        endpoints("ready: true", "ready: true");
        Verdict kept = fabric.dial(new Origin.Outside("192.0.2.1"), "10.0.0.11", 30080, Protocol.TCP);
        assertThat(((Verdict.Reached) kept).peer().address()).isEqualTo("192.0.2.1");
        services.clear();
        service("");
        Verdict hidden = fabric.dial(new Origin.Outside("192.0.2.1"), "10.0.0.11", 30080, Protocol.TCP);
        assertThat(((Verdict.Reached) hidden).peer().address()).isEqualTo("10.0.0.11");
    }

    @Test
    void givenAHostPort_whenTheNodeIsDialled_thenThePodAnswers() {
        assertThat(reach(in(client), "10.0.0.12", 9000)).isEqualTo("two");
        assertThat(reach(in(client), "10.0.0.11", 9000)).isEqualTo("Refused");
    }

    @Test
    void givenAPolicy_whenPodsDial_thenTheForbiddenHearNothingWhicheverWayTheyCome() {
        service("");
        endpoints("ready: true", "ready: true");
        policies.add(Serialization.unmarshal(
                "---\n"
                        + "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {namespace: shop, name: p}, spec:"
                        + " {podSelector: {matchLabels: {app: one}}, ingress: [{from: [{podSelector: {matchLabels: {app:"
                        + " two}}}]}]}}",
                NetworkPolicy.class));
        assertThat(reach(in(two), "172.16.1.3", 8080)).isEqualTo("one");
        assertThat(reach(in(client), "172.16.1.3", 8080)).isEqualTo("Silent");
        assertThat(many(in(client), "10.254.0.5", 80)).containsExactlyInAnyOrder("Silent", "two");
        assertThat(reach(new Origin.OnNode("n1"), "172.16.1.3", 8080)).isEqualTo("one");
        assertThat(reach(new Origin.OnNode("n2"), "172.16.1.3", 8080)).isEqualTo("Silent");
    }

    @Test
    void givenServices_whenNamesAreLookedUp_thenTheyAreFoundAsTheResolverSearches() {
        service("");
        endpoints("ready: true", "ready: true");
        for (String name : List.of("web", "web.shop", "web.shop.svc", "web.shop.svc.cluster.local.")) {
            assertThat(fabric.names().lookup(client, name).records()).containsExactly("10.254.0.5");
        }
        assertThat(fabric.names().lookup(client, "web.other").outcome()).isEqualTo(Names.Outcome.UNKNOWN);
        assertThat(fabric.names().query("one.web.shop.svc.cluster.local", "A").records())
                .containsExactly("172.16.1.3");
        assertThat(fabric.names().query("5.0.254.10.in-addr.arpa", "PTR").records())
                .containsExactly("web.shop.svc.cluster.local.");
    }

    @Test
    void givenAPolicyAgainstAllEgress_whenNamesAreLookedUp_thenNobodyAnswers() {
        service("");
        policies.add(Serialization.unmarshal(
                "---\n"
                        + "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {namespace: shop, name: p}, spec:"
                        + " {podSelector: {}, policyTypes: [Egress]}}",
                NetworkPolicy.class));
        assertThat(fabric.names().lookup(client, "web").outcome()).isEqualTo(Names.Outcome.SILENT);
    }

    // ---- the cluster

    @Override
    public Optional<Pod> podAt(String address) {
        return pods.stream()
                .filter(p -> address.equals(p.getStatus().getPodIP()))
                .findFirst();
    }

    @Override
    public List<Pod> podsOn(String node) {
        return pods.stream().filter(p -> node.equals(p.getSpec().getNodeName())).toList();
    }

    @Override
    public Optional<Service> service(String namespace, String name) {
        return services.stream()
                .filter(s -> s.getMetadata().getNamespace().equals(namespace)
                        && s.getMetadata().getName().equals(name))
                .findFirst();
    }

    @Override
    public List<Service> servicesAt(String address) {
        return services.stream()
                .filter(s -> address.equals(s.getSpec().getClusterIP()))
                .toList();
    }

    @Override
    public List<Service> servicesAtNodePort(int port) {
        return services.stream()
                .filter(s -> s.getSpec().getPorts().stream().anyMatch(p -> Objects.equals(p.getNodePort(), port)))
                .toList();
    }

    @Override
    public List<EndpointSlice> slices(String namespace, String service) {
        return slices;
    }

    @Override
    public List<NetworkPolicy> policies(String namespace) {
        return policies.stream()
                .filter(p -> p.getMetadata().getNamespace().equals(namespace))
                .toList();
    }

    @Override
    public Map<String, String> namespaceLabels(String name) {
        return Map.of("kubernetes.io/metadata.name", name);
    }

    @Override
    public List<Node> nodes() {
        return nodes;
    }

    @Override
    public boolean isHere(Pod pod) {
        return true;
    }

    @Override
    public Optional<Listener> listener(Pod pod, Protocol protocol, int port) {
        return port == 8080 ? Optional.of((peer, outlet) -> bytes -> {}) : Optional.empty();
    }
}
