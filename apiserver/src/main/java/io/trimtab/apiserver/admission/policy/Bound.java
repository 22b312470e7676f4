package io.trimtab.apiserver.admission.policy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.storage.ObjectFeed;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Policies that are bound, by name, with their bindings, by name. At least as new as any write that was acknowledged before the
 * question. Safe for use by any thread; whoever made it closes it.
 *
 * @param <P> a policy, compiled
 */
final class Bound<P> implements AutoCloseable {

    /** A policy and what it is for. Compiled when a write first meets it. */
    static final class Policy<P> {
        final String name;
        final ObjectNode tree;
        final Constraints constraints;
        private final Function<JsonNode, P> compiler;
        /** Made once; guarded by this. */
        private @Nullable P compiled;

        Policy(String name, ObjectNode tree, Function<JsonNode, P> compiler) {
            this.name = name;
            this.tree = tree;
            this.constraints = new Constraints(tree.path("spec").path("matchConstraints"));
            this.compiler = compiler;
        }

        synchronized P compiled() {
            P made = compiled;
            if (made == null) {
                made = compiler.apply(tree);
                compiled = made;
            }
            return made;
        }

        boolean failsOpen() {
            return tree.path("spec").path("failurePolicy").asText("Fail").equals("Ignore");
        }
    }

    /** A binding. Immutable. */
    static final class Binding {
        final String name;
        final JsonNode spec;
        final Constraints constraints;

        Binding(String name, JsonNode tree) {
            this.name = name;
            this.spec = tree.path("spec");
            this.constraints = new Constraints(spec.path("matchResources"));
        }
    }

    /** A policy with at least one binding. */
    record Hook<P>(Policy<P> policy, List<Binding> bindings) {}

    private final ObjectFeed policyFeed;
    private final ObjectFeed bindingFeed;
    // Written with the lock of their feed held; read together under this lock.
    private final Map<String, Policy<P>> policies = new TreeMap<>();
    private final Map<String, Binding> bindings = new TreeMap<>();
    private volatile @Nullable List<Hook<P>> hooks = List.of();

    Bound(Storage storage, ApiResource policyResource, ApiResource bindingResource, Function<JsonNode, P> compiler) {
        this.policyFeed = new ObjectFeed(storage, policyResource, new ObjectFeed.Sink() {
            @Override
            public void put(StoredObject object) {
                putPolicy(object.name(), object.tree(), compiler);
            }

            @Override
            public void remove(StoredObject object) {
                putPolicy(object.name(), null, compiler);
            }
        });
        this.bindingFeed = new ObjectFeed(storage, bindingResource, new ObjectFeed.Sink() {
            @Override
            public void put(StoredObject object) {
                putBinding(object.name(), object.tree());
            }

            @Override
            public void remove(StoredObject object) {
                putBinding(object.name(), null);
            }
        });
    }

    private synchronized void putPolicy(String name, @Nullable ObjectNode tree, Function<JsonNode, P> compiler) {
        Policy<P> before = policies.get(name);
        if (tree == null) {
            policies.remove(name);
        } else if (before == null || !before.tree.path("spec").equals(tree.path("spec"))) {
            policies.put(name, new Policy<>(name, tree, compiler));
        }
        hooks = null;
    }

    private synchronized void putBinding(String name, @Nullable ObjectNode tree) {
        if (tree == null) {
            bindings.remove(name);
        } else {
            bindings.put(name, new Binding(name, tree));
        }
        hooks = null;
    }

    List<Hook<P>> hooks() {
        policyFeed.refresh();
        bindingFeed.refresh();
        List<Hook<P>> known = hooks;
        return known != null ? known : join();
    }

    private synchronized List<Hook<P>> join() {
        List<Hook<P>> joined = new ArrayList<>();
        for (Policy<P> policy : policies.values()) {
            List<Binding> of = new ArrayList<>();
            for (Binding binding : bindings.values()) {
                if (binding.spec.path("policyName").asText("").equals(policy.name)) {
                    of.add(binding);
                }
            }
            if (!of.isEmpty()) {
                joined.add(new Hook<>(policy, List.copyOf(of)));
            }
        }
        List<Hook<P>> made = List.copyOf(joined);
        hooks = made;
        return made;
    }

    @Override
    public void close() {
        policyFeed.close();
        bindingFeed.close();
    }
}
