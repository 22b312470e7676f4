package io.trimtab.apiserver.auth;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.ObjectFeed;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * All roles, compiled, and all bindings, by subject: so that a question costs what the user is bound to, not what exists. Kept
 * up to date by the storage's watches, which each question drains first. Safe for use by any thread.
 *
 * <p>Order of locks: a feed's, then this index' write lock.
 */
final class RbacIndex implements AutoCloseable {
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    // All guarded by lock. Roles by "namespace/name", cluster roles by "/name".
    private final Map<String, CompiledRole> roles = new HashMap<>();
    private final Bindings clusterBindings = new Bindings();
    private final Map<String, Bindings> bindings = new HashMap<>();
    private final List<ObjectFeed> feeds = new ArrayList<>();

    RbacIndex(Storage storage) {
        feeds.add(new ObjectFeed(storage, CoreResources.CLUSTER_ROLES, new RoleSink()));
        feeds.add(new ObjectFeed(storage, CoreResources.ROLES, new RoleSink()));
        feeds.add(new ObjectFeed(storage, CoreResources.CLUSTER_ROLE_BINDINGS, new BindingSink()));
        feeds.add(new ObjectFeed(storage, CoreResources.ROLE_BINDINGS, new BindingSink()));
    }

    /**
     * Shows all bindings that apply to a user, cluster-wide ones first, until the visitor has seen enough.
     *
     * @param namespace empty to leave out the bindings of namespaces
     * @param visitor gets a binding and the role it names (null if that does not exist); returns whether to go on
     */
    void visit(UserInfo user, String namespace, BiPredicate<Binding, @Nullable CompiledRole> visitor) {
        refresh();
        lock.readLock().lock();
        try {
            if (!lockedVisit(clusterBindings, user, visitor) || namespace.isEmpty()) {
                return;
            }
            Bindings local = bindings.get(namespace);
            if (local != null) {
                lockedVisit(local, user, visitor);
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    /** The role that a reference names; null if it does not exist. */
    @Nullable
    CompiledRole role(String kind, String namespace, String name) {
        refresh();
        lock.readLock().lock();
        try {
            return lockedRole(kind, namespace, name);
        } finally {
            lock.readLock().unlock();
        }
    }

    @Override
    public void close() {
        feeds.forEach(ObjectFeed::close);
    }

    private void refresh() {
        for (ObjectFeed feed : feeds) {
            feed.refresh();
        }
    }

    private boolean lockedVisit(Bindings from, UserInfo user, BiPredicate<Binding, @Nullable CompiledRole> visitor) {
        if (!lockedVisit(from.of(userKey(user.name())), visitor)) {
            return false;
        }
        for (String group : user.groups()) {
            if (!lockedVisit(from.of(groupKey(group)), visitor)) {
                return false;
            }
        }
        return true;
    }

    private boolean lockedVisit(Collection<Binding> found, BiPredicate<Binding, @Nullable CompiledRole> visitor) {
        for (Binding binding : found) {
            CompiledRole role = lockedRole(binding.roleKind, binding.namespace, binding.roleName);
            if (!visitor.test(binding, role)) {
                return false;
            }
        }
        return true;
    }

    private @Nullable CompiledRole lockedRole(String kind, String namespace, String name) {
        return switch (kind) {
            case "ClusterRole" -> roles.get("/" + name);
            case "Role" -> roles.get(namespace + "/" + name);
            default -> null;
        };
    }

    private static String userKey(String name) {
        return "u:" + name;
    }

    private static String groupKey(String name) {
        return "g:" + name;
    }

    private void write(Consumer<RbacIndex> change) {
        lock.writeLock().lock();
        try {
            change.accept(this);
        } finally {
            lock.writeLock().unlock();
        }
    }

    private final class RoleSink implements ObjectFeed.Sink {
        @Override
        public void put(StoredObject object) {
            CompiledRole role = new CompiledRole(PolicyRule.listOf(object.tree().path("rules")));
            write(index -> roles.put(object.namespace() + "/" + object.name(), role));
        }

        @Override
        public void remove(StoredObject object) {
            write(index -> roles.remove(object.namespace() + "/" + object.name()));
        }
    }

    private final class BindingSink implements ObjectFeed.Sink {
        @Override
        public void put(StoredObject object) {
            JsonNode tree = object.tree();
            write(index -> {
                Bindings scope = object.namespace().isEmpty()
                        ? clusterBindings
                        : bindings.computeIfAbsent(object.namespace(), n -> new Bindings());
                scope.put(object.namespace(), object.name(), tree);
            });
        }

        @Override
        public void remove(StoredObject object) {
            write(index -> {
                if (object.namespace().isEmpty()) {
                    clusterBindings.remove(object.name());
                    return;
                }
                Bindings scope = bindings.get(object.namespace());
                if (scope != null) {
                    scope.remove(object.name());
                    if (scope.isEmpty()) {
                        bindings.remove(object.namespace());
                    }
                }
            });
        }
    }

    /** The bindings of one scope. Guarded by the index' lock. */
    private static final class Bindings {
        // Sorted by name, so that the same roles give the same reason each time.
        private final Map<String, TreeMap<String, Binding>> bySubject = new HashMap<>();
        private final Map<String, Set<String>> subjectsOf = new HashMap<>();

        Collection<Binding> of(String subject) {
            TreeMap<String, Binding> found = bySubject.get(subject);
            return found == null ? List.of() : found.values();
        }

        void put(String namespace, String name, JsonNode tree) {
            remove(name);
            Set<String> keys = new LinkedHashSet<>();
            JsonNode role = tree.path("roleRef");
            for (JsonNode subject : tree.path("subjects")) {
                String key = key(namespace, subject);
                if (key != null && keys.add(key)) {
                    bySubject
                            .computeIfAbsent(key, k -> new TreeMap<>())
                            .put(
                                    name,
                                    new Binding(
                                            namespace,
                                            name,
                                            role.path("kind").asText(),
                                            role.path("name").asText(),
                                            describe(namespace, subject)));
                }
            }
            subjectsOf.put(name, keys);
        }

        void remove(String name) {
            Set<String> keys = subjectsOf.remove(name);
            if (keys == null) {
                return;
            }
            for (String key : keys) {
                TreeMap<String, Binding> left = bySubject.get(key);
                if (left != null) {
                    left.remove(name);
                    if (left.isEmpty()) {
                        bySubject.remove(key);
                    }
                }
            }
        }

        boolean isEmpty() {
            return subjectsOf.isEmpty();
        }

        /** Null if the subject stands for nobody. */
        private static @Nullable String key(String namespace, JsonNode subject) {
            String name = subject.path("name").asText();
            return switch (subject.path("kind").asText()) {
                case "User" -> userKey(name);
                case "Group" -> groupKey(name);
                case "ServiceAccount" -> {
                    String own = subject.path("namespace").asText("");
                    String in = own.isEmpty() ? namespace : own;
                    yield in.isEmpty() ? null : userKey("system:serviceaccount:" + in + ":" + name);
                }
                default -> null;
            };
        }

        private static String describe(String namespace, JsonNode subject) {
            String kind = subject.path("kind").asText();
            String name = subject.path("name").asText();
            if (kind.equals("ServiceAccount")) {
                String own = subject.path("namespace").asText("");
                name += "/" + (own.isEmpty() ? namespace : own);
            }
            return kind + " \"" + name + "\"";
        }
    }

    /**
     * A binding as one of its subjects sees it.
     *
     * @param namespace empty for a ClusterRoleBinding
     */
    record Binding(String namespace, String name, String roleKind, String roleName, String subject) {
        /** As the reason of a decision names it. */
        String describe() {
            String binding = namespace.isEmpty()
                    ? "ClusterRoleBinding \"" + name + "\""
                    : "RoleBinding \"" + name + "/" + namespace + "\"";
            return binding + " of " + roleKind + " \"" + roleName + "\" to " + subject;
        }

        /** As the error says that the role does not exist. */
        String roleNotFound() {
            if (!roleKind.equals("Role") && !roleKind.equals("ClusterRole")) {
                return "unsupported role reference kind: \"" + roleKind + "\"";
            }
            return (roleKind.equals("Role") ? "role" : "clusterrole") + ".rbac.authorization.k8s.io \"" + roleName
                    + "\" not found";
        }
    }

    /** The rules of a role, by the resources they name. Immutable. */
    static final class CompiledRole {
        private final List<PolicyRule> rules;
        private final Map<String, List<PolicyRule>> byResource = new HashMap<>();
        // Rules that name all resources, or a subresource of all; few.
        private final List<PolicyRule> broad = new ArrayList<>();
        private final List<PolicyRule> paths = new ArrayList<>();

        CompiledRole(List<PolicyRule> rules) {
            this.rules = List.copyOf(rules);
            for (PolicyRule rule : this.rules) {
                if (!rule.paths().isEmpty()) {
                    paths.add(rule);
                }
                boolean isBroad = false;
                for (String resource : new LinkedHashSet<>(rule.resources())) {
                    if (resource.startsWith("*")) {
                        isBroad = true;
                    } else {
                        byResource
                                .computeIfAbsent(resource, r -> new ArrayList<>())
                                .add(rule);
                    }
                }
                if (isBroad) {
                    broad.add(rule);
                }
            }
        }

        List<PolicyRule> rules() {
            return rules;
        }

        boolean allows(Authorizer.Attributes asked, String resource) {
            if (!asked.resourceRequest()) {
                return anyAllows(paths, asked);
            }
            List<PolicyRule> named = byResource.get(resource);
            return named != null && anyAllows(named, asked) || anyAllows(broad, asked);
        }

        private static boolean anyAllows(List<PolicyRule> rules, Authorizer.Attributes asked) {
            for (PolicyRule rule : rules) {
                if (rule.allows(asked)) {
                    return true;
                }
            }
            return false;
        }
    }
}
