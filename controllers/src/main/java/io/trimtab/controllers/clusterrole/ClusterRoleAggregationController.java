package io.trimtab.controllers.clusterrole;

import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBuilder;
import io.fabric8.kubernetes.api.model.rbac.PolicyRule;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.informer.Lister;
import io.trimtab.selector.model.ModelSelectors;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** Keeps the rules of ClusterRoles that have an aggregation rule: the union of the rules of the roles it selects. */
public final class ClusterRoleAggregationController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "clusterrole-aggregation-controller";

    private static final ResourceType<ClusterRole> ROLES = ResourceType.of(ClusterRole.class);

    private final Client client;
    private final Lister<ClusterRole> roles;

    private ClusterRoleAggregationController(Manager manager) {
        this.client = manager.client(NAME);
        this.roles = manager.informers().informer(ClusterRole.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        ClusterRoleAggregationController reconciler = new ClusterRoleAggregationController(manager);
        return Controller.named(NAME)
                .watches(ClusterRole.class, (change, queue) -> {
                    // Any role may be part of any aggregate: all of them are looked at again. They are few.
                    for (ClusterRole role : reconciler.roles.list()) {
                        if (role.getAggregationRule() != null) {
                            queue.add(Request.of(role));
                        }
                    }
                })
                .workers(5)
                .reconcile(reconciler);
    }

    @Override
    public Result reconcile(Request request) {
        ClusterRole role = roles.get(null, request.name()).orElse(null);
        if (role == null || role.getAggregationRule() == null) {
            return Result.done();
        }
        List<PolicyRule> rules = aggregate(role, roles.list());
        if (rules.equals(Objects.requireNonNullElse(role.getRules(), List.of()))) {
            return Result.done();
        }
        ClusterRole applied = new ClusterRoleBuilder()
                .withNewMetadata()
                .withName(request.name())
                .endMetadata()
                .withRules(rules)
                .build();
        client.patch(ROLES, null, request.name(), Patch.apply(Serialization.asJson(applied), NAME, true));
        return Result.done();
    }

    /** The union of the selected roles' rules, in the order of their names, each rule once. Pure. */
    static List<PolicyRule> aggregate(ClusterRole aggregate, List<ClusterRole> all) {
        Set<PolicyRule> rules = new LinkedHashSet<>();
        for (LabelSelector selector : aggregate.getAggregationRule().getClusterRoleSelectors()) {
            var compiled = ModelSelectors.of(selector);
            all.stream()
                    .filter(role -> !role.getMetadata()
                            .getName()
                            .equals(aggregate.getMetadata().getName()))
                    .filter(role -> compiled.matches(
                            Objects.requireNonNullElse(role.getMetadata().getLabels(), Map.of())))
                    .sorted(Comparator.comparing(role -> role.getMetadata().getName()))
                    .forEach(role -> rules.addAll(Objects.requireNonNullElse(role.getRules(), List.of())));
        }
        return new ArrayList<>(rules);
    }
}
