package io.trimtab.examples.nodestore;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.trimtab.simulate.NodeStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * An inventory of machines as a file of comma-separated values: {@code class,count,cpu,memory,zone,taint}, one line for each class of
 * machines. Each machine becomes a node named after its class. At the end of a run the nodes are written beside the file, one line
 * each, with what became of them.
 */
public final class InventoryNodes implements NodeStore {
    private static final String HEADER = "class,count,cpu,memory,zone,taint";

    private Path file = Path.of("inventory.csv");
    private final List<String> kept = new ArrayList<>();

    @Override
    public String name() {
        return "inventory";
    }

    @Override
    public void open(String argument) {
        file = Path.of(argument.isEmpty() ? "inventory.csv" : argument);
        if (!Files.isReadable(file)) {
            throw new IllegalArgumentException("there is no inventory " + file);
        }
    }

    @Override
    public Collection<Node> nodes() {
        Map<String, Node> nodes = new TreeMap<>();
        try (Stream<String> lines = Files.lines(file)) {
            lines.filter(line -> !line.isBlank() && !line.startsWith("#") && !line.equals(HEADER))
                    .forEach(line -> machines(line)
                            .forEach(node -> nodes.put(node.getMetadata().getName(), node)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return nodes.values();
    }

    private static List<Node> machines(String line) {
        String[] fields = line.split(",", -1);
        if (fields.length != 6) {
            throw new IllegalArgumentException("expected " + HEADER + "; found " + line);
        }
        List<Node> machines = new ArrayList<>();
        for (int i = 1; i <= Integer.parseInt(fields[1].strip()); i++) {
            NodeBuilder node = new NodeBuilder()
                    .withNewMetadata()
                    .withName(fields[0] + "-" + i)
                    .addToLabels("example.com/class", fields[0])
                    .addToLabels("topology.kubernetes.io/zone", fields[4])
                    .endMetadata()
                    .withNewStatus()
                    .addToCapacity("cpu", new Quantity(fields[2]))
                    .addToCapacity("memory", new Quantity(fields[3]))
                    .endStatus();
            if (!fields[5].isBlank()) {
                node.editOrNewSpec()
                        .addNewTaint()
                        .withKey(fields[5])
                        .withEffect("NoSchedule")
                        .endTaint()
                        .endSpec();
            }
            machines.add(node.build());
        }
        return machines;
    }

    @Override
    public void keep(Node node) {
        boolean cordoned =
                node.getSpec() != null && Boolean.TRUE.equals(node.getSpec().getUnschedulable());
        boolean ready = node.getStatus().getConditions().stream()
                .anyMatch(condition -> condition.getType().equals("Ready")
                        && condition.getStatus().equals("True"));
        kept.add(node.getMetadata().getName() + "," + (ready ? "ready" : "lost") + (cordoned ? ",cordoned" : ","));
    }

    @Override
    public void close() {
        try {
            Files.write(file.resolveSibling(file.getFileName() + ".after"), kept);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        kept.clear();
    }
}
