package io.trimtab.simulate;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeAddressBuilder;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.NodeConditionBuilder;
import io.fabric8.kubernetes.api.model.NodeStatus;
import io.fabric8.kubernetes.api.model.NodeSystemInfoBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a node says of itself where nobody has said it. Stateless. */
final class NodeTemplates {
    private static final Map<String, Quantity> CAPACITY = Map.of(
            "cpu", new Quantity("32"),
            "memory", new Quantity("128Gi"),
            "ephemeral-storage", new Quantity("200Gi"),
            "pods", new Quantity("110"));

    private NodeTemplates() {}

    static Node node(String name) {
        return new NodeBuilder().withNewMetadata().withName(name).endMetadata().build();
    }

    /** The node with all that a kubelet would have reported by this moment. */
    static Node complete(Node given, int index, Instant now) {
        String time = now.truncatedTo(ChronoUnit.SECONDS).toString();
        String name = given.getMetadata().getName();
        Map<String, String> labels = new TreeMap<>();
        labels.put("kubernetes.io/hostname", name);
        labels.put("kubernetes.io/os", "linux");
        labels.put("kubernetes.io/arch", "amd64");
        labels.put("beta.kubernetes.io/os", "linux");
        labels.put("beta.kubernetes.io/arch", "amd64");
        if (given.getMetadata().getLabels() != null) {
            labels.putAll(given.getMetadata().getLabels());
        }
        NodeStatus status = given.getStatus() == null ? new NodeStatus() : given.getStatus();
        Map<String, Quantity> capacity = new TreeMap<>(CAPACITY);
        if (status.getCapacity() != null) {
            capacity.putAll(status.getCapacity());
        }
        Map<String, Quantity> allocatable = new TreeMap<>(capacity);
        if (status.getAllocatable() != null) {
            allocatable.putAll(status.getAllocatable());
        }
        var builder = new NodeBuilder(given)
                .editMetadata()
                .withLabels(labels)
                .endMetadata()
                .editOrNewSpec()
                .endSpec()
                .editOrNewStatus()
                .withCapacity(capacity)
                .withAllocatable(allocatable);
        if (status.getAddresses() == null || status.getAddresses().isEmpty()) {
            int number = index + 10;
            String address = "10." + number / 62_500 + "." + number / 250 % 250 + "." + (number % 250 + 1);
            builder.withAddresses(
                    new NodeAddressBuilder()
                            .withType("InternalIP")
                            .withAddress(address)
                            .build(),
                    new NodeAddressBuilder()
                            .withType("Hostname")
                            .withAddress(name)
                            .build());
        }
        if (status.getDaemonEndpoints() == null) {
            builder.withNewDaemonEndpoints().withNewKubeletEndpoint(10250).endDaemonEndpoints();
        }
        if (status.getNodeInfo() == null) {
            builder.withNodeInfo(new NodeSystemInfoBuilder()
                    .withArchitecture("amd64")
                    .withOperatingSystem("linux")
                    .withOsImage("Trimtab simulated node")
                    .withKernelVersion("6.6.0-trimtab")
                    .withContainerRuntimeVersion("simulated://1")
                    .withKubeletVersion("v1.34.4")
                    .withKubeProxyVersion("")
                    .withMachineID(name)
                    .withSystemUUID(name)
                    .withBootID(name)
                    .build());
        }
        if (status.getConditions() == null || status.getConditions().isEmpty()) {
            List<io.fabric8.kubernetes.api.model.NodeCondition> conditions = new ArrayList<>();
            for (String[] condition : new String[][] {
                {"MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"},
                {"DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"},
                {"PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"},
                {"Ready", "True", "KubeletReady", "kubelet is posting ready status"}
            }) {
                conditions.add(new NodeConditionBuilder()
                        .withType(condition[0])
                        .withStatus(condition[1])
                        .withReason(condition[2])
                        .withMessage(condition[3])
                        .withLastHeartbeatTime(time)
                        .withLastTransitionTime(time)
                        .build());
            }
            builder.withConditions(conditions);
        }
        return builder.endStatus().build();
    }
}
