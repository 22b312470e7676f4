package io.trimtab.apiserver.auth;

import static io.trimtab.apiserver.auth.SecurityFixture.yaml;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.admission.AdmissionPlugin;
import io.trimtab.apiserver.auth.Authorizer.Attributes;
import io.trimtab.apiserver.auth.Authorizer.Decision;
import io.trimtab.apiserver.auth.Authorizer.Verdict;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AuthorizationTest {
    private static final String RBAC = "rbac.authorization.k8s.io";
    private static final UserInfo BOB = UserInfo.of("bob", "devs", "system:authenticated");

    private final SecurityFixture cluster = new SecurityFixture();
    private final RbacAuthorizer rbac = new RbacAuthorizer(cluster.storage);
    private final AuthorizerChain chain = new AuthorizerChain(List.of(rbac));

    @AfterEach
    void close() {
        cluster.close();
    }

    private void role(String name, String namespace, String rules) {
        ApiResource resource = namespace.isEmpty() ? CoreResources.CLUSTER_ROLES : CoreResources.ROLES;
        String in = namespace.isEmpty() ? "" : ", namespace: " + namespace;
        cluster.put(resource, "metadata: {name: '" + name + "'" + in + "}\nrules: " + rules);
    }

    private void bind(String name, String namespace, String kind, String role, String subjects) {
        ApiResource resource = namespace.isEmpty() ? CoreResources.CLUSTER_ROLE_BINDINGS : CoreResources.ROLE_BINDINGS;
        String in = namespace.isEmpty() ? "" : ", namespace: " + namespace;
        cluster.put(
                resource,
                "metadata: {name: '" + name + "'" + in + "}\nroleRef: {apiGroup: " + RBAC + ", kind: " + kind
                        + ", name: '" + role + "'}\nsubjects: " + subjects);
    }

    private static Attributes pods(String verb, String namespace, String name) {
        return Attributes.resource(verb, "", "v1", "pods", "", namespace, name);
    }

    private void denies(UserInfo user, Attributes attributes) {
        assertThat(chain.authorize(user, attributes).verdict()).isEqualTo(Verdict.NO_OPINION);
    }

    private void allows(UserInfo user, Attributes attributes, String reason) {
        assertThat(chain.authorize(user, attributes)).isEqualTo(new Decision(Verdict.ALLOW, reason));
    }

    @Test
    void givenNoRoles_whenAnybodyAsks_thenOnlyMastersPass() {
        denies(BOB, pods("get", "default", "p"));
        denies(UserInfo.ANONYMOUS, Attributes.path("get", "/healthz"));
        allows(UserInfo.of("root", "system:masters"), pods("delete", "default", "p"), "");
    }

    @Test
    void givenARoleBinding_whenAsked_thenItCountsInItsNamespaceOnly() {
        role("reader", "default", "[{apiGroups: [''], resources: [pods, pods/log], verbs: [get, list]}]");
        bind("rb", "default", "Role", "reader", "[{kind: User, name: bob}]");

        allows(
                BOB,
                pods("get", "default", "p"),
                "RBAC: allowed by RoleBinding \"rb/default\" of Role \"reader\" to User \"bob\"");
        denies(BOB, pods("get", "other", "p"));
        denies(BOB, pods("list", "", ""));
        denies(BOB, pods("delete", "default", "p"));
        denies(BOB, Attributes.resource("get", "apps", "v1", "pods", "", "default", "p"));
        denies(BOB, Attributes.resource("get", "", "v1", "pods", "exec", "default", "p"));
        denies(UserInfo.of("bobby"), pods("get", "default", "p"));
        denies(UserInfo.of("x", "bob"), pods("get", "default", "p"));
    }

    @Test
    void givenAClusterRole_whenARoleBindingNamesIt_thenItCountsInThatNamespaceOnly() {
        role("all", "", "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]");
        bind("rb", "default", "ClusterRole", "all", "[{kind: Group, name: devs}]");

        assertThat(chain.authorize(BOB, pods("delete", "default", "p")).verdict())
                .isEqualTo(Verdict.ALLOW);
        denies(BOB, pods("delete", "kube-system", "p"));
        denies(BOB, Attributes.resource("get", "", "v1", "nodes", "", "", "n"));
    }

    @Test
    void givenAClusterRoleBinding_whenAsked_thenItCountsEverywhere() {
        role("y", "", "[{apiGroups: [''], resources: [pods], verbs: [get]}]");
        bind("x", "", "ClusterRole", "y", "[{kind: Group, name: devs}]");

        allows(
                BOB,
                pods("get", "any", "p"),
                "RBAC: allowed by ClusterRoleBinding \"x\" of ClusterRole \"y\" to Group \"devs\"");
    }

    @Test
    void givenResourceNames_whenAsked_thenOnlyTheseNames() {
        role("one", "default", "[{apiGroups: [''], resources: [pods], resourceNames: [p], verbs: ['*']}]");
        bind("rb", "default", "Role", "one", "[{kind: User, name: bob}]");

        assertThat(chain.authorize(BOB, pods("get", "default", "p")).verdict()).isEqualTo(Verdict.ALLOW);
        denies(BOB, pods("get", "default", "q"));
        denies(BOB, pods("create", "default", ""));
        denies(BOB, pods("deletecollection", "default", ""));
    }

    @Test
    void givenSubresourceWildcards_whenAsked_thenTheyDoNotGiveTheResource() {
        role("scaler", "default", "[{apiGroups: ['*'], resources: ['*/scale'], verbs: [update]}]");
        bind("rb", "default", "Role", "scaler", "[{kind: User, name: bob}]");

        assertThat(chain.authorize(
                                BOB,
                                Attributes.resource("update", "apps", "v1", "deployments", "scale", "default", "d"))
                        .verdict())
                .isEqualTo(Verdict.ALLOW);
        denies(BOB, Attributes.resource("update", "apps", "v1", "deployments", "", "default", "d"));
        denies(BOB, Attributes.resource("update", "apps", "v1", "deployments", "status", "default", "d"));
    }

    @Test
    void givenAServiceAccountSubject_whenItHasNoNamespace_thenTheBindingsOwn() {
        role("reader", "default", "[{apiGroups: [''], resources: [pods], verbs: [get]}]");
        bind("rb", "default", "Role", "reader", "[{kind: ServiceAccount, name: sa}]");
        bind("crb", "", "ClusterRole", "gone", "[{kind: ServiceAccount, name: sa}]");

        allows(
                UserInfo.of("system:serviceaccount:default:sa"),
                pods("get", "default", "p"),
                "RBAC: allowed by RoleBinding \"rb/default\" of Role \"reader\" to ServiceAccount \"sa/default\"");
        denies(UserInfo.of("system:serviceaccount:other:sa"), pods("get", "default", "p"));
    }

    @Test
    void givenPaths_whenAsked_thenExactOrByPrefix() {
        role("paths", "", "[{nonResourceURLs: [/healthz, /api/*], verbs: [get]}]");
        bind("crb", "", "ClusterRole", "paths", "[{kind: Group, name: 'system:unauthenticated'}]");

        assertThat(chain.authorize(UserInfo.ANONYMOUS, Attributes.path("get", "/healthz"))
                        .verdict())
                .isEqualTo(Verdict.ALLOW);
        assertThat(chain.authorize(UserInfo.ANONYMOUS, Attributes.path("get", "/api/v1"))
                        .verdict())
                .isEqualTo(Verdict.ALLOW);
        denies(UserInfo.ANONYMOUS, Attributes.path("get", "/healthz/etcd"));
        denies(UserInfo.ANONYMOUS, Attributes.path("get", "/api"));
        denies(UserInfo.ANONYMOUS, Attributes.path("post", "/healthz"));
        denies(UserInfo.ANONYMOUS, pods("get", "default", "p"));
    }

    @Test
    void givenABinding_whenItsRoleIsMissing_thenTheReasonSaysSo() {
        bind("crb", "", "ClusterRole", "gone", "[{kind: User, name: bob}]");

        assertThat(chain.authorize(BOB, pods("get", "default", "p")))
                .isEqualTo(new Decision(
                        Verdict.NO_OPINION, "RBAC: clusterrole.rbac.authorization.k8s.io \"gone\" not found"));
    }

    @Test
    void givenABinding_whenItChangesOrGoes_thenTheNextDecisionKnows() {
        role("reader", "default", "[{apiGroups: [''], resources: [pods], verbs: [get]}]");
        denies(BOB, pods("get", "default", "p"));
        bind("rb", "default", "Role", "reader", "[{kind: User, name: bob}]");
        assertThat(chain.authorize(BOB, pods("get", "default", "p")).verdict()).isEqualTo(Verdict.ALLOW);

        cluster.storage.update(CoreResources.ROLES, "default", "reader", role -> {
            ((ObjectNode) role.path("rules").get(0)).putArray("verbs").add("list");
            return role;
        });
        denies(BOB, pods("get", "default", "p"));
        assertThat(chain.authorize(BOB, pods("list", "default", "")).verdict()).isEqualTo(Verdict.ALLOW);

        cluster.remove(CoreResources.ROLE_BINDINGS, "default", "rb");
        denies(BOB, pods("list", "default", ""));
    }

    @Test
    void givenADecision_whenRefused_thenTheMessageIsKubernetes() {
        assertThat(AccessDenied.of(BOB, pods("get", "default", "p"), ""))
                .hasMessage(
                        "pods \"p\" is forbidden: User \"bob\" cannot get resource \"pods\" in API group \"\" in the"
                                + " namespace \"default\"");
        assertThat(AccessDenied.of(
                        BOB, Attributes.resource("list", "apps", "v1", "deployments", "scale", "", ""), "why"))
                .hasMessage("deployments.apps is forbidden: User \"bob\" cannot list resource \"deployments/scale\" in"
                        + " API group \"apps\" at the cluster scope: why");
        assertThat(AccessDenied.of(BOB, Attributes.path("get", "/foo/bar"), ""))
                .hasMessage("forbidden: User \"bob\" cannot get path \"/foo/bar\"");
    }

    // ---- Escalation ------------------------------------------------------------------------------------------------

    private void write(
            UserInfo user, ApiResource resource, String namespace, ObjectNode object, @Nullable ObjectNode old) {
        String name = object.path("metadata").path("name").asText();
        new RbacEscalation(chain, rbac)
                .check(new AdmissionPlugin.Attributes(
                        old == null ? AdmissionPlugin.Operation.CREATE : AdmissionPlugin.Operation.UPDATE,
                        object,
                        old,
                        JsonNodeFactory.instance.objectNode(),
                        new WriteContext(
                                resource,
                                "",
                                namespace,
                                name,
                                false,
                                user,
                                cluster.storage,
                                cluster.driver,
                                new ArrayList<>())));
    }

    @Test
    void givenAUser_whenItWritesARoleWithMoreThanItHas_thenForbidden() {
        ObjectNode role =
                yaml("metadata: {name: esc}\nrules: [{apiGroups: [''], resources: [secrets], verbs: [get, list]}]");

        assertThatThrownBy(() -> write(BOB, CoreResources.ROLES, "default", role, null))
                .hasMessage("roles.rbac.authorization.k8s.io \"esc\" is forbidden: user \"bob\" (groups=[\"devs\""
                        + " \"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n"
                        + "{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\" \"list\"]}");
        write(UserInfo.of("root", "system:masters"), CoreResources.ROLES, "default", role, null);
    }

    @Test
    void givenAUser_whenItHoldsTheRules_thenItMayGiveThem() {
        role("secrets", "default", "[{apiGroups: [''], resources: [secrets], verbs: ['*']}]");
        bind("rb", "default", "Role", "secrets", "[{kind: User, name: bob}]");
        ObjectNode role = yaml("metadata: {name: esc}\nrules: [{apiGroups: [''], resources: [secrets], verbs: [get]}]");

        write(BOB, CoreResources.ROLES, "default", role, null);

        assertThatThrownBy(() -> write(BOB, CoreResources.ROLES, "other", role, null))
                .hasMessageContaining("not currently held");
        assertThatThrownBy(() -> write(BOB, CoreResources.CLUSTER_ROLES, "", role, null))
                .hasMessageContaining("not currently held");
    }

    @Test
    void givenAUser_whenItMayEscalate_thenItMayWriteAnyRole() {
        role("esc", "default", "[{apiGroups: [" + RBAC + "], resources: [roles], verbs: [escalate]}]");
        bind("rb", "default", "Role", "esc", "[{kind: User, name: bob}]");

        write(
                BOB,
                CoreResources.ROLES,
                "default",
                yaml("metadata: {name: r}\nrules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]"),
                null);
    }

    @Test
    void givenAUser_whenItBindsARoleItDoesNotHold_thenForbiddenUnlessItMayBind() {
        role("admin", "", "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]");
        ObjectNode binding = yaml("metadata: {name: me}\nroleRef: {apiGroup: " + RBAC
                + ", kind: ClusterRole, name: admin}\nsubjects: [{kind: User, name: bob}]");

        assertThatThrownBy(() -> write(BOB, CoreResources.CLUSTER_ROLE_BINDINGS, "", binding, null))
                .hasMessageStartingWith(
                        "clusterrolebindings.rbac.authorization.k8s.io \"me\" is forbidden: user \"bob\"")
                .hasMessageContaining("{APIGroups:[\"*\"], Resources:[\"*\"], Verbs:[\"*\"]}");

        role(
                "binder",
                "",
                "[{apiGroups: [" + RBAC + "], resources: [clusterroles], resourceNames: [admin], verbs: [bind]}]");
        bind("b", "default", "ClusterRole", "binder", "[{kind: User, name: bob}]");
        write(BOB, CoreResources.ROLE_BINDINGS, "default", binding, null);
        assertThatThrownBy(() -> write(BOB, CoreResources.CLUSTER_ROLE_BINDINGS, "", binding, null))
                .hasMessageContaining("not currently held");
    }

    @Test
    void givenAUser_whenItBindsARoleThatIsMissing_thenNotFound() {
        ObjectNode binding = yaml("metadata: {name: me}\nroleRef: {apiGroup: " + RBAC
                + ", kind: Role, name: gone}\nsubjects: [{kind: User, name: bob}]");

        assertThatThrownBy(() -> write(BOB, CoreResources.ROLE_BINDINGS, "default", binding, null))
                .hasMessage("rolebindings.rbac.authorization.k8s.io \"gone\" not found");
    }

    @Test
    void givenTheGarbageCollector_whenItChangesOwnersOnly_thenItNeedsNoRules() {
        ObjectNode old = yaml(
                "metadata: {name: r, finalizers: [a/b]}\nrules: [{apiGroups: [''], resources: [pods], verbs: [get]}]");
        ObjectNode changed = yaml("metadata: {name: r}\nrules: [{apiGroups: [''], resources: [pods], verbs: [get]}]");

        write(BOB, CoreResources.ROLES, "default", changed, old);
    }

    @Test
    void givenAnAggregatedRole_whenAUserWithoutEverythingWritesIt_thenForbidden() {
        ObjectNode role =
                yaml("metadata: {name: agg}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}");

        assertThatThrownBy(() -> write(BOB, CoreResources.CLUSTER_ROLES, "", role, null))
                .hasMessage("clusterroles.rbac.authorization.k8s.io \"agg\" is forbidden: must have cluster-admin"
                        + " privileges to use the aggregationRule");
    }

    // ---- Impersonation ---------------------------------------------------------------------------------------------

    private UserInfo as(UserInfo user, Map<String, List<String>> headers) {
        ApiRequest request = SecurityFixture.request(headers);
        return Impersonation.resolve(user, request, chain);
    }

    @Test
    void givenNoRight_whenAUserActsAsAnother_thenForbidden() {
        assertThatThrownBy(() -> as(BOB, Map.of("impersonate-user", List.of("jane"))))
                .hasMessage(
                        "users \"jane\" is forbidden: User \"bob\" cannot impersonate resource \"users\" in API group"
                                + " \"\" at the cluster scope");
    }

    @Test
    void givenTheRightOnUsers_whenAGroupIsAskedToo_thenForbidden() {
        role("imp", "", "[{apiGroups: [''], resources: [users], verbs: [impersonate]}]");
        bind("imp", "", "ClusterRole", "imp", "[{kind: User, name: bob}]");

        assertThat(as(BOB, Map.of("impersonate-user", List.of("jane"))))
                .isEqualTo(UserInfo.of("jane", "system:authenticated"));
        assertThatThrownBy(() -> as(
                        BOB,
                        Map.of("impersonate-user", List.of("jane"), "impersonate-group", List.of("system:masters"))))
                .hasMessageContaining("groups \"system:masters\" is forbidden");
        assertThatThrownBy(() -> as(
                        BOB, Map.of("impersonate-user", List.of("jane"), "impersonate-extra-scopes", List.of("view"))))
                .hasMessage(
                        "userextras.authentication.k8s.io \"view\" is forbidden: User \"bob\" cannot impersonate"
                                + " resource \"userextras/scopes\" in API group \"authentication.k8s.io\" at the cluster scope");
    }

    @Test
    void givenAllRights_whenAServiceAccountIsMeant_thenItsGroupsAreKnown() {
        UserInfo root = UserInfo.of("root", "system:masters");

        assertThat(as(root, Map.of("impersonate-user", List.of("system:serviceaccount:ns:sa"))))
                .isEqualTo(UserInfo.of(
                        "system:serviceaccount:ns:sa",
                        "system:serviceaccounts",
                        "system:serviceaccounts:ns",
                        "system:authenticated"));
        assertThat(as(root, Map.of("impersonate-user", List.of("system:anonymous"))))
                .isEqualTo(UserInfo.of("system:anonymous", "system:unauthenticated"));
        assertThat(as(root, Map.of())).isEqualTo(root);
    }

    @Test
    void givenAGroupWithoutAUser_whenAsked_thenAnError() {
        assertThatThrownBy(() -> as(UserInfo.SELF, Map.of("impersonate-group", List.of("devs"))))
                .hasMessageContaining("without impersonating a user");
    }
}
