package io.trimtab.apiserver.auth;

import java.util.ArrayList;
import java.util.List;

/** An authorizer that can list what a user may do. Safe for use by any thread. */
public interface RuleResolver {

    Rules rulesFor(UserInfo user, String namespace);

    /**
     * What a user may do.
     *
     * @param incomplete whether there may be more
     * @param error why it is incomplete; empty if nothing went wrong
     */
    record Rules(List<PolicyRule> resource, List<PolicyRule> nonResource, boolean incomplete, String error) {
        public static final Rules NONE = new Rules(List.of(), List.of(), false, "");

        public Rules {
            resource = List.copyOf(resource);
            nonResource = List.copyOf(nonResource);
        }

        Rules and(Rules other) {
            List<PolicyRule> resources = new ArrayList<>(resource);
            resources.addAll(other.resource);
            List<PolicyRule> paths = new ArrayList<>(nonResource);
            paths.addAll(other.nonResource);
            String errors = error.isEmpty() || other.error.isEmpty()
                    ? error + other.error
                    : "[" + error + ", " + other.error + "]";
            return new Rules(resources, paths, incomplete || other.incomplete, errors);
        }
    }
}
