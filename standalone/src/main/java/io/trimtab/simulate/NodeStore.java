package io.trimtab.simulate;

import io.fabric8.kubernetes.api.model.Node;
import java.util.Collection;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Where the nodes of a simulation come from, and where what becomes of them is kept: a file, an inventory, a price list of
 * machines. The nodes join before the simulated time begins; each keeps the labels, taints and capacity it is given, and gets
 * an agent that reports for it. Found by {@code ServiceLoader} for the command line ({@code --node-store NAME --jar FILE}).
 * Called by one thread at a time.
 *
 * @since 0.1
 */
public interface NodeStore {

    /** What {@code --node-store} calls it. */
    default String name() {
        return getClass().getSimpleName();
    }

    /**
     * Is told what {@code --node-store NAME=ARGUMENT} says after the sign, before anything else; empty if nothing.
     *
     * @throws IllegalArgumentException with a message for the user
     */
    default void open(String argument) {}

    /**
     * The nodes. A name is all that one needs; capacity and allocatable, if given, stand in the status.
     *
     * @return distinct names
     */
    Collection<Node> nodes();

    /** How a node is at the end of a run. Called once for each node that is there, in order of their names. */
    default void keep(Node node) {}

    /** All nodes that are left have been {@link #keep kept}. */
    default void close() {}

    /** So many nodes of one size, named {@code node-1} and so on. */
    static NodeStore uniform(int count) {
        return new NodeStore() {
            @Override
            public String name() {
                return "uniform";
            }

            @Override
            public Collection<Node> nodes() {
                List<Node> all = IntStream.rangeClosed(1, count)
                        .mapToObj(i -> NodeTemplates.node("node-" + i))
                        .toList();
                return all;
            }
        };
    }
}
