package io.trimtab.node.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.trimtab.node.network.PolicyEngine.Direction;
import io.trimtab.node.network.PolicyEngine.Party;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PolicyEngineTest {
    private final Pod server = pod("shop", "server", Map.of("app", "web"));
    private final Pod client = pod("shop", "client", Map.of("app", "client"));
    private final Pod stranger = pod("other", "client", Map.of("app", "client"));

    private static Pod pod(String namespace, String name, Map<String, String> labels) {
        return new PodBuilder()
                .withNewMetadata()
                .withNamespace(namespace)
                .withName(name)
                .withLabels(labels)
                .endMetadata()
                .withNewSpec()
                .addNewContainer()
                .withName("c")
                .addNewPort()
                .withName("http")
                .withContainerPort(8080)
                .endPort()
                .endContainer()
                .endSpec()
                .build();
    }

    private static NetworkPolicy policy(String spec) {
        return new NetworkPolicyBuilder(Serialization.unmarshal(
                        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nspec: " + spec, NetworkPolicy.class))
                .withNewMetadata()
                .withNamespace("shop")
                .withName("p")
                .endMetadata()
                .build();
    }

    private static Party party(Pod pod) {
        return new Party(
                "172.16.0.9",
                pod,
                Map.of("kubernetes.io/metadata.name", pod.getMetadata().getNamespace()));
    }

    private boolean admits(Pod from, int port, String... specs) {
        return in(party(from), Protocol.TCP, port, specs).isEmpty();
    }

    private Optional<String> in(Party from, Protocol protocol, int port, String... specs) {
        List<NetworkPolicy> policies =
                java.util.Arrays.stream(specs).map(PolicyEngineTest::policy).toList();
        return PolicyEngine.refusal(policies, Direction.INGRESS, server, from, protocol, port);
    }

    private boolean lets(Party to, int port, String... specs) {
        List<NetworkPolicy> policies =
                java.util.Arrays.stream(specs).map(PolicyEngineTest::policy).toList();
        return PolicyEngine.refusal(policies, Direction.EGRESS, server, to, Protocol.TCP, port)
                .isEmpty();
    }

    @Test
    void givenNoPolicy_whenAnybodyConnects_thenTheyMay() {
        assertThat(admits(stranger, 80)).isTrue();
    }

    @Test
    void givenAPolicyForOthers_whenAnybodyConnects_thenTheyMay() {
        assertThat(admits(stranger, 80, "{podSelector: {matchLabels: {app: db}}}"))
                .isTrue();
    }

    @Test
    void givenDefaultDeny_whenAnybodyConnects_thenNobodyMayAndThePolicyIsNamed() {
        assertThat(in(party(client), Protocol.TCP, 80, "{podSelector: {}}"))
                .contains("no ingress rule of networkpolicy shop/p allows it");
    }

    @Test
    void givenAnEmptyRule_whenAnybodyConnects_thenTheyMay() {
        assertThat(admits(stranger, 80, "{podSelector: {}, ingress: [{}]}")).isTrue();
    }

    @Test
    void givenAPodSelector_whenPodsConnect_thenOnlyThoseOfTheSameNamespaceMay() {
        String spec = "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: client}}}]}]}";
        assertThat(admits(client, 80, spec)).isTrue();
        assertThat(admits(stranger, 80, spec)).isFalse();
        assertThat(admits(server, 80, spec)).isFalse();
    }

    @Test
    void givenANamespaceSelector_whenPodsConnect_thenAllOfThoseNamespacesMay() {
        String spec =
                "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}}]}]}";
        assertThat(admits(stranger, 80, spec)).isTrue();
        assertThat(admits(client, 80, spec)).isFalse();
    }

    @Test
    void givenBothSelectorsInOnePeer_whenPodsConnect_thenBothMustMatch() {
        String both = "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels:"
                + " {kubernetes.io/metadata.name: other}}, podSelector: {matchLabels: {app: web}}}]}]}";
        String either = "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels:"
                + " {kubernetes.io/metadata.name: other}}}, {podSelector: {matchLabels: {app: web}}}]}]}";
        assertThat(admits(stranger, 80, both)).isFalse();
        assertThat(admits(stranger, 80, either)).isTrue();
        assertThat(admits(server, 80, either)).isTrue();
    }

    @Test
    void givenPorts_whenSomebodyConnects_thenOnlyThoseAreOpen() {
        String number = "{podSelector: {}, ingress: [{ports: [{port: 80}]}]}";
        assertThat(admits(client, 80, number)).isTrue();
        assertThat(admits(client, 81, number)).isFalse();
        assertThat(in(party(client), Protocol.UDP, 80, number)).isPresent();
        String range = "{podSelector: {}, ingress: [{ports: [{port: 80, endPort: 90}]}]}";
        assertThat(admits(client, 90, range)).isTrue();
        assertThat(admits(client, 91, range)).isFalse();
        String name = "{podSelector: {}, ingress: [{ports: [{port: http}]}]}";
        assertThat(admits(client, 8080, name)).isTrue();
        assertThat(admits(client, 80, name)).isFalse();
        String protocol = "{podSelector: {}, ingress: [{ports: [{protocol: UDP}]}]}";
        assertThat(admits(client, 80, protocol)).isFalse();
        assertThat(in(party(client), Protocol.UDP, 53, protocol)).isEmpty();
    }

    @Test
    void givenABlock_whenAddressesConnect_thenThoseInsideButNotExceptedMay() {
        String spec = "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.1.0.0/16, except: [10.1.2.0/24]}}]}]}";
        assertThat(in(Party.outside("10.1.1.1"), Protocol.TCP, 80, spec)).isEmpty();
        assertThat(in(Party.outside("10.1.2.1"), Protocol.TCP, 80, spec)).isPresent();
        assertThat(in(Party.outside("10.2.0.1"), Protocol.TCP, 80, spec)).isPresent();
        assertThat(in(Party.outside("fd00::1"), Protocol.TCP, 80, spec)).isPresent();
    }

    @Test
    void givenSeveralPolicies_whenSomebodyConnects_thenAnyRuleOfAnyWillDo() {
        assertThat(admits(client, 80, "{podSelector: {}}", "{podSelector: {}, ingress: [{ports: [{port: 80}]}]}"))
                .isTrue();
    }

    @Test
    void givenAnEgressPolicy_whenPodsConnect_thenItClosesThatDirectionOnly() {
        String deny = "{podSelector: {}, policyTypes: [Egress]}";
        assertThat(lets(party(client), 80, deny)).isFalse();
        assertThat(admits(client, 80, deny)).isTrue();
        assertThat(lets(party(client), 80, "{podSelector: {}}")).isTrue();
    }

    @Test
    void givenEgressToANamedPort_whenAPodConnects_thenTheDestinationsNamesCount() {
        String spec = "{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]}";
        assertThat(lets(party(client), 8080, spec)).isTrue();
        assertThat(lets(Party.outside("10.0.0.1"), 8080, spec)).isFalse();
    }

    @Test
    void givenRulesButNoTypes_whenTheyAreRead_thenEgressCountsIfThereAreRulesOfIt() {
        NetworkPolicy policy = new NetworkPolicyBuilder()
                .withNewMetadata()
                .withNamespace("shop")
                .withName("p")
                .endMetadata()
                .withNewSpec()
                .withNewPodSelector()
                .endPodSelector()
                .addNewEgress()
                .addNewPort()
                .withPort(new IntOrString(53))
                .endPort()
                .endEgress()
                .endSpec()
                .build();
        assertThat(PolicyEngine.refusal(List.of(policy), Direction.EGRESS, server, party(client), Protocol.TCP, 80))
                .isPresent();
        assertThat(PolicyEngine.refusal(List.of(policy), Direction.INGRESS, server, party(client), Protocol.TCP, 80))
                .isPresent();
    }
}
