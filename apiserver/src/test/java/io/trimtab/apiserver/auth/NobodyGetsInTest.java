package io.trimtab.apiserver.auth;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.ApiServer;
import io.trimtab.apiserver.admission.AdmissionChain;
import io.trimtab.apiserver.bootstrap.Bootstrap;
import io.trimtab.apiserver.kinds.Kinds;
import io.trimtab.apiserver.kinds.KindsOptions;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.apiserver.tokens.ServiceAccountTokens;
import io.trimtab.apiserver.tokens.TokenIssuer;
import io.trimtab.apiserver.tokens.TokenKeys;
import io.trimtab.apiserver.tokens.TokenSettings;
import io.trimtab.runtime.VirtualDriver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A whole server, with all its locks on: tables of those who try, and must not get in. */
class NobodyGetsInTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final VirtualDriver DRIVER = VirtualDriver.create();
    private static final ResourceRegistry RESOURCES =
            ResourceRegistry.builtIn(new Kinds(KindsOptions.DEFAULT).registry());
    private static final MemoryStore STORE = MemoryStore.create();
    private static final DefaultStorage STORAGE = new DefaultStorage(STORE, DRIVER, RESOURCES::selectableFields);
    private static final RbacAuthorizer RBAC = new RbacAuthorizer(STORAGE);
    private static final NodeAuthorizer NODES = new NodeAuthorizer(STORAGE);
    private static final AuthorizerChain CHAIN = new AuthorizerChain(List.of(NODES, RBAC));
    private static final TokenSettings SETTINGS = TokenSettings.of("https://kubernetes.default.svc");
    private static final TokenKeys KEYS = TokenKeys.inMemory();
    private static final ApiServer SERVER = ApiServer.builder()
            .driver(DRIVER)
            .storage(STORAGE)
            .resources(RESOURCES)
            .authorizer(CHAIN)
            .tokens(new BearerTokens(
                    List.of(
                            new ServiceAccountTokens(STORAGE, KEYS, SETTINGS, DRIVER),
                            new BootstrapTokens(STORAGE, DRIVER, SETTINGS.audiences())),
                    SETTINGS.audiences()))
            .tokenIssuer(new TokenIssuer(STORAGE, KEYS, SETTINGS, DRIVER))
            .admission(List.of(AdmissionChain.create(
                    new AdmissionChain.Surroundings(CHAIN, RESOURCES, new RbacEscalation(CHAIN, RBAC)),
                    List.of(),
                    Set.of("NodeRestriction"),
                    Set.of())))
            .build();

    @BeforeAll
    static void furnish() {
        Bootstrap.run(STORAGE, DRIVER, new Bootstrap.Settings("10.0.0.0/16", "127.0.0.1", 443, null));
        DRIVER.settle();
        admin("POST", "/api/v1/namespaces", "{metadata: {name: shop}}");
        admin(
                "POST",
                "/api/v1/namespaces",
                "{metadata: {name: strict, labels: {pod-security.kubernetes.io/enforce: restricted}}}");
        for (String namespace : List.of("default", "shop", "strict", "kube-system")) {
            admin("POST", "/api/v1/namespaces/" + namespace + "/serviceaccounts", "{metadata: {name: default}}");
        }
        for (String node : List.of("n1", "n2")) {
            admin("POST", "/api/v1/nodes", "{metadata: {name: " + node + "}}");
        }
        for (String secret : List.of("mine", "other", "controller")) {
            admin("POST", "/api/v1/namespaces/shop/secrets", "{metadata: {name: " + secret + "}}");
        }
        pod("p1", "n1", "mine");
        pod("p2", "n2", "other");
        admin(
                "POST",
                "/api/v1/persistentvolumes",
                "{metadata: {name: v}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], claimRef: {namespace: shop, name: c},"
                        + " csi: {driver: d, volumeHandle: h, controllerPublishSecretRef: {namespace: shop, name: controller}}}}");
        // Editors of one namespace, who may do much there and nothing elsewhere.
        admin(
                "POST",
                "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings",
                "{metadata: {name: editors}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin},"
                        + " subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: eve}]}");
        admin(
                "POST",
                "/apis/rbac.authorization.k8s.io/v1/clusterroles",
                "{metadata: {name: actor}, rules: [{apiGroups: [''], resources: [users], resourceNames: [jane], verbs: [impersonate]},"
                        + " {apiGroups: [''], resources: [serviceaccounts], verbs: [impersonate]}]}");
        admin(
                "POST",
                "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
                "{metadata: {name: actor}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: actor},"
                        + " subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: actor}]}");
    }

    @AfterAll
    static void close() {
        NODES.close();
        RBAC.close();
        STORAGE.close();
        STORE.close();
        DRIVER.close();
    }

    private static void pod(String name, String node, String secret) {
        admin(
                "POST",
                "/api/v1/namespaces/shop/pods",
                "{metadata: {name: " + name + "}, spec: {nodeName: " + node
                        + ", containers: [{name: c, image: i}], volumes:" + " [{name: s, secret: {secretName: " + secret
                        + "}}, {name: v, persistentVolumeClaim: {claimName: c}}]}}");
    }

    private static ApiResponse.Whole send(
            UserInfo user, String method, String path, String yaml, Map<String, String> headers) {
        Map<String, List<String>> all = new LinkedHashMap<>();
        headers.forEach((name, value) ->
                all.computeIfAbsent(name, n -> new ArrayList<>()).addAll(List.of(value.split("\\+"))));
        all.put("content-type", List.of(method.equals("PATCH") ? "application/merge-patch+json" : "application/json"));
        int question = path.indexOf('?');
        Map<String, List<String>> query = new LinkedHashMap<>();
        if (question > 0) {
            for (String part : path.substring(question + 1).split("&")) {
                query.put(part.substring(0, part.indexOf('=')), List.of(part.substring(part.indexOf('=') + 1)));
            }
        }
        ApiResponse answer = SERVER.handle(new ApiRequest(
                method,
                question > 0 ? path.substring(0, question) : path,
                query,
                all,
                yaml.isEmpty() ? new byte[0] : body(path, yaml),
                user == null ? new ApiRequest.Peer("10.0.0.1", List.of(), null) : ApiRequest.Peer.trusted(user)));
        if (answer instanceof ApiResponse.Whole whole) {
            return whole;
        }
        if (answer instanceof ApiResponse.Watch watch) {
            watch.events().close();
        }
        return new ApiResponse.Whole(answer.code(), answer.headers(), new byte[0]);
    }

    /** YAML, with kind and version filled in from the path. */
    private static byte[] body(String path, String yaml) {
        ObjectNode object = SecurityFixture.yaml(yaml);
        String plain = path.indexOf('?') < 0 ? path : path.substring(0, path.indexOf('?'));
        io.trimtab.apiserver.RequestInfo info = io.trimtab.apiserver.RequestInfo.of(
                ApiRequest.local(UserInfo.SELF, "GET", plain, Map.of(), null, new byte[0]));
        if (!object.has("kind") && !info.resource().isEmpty() && !object.has("spec-only")) {
            var served = RESOURCES.find(info.group(), info.version(), info.resource());
            if (served != null) {
                object.put("kind", served.resource().kind())
                        .put("apiVersion", served.resource().apiVersion());
            }
        }
        object.remove("spec-only");
        return object.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void admin(String method, String path, String yaml) {
        ApiResponse.Whole answer = send(UserInfo.SELF, method, path, yaml, Map.of());
        assertThat(answer.code())
                .as(path + " " + new String(answer.body(), StandardCharsets.UTF_8))
                .isLessThan(300);
    }

    private static UserInfo user(String name) {
        if (name.equals("-")) {
            return UserInfo.ANONYMOUS;
        }
        List<String> groups = new ArrayList<>();
        if (name.startsWith("system:node:")) {
            groups.add("system:nodes");
        }
        groups.add("system:authenticated");
        return new UserInfo(name, "", groups, Map.of());
    }

    private static String message(ApiResponse.Whole answer) {
        try {
            JsonNode status = JSON.readTree(answer.body());
            return status.path("message").asText();
        } catch (IOException e) {
            return new String(answer.body(), StandardCharsets.UTF_8);
        }
    }

    // ---- Those who have no right -----------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "- | GET | /api | forbidden: User \"system:anonymous\" cannot get path \"/api\"",
                "- | GET | /metrics | forbidden: User \"system:anonymous\" cannot get path \"/metrics\"",
                "- | GET | /metrics/slis | forbidden: User \"system:anonymous\" cannot get path \"/metrics/slis\"",
                "- | GET | /openapi/v2 | cannot get path \"/openapi/v2\"",
                "- | GET | /debug/api_priority_and_fairness/dump_requests | cannot get path",
                "- | GET | /logs | cannot get path \"/logs\"",
                "- | POST | /healthz | cannot post path \"/healthz\"",
                "- | GET | /api/v1/namespaces/kube-system/secrets | cannot list resource \"secrets\"",
                "bob | GET | /metrics | cannot get path \"/metrics\"",
                "bob | GET | /api/v1/secrets | cannot list resource \"secrets\" in API group \"\" at the cluster scope",
                "bob | GET | /api/v1/secrets?watch=1 | cannot watch resource \"secrets\"",
                "bob | GET | /api/v1/watch/secrets | cannot watch resource \"secrets\"",
                "bob | GET | /api/v1/namespaces/shop/secrets/mine | cannot get resource \"secrets\"",
                "bob | HEAD | /api/v1/namespaces/shop/secrets/mine | ",
                "bob | GET | /api/v1/namespaces/shop/pods/p1/log | cannot get resource \"pods/log\"",
                "bob | GET | /api/v1/namespaces/shop/pods/p1/exec | cannot get resource \"pods/exec\"",
                "bob | POST | /api/v1/namespaces/shop/pods/p1/attach | cannot create resource \"pods/attach\"",
                "bob | GET | /api/v1/nodes/n1/proxy/metrics | cannot get resource \"nodes/proxy\"",
                "bob | DELETE | /api/v1/namespaces/shop/pods | cannot deletecollection resource \"pods\"",
                "bob | PATCH | /api/v1/namespaces/shop/pods/p1 | cannot patch resource \"pods\"",
                "bob | POST | /api/v1/namespaces/shop/serviceaccounts/default/token | cannot create resource \"serviceaccounts/token\"",
                "bob | POST | /apis/authorization.k8s.io/v1/subjectaccessreviews | cannot create resource \"subjectaccessreviews\"",
                "bob | POST | /apis/authentication.k8s.io/v1/tokenreviews | cannot create resource \"tokenreviews\"",
                "bob | GET | /apis/rbac.authorization.k8s.io/v1/clusterrolebindings | cannot list resource \"clusterrolebindings\"",
                "bob | PUT | /apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/exempt | cannot update resource \"flowschemas\"",
                "eve | GET | /api/v1/namespaces/default/secrets | cannot list resource \"secrets\"",
                "eve | GET | /api/v1/secrets | cannot list resource \"secrets\" in API group \"\" at the cluster scope",
                "eve | GET | /api/v1/nodes | cannot list resource \"nodes\"",
                "eve | DELETE | /api/v1/namespaces/shop | cannot delete resource \"namespaces\"",
                "eve | PATCH | /api/v1/namespaces/shop | cannot patch resource \"namespaces\"",
                "eve | PUT | /api/v1/namespaces/shop/finalize | cannot update resource \"namespaces/finalize\"",
                "eve | POST | /api/v1/namespaces/shop/pods/p1/binding | cannot create resource \"pods/binding\"",
                "eve | GET | /api/v1/namespaces/shop/../default/secrets | ",
                "eve | GET | /api/v1/namespaces/shop/resourcequotas/x/status | ",
            })
    void givenNoRight_whenSomebodyTries_thenForbidden(String name, String method, String path, String message) {
        ApiResponse.Whole answer = send(user(name), method, path, "", Map.of());

        if (message == null) {
            assertThat(answer.code()).isIn(403, 404, 405);
        } else {
            assertThat(answer.code()).as(message(answer)).isEqualTo(403);
            assertThat(message(answer)).contains(message);
        }
    }

    @ParameterizedTest
    @CsvSource({"/healthz", "/livez", "/readyz", "/version", "/version/"})
    void givenNobodyInParticular_whenHealthAndVersionAreAsked_thenThatIsAllowedAndNothingElse(String path) {
        // There are no handlers for them here: what is not forbidden is not found.
        assertThat(send(UserInfo.ANONYMOUS, "GET", path, "", Map.of()).code()).isEqualTo(404);
    }

    // ---- Those who would take rights -------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "eve | POST | /apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles | {metadata: {name: r}, rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]} | attempting to grant RBAC permissions not currently held",
                "eve | POST | /apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles | {metadata: {name: r}, rules: [{apiGroups: [''], resources: [nodes], verbs: [get]}]} | attempting to grant",
                "eve | POST | /apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles | {metadata: {name: r}, rules: [{apiGroups: [''], resources: [pods], verbs: ['*']}]} | attempting to grant",
                "eve | POST | /apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings | {metadata: {name: b}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: eve}]} | attempting to grant",
                "eve | POST | /apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings | {metadata: {name: b}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: 'system:node'}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: eve}]} | attempting to grant",
                "eve | POST | /apis/rbac.authorization.k8s.io/v1/clusterroles | {metadata: {name: r}, rules: []} | cannot create resource \"clusterroles\"",
                "eve | POST | /apis/rbac.authorization.k8s.io/v1/clusterrolebindings | {metadata: {name: b}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}, subjects: []} | cannot create resource \"clusterrolebindings\"",
                "eve | PATCH | /apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings/editors | {spec-only: 1, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'system:unauthenticated'}], roleRef: {name: cluster-admin}} | ",
                "eve | POST | /api/v1/namespaces/strict/pods | {metadata: {name: x}, spec: {containers: [{name: c, image: i}]}} | cannot create resource \"pods\"",
            })
    void givenAnEditorOfANamespace_whenItReachesForMore_thenForbidden(
            String name, String method, String path, String body, String message) {
        ApiResponse.Whole answer = send(user(name), method, path, body, Map.of());

        assertThat(answer.code()).as(message(answer)).isIn(403, 422);
        if (message != null) {
            assertThat(message(answer)).contains(message);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "bob | impersonate-user: jane | users \"jane\" is forbidden: User \"bob\" cannot impersonate resource \"users\"",
                "eve | impersonate-user: system:serviceaccount:default:default | cannot impersonate resource \"serviceaccounts\"",
                "actor | impersonate-user: root | users \"root\" is forbidden: User \"actor\" cannot impersonate resource \"users\"",
                "actor | impersonate-user: jane; impersonate-group: system:masters | groups \"system:masters\" is forbidden",
                "actor | impersonate-user: jane; impersonate-uid: 7 | uids.authentication.k8s.io \"7\" is forbidden",
                "actor | impersonate-user: jane; impersonate-extra-scopes: all | userextras.authentication.k8s.io \"all\" is forbidden",
                "actor | impersonate-user: system:serviceaccount:shop:a:b | users \"system:serviceaccount:shop:a:b\" is forbidden",
                "actor | impersonate-user: system:serviceaccount:SHOP:default | users \"system:serviceaccount:SHOP:default\" is forbidden",
                "actor | impersonate-user: system:serviceaccount:: | users \"system:serviceaccount::\" is forbidden",
                "actor | impersonate-user: system:anonymous | users \"system:anonymous\" is forbidden",
                "actor | impersonate-user: system:serviceaccount:shop:default; impersonate-group: system:masters | groups \"system:masters\" is forbidden",
            })
    void givenFewRights_whenSomebodyActsAsAnother_thenForbidden(String name, String headers, String message) {
        Map<String, String> all = new LinkedHashMap<>();
        for (String header : headers.split("; ")) {
            all.put(header.substring(0, header.indexOf(": ")), header.substring(header.indexOf(": ") + 2));
        }

        ApiResponse.Whole answer = send(user(name), "GET", "/api/v1/namespaces/shop/secrets", "", all);

        assertThat(answer.code()).as(message(answer)).isEqualTo(403);
        assertThat(message(answer)).contains(message);
    }

    @Test
    void givenSomebodyWhoActsAsAnother_whenItAsks_thenItHasThatOnesRightsAndNotItsOwn() {
        ApiResponse.Whole answer = send(
                UserInfo.of("root", "system:masters"),
                "GET",
                "/api/v1/namespaces/shop/secrets",
                "",
                Map.of("impersonate-user", "bob"));

        assertThat(answer.code()).isEqualTo(403);
        assertThat(message(answer)).contains("User \"bob\" cannot list");
    }

    // ---- Nodes -----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GET | /api/v1/namespaces/shop/secrets/other | | no relationship found between node 'n1' and this object",
                "GET | /api/v1/namespaces/shop/secrets/controller | | no relationship found between node 'n1' and this object",
                "GET | /api/v1/namespaces/shop/secrets | | No Object name found",
                "GET | /api/v1/secrets | | can only read namespaced object of this type",
                "PUT | /api/v1/namespaces/shop/secrets/mine | {metadata: {name: mine}} | can only read resources of this type",
                "GET | /api/v1/namespaces/shop/pods/p2 | | no relationship found",
                "GET | /api/v1/pods | | can only list/watch pods with spec.nodeName field selector",
                "GET | /api/v1/pods?fieldSelector=spec.nodeName=n2 | | can only list/watch pods",
                "GET | /api/v1/pods?fieldSelector=spec.nodeName!=n1 | | can only list/watch pods",
                "GET | /api/v1/nodes | | node 'n1' cannot read all nodes, only its own Node object",
                "GET | /api/v1/nodes/n2 | | node 'n1' cannot read 'n2', only its own Node object",
                "DELETE | /api/v1/nodes/n1 | | cannot delete resource \"nodes\"",
                "PATCH | /api/v1/nodes/n2 | {spec-only: 1, metadata: {labels: {a: b}}} | node \"n1\" is not allowed to modify node \"n2\"",
                "PATCH | /api/v1/nodes/n2/status | {spec-only: 1, status: {phase: x}} | node \"n1\" is not allowed to modify node \"n2\"",
                "PATCH | /api/v1/nodes/n1 | {spec-only: 1, spec: {taints: [{key: a, effect: NoExecute}]}} | node \"n1\" is not allowed to modify taints",
                "PATCH | /api/v1/nodes/n1 | {spec-only: 1, metadata: {labels: {node-restriction.kubernetes.io/a: b}}} | is not allowed to modify labels: node-restriction.kubernetes.io/a",
                "PATCH | /api/v1/nodes/n1 | {spec-only: 1, metadata: {labels: {node-role.kubernetes.io/control-plane: ''}}} | is not allowed to modify labels: node-role.kubernetes.io/control-plane",
                "PATCH | /api/v1/nodes/n1 | {spec-only: 1, metadata: {ownerReferences: [{apiVersion: v1, kind: Pod, name: a, uid: u}]}} | node \"n1\" is not allowed to modify ownerReferences",
                "POST | /api/v1/nodes | {metadata: {name: n3}} | node \"n1\" is not allowed to modify node \"n3\"",
                "POST | /api/v1/nodes | {metadata: {name: n1, labels: {evil.k8s.io/a: b}}} | ",
                "POST | /api/v1/namespaces/shop/pods | {metadata: {name: x}, spec: {nodeName: n1, containers: [{name: c, image: i}]}} | node \"n1\" can only create mirror pods",
                "DELETE | /api/v1/namespaces/shop/pods/p2 | | node \"n1\" can only delete pods with spec.nodeName set to itself",
                "PATCH | /api/v1/namespaces/shop/pods/p1 | {spec-only: 1, metadata: {labels: {a: b}}} | cannot patch resource \"pods\"",
                "PATCH | /api/v1/namespaces/shop/pods/p2/status | {spec-only: 1, status: {message: x}} | can only update pod status for pods with spec.nodeName set to itself",
                "PATCH | /api/v1/namespaces/shop/pods/p1/status | {spec-only: 1, metadata: {labels: {a: b}}} | node \"n1\" cannot update labels through pod status",
                "POST | /api/v1/namespaces/shop/pods/p2/eviction | {kind: Eviction, apiVersion: policy/v1, metadata: {name: p2}} | can only evict pods with spec.nodeName set to itself",
                "POST | /api/v1/namespaces/shop/pods/p1/binding | {kind: Binding, apiVersion: v1, metadata: {name: p1}, target: {kind: Node, name: n1}} | cannot create resource \"pods/binding\"",
                "POST | /api/v1/namespaces/kube-system/serviceaccounts/default/token | {kind: TokenRequest, apiVersion: authentication.k8s.io/v1, spec: {}} | no relationship found",
                "POST | /api/v1/namespaces/shop/serviceaccounts/default/token | {kind: TokenRequest, apiVersion: authentication.k8s.io/v1, spec: {}} | node requested token not bound to a pod",
                "POST | /api/v1/namespaces/shop/serviceaccounts/default/token | {kind: TokenRequest, apiVersion: authentication.k8s.io/v1, spec: {boundObjectRef: {apiVersion: v1, kind: Secret, name: mine, uid: x}}} | node requested token not bound to a pod",
                "POST | /api/v1/namespaces/shop/serviceaccounts/default/token | {kind: TokenRequest, apiVersion: authentication.k8s.io/v1, spec: {boundObjectRef: {apiVersion: v1, kind: Pod, name: p1}}} | node requested token with a pod binding without a uid",
                "POST | /api/v1/namespaces/shop/serviceaccounts/default/token | {kind: TokenRequest, apiVersion: authentication.k8s.io/v1, spec: {boundObjectRef: {apiVersion: v1, kind: Pod, name: p1, uid: wrong}}} | does not match the UID in record",
                "GET | /apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x | | can only access leases in the \"kube-node-lease\" system namespace",
                "POST | /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases | {metadata: {name: n2}} | can only access node lease with the same name as the requesting node",
                "POST | /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases | {metadata: {generateName: n}} | can only access node lease with the same name as the requesting node",
                "POST | /apis/storage.k8s.io/v1/csinodes | {metadata: {name: n2}, spec: {drivers: []}} | can only access CSINode with the same name as the requesting node",
                "POST | /apis/rbac.authorization.k8s.io/v1/clusterrolebindings | {metadata: {name: x}} | cannot create resource \"clusterrolebindings\"",
            })
    void givenANode_whenItReachesForWhatIsNotItsOwn_thenForbidden(
            String method, String path, String body, String message) {
        ApiResponse.Whole answer = send(user("system:node:n1"), method, path, body == null ? "" : body, Map.of());

        assertThat(answer.code()).as(message(answer)).isEqualTo(403);
        if (message != null) {
            assertThat(message(answer)).contains(message);
        }
    }

    @Test
    void givenANode_whenItAsksForItsOwn_thenItGetsIt() {
        UserInfo node = user("system:node:n1");

        assertThat(send(node, "GET", "/api/v1/namespaces/shop/secrets/mine", "", Map.of())
                        .code())
                .isEqualTo(200);
        assertThat(send(node, "GET", "/api/v1/nodes/n1", "", Map.of()).code()).isEqualTo(200);
        assertThat(send(node, "GET", "/api/v1/pods?fieldSelector=spec.nodeName=n1", "", Map.of())
                        .code())
                .isEqualTo(200);
    }

    // ---- Tokens ----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Bearer wrong",
                "Bearer a.b.c",
                "Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2t1YmVybmV0ZXMuZGVmYXVsdC5zdmMifQ.",
                "Bearer abcdef.0123456789abcdef",
                "bearer  wrong",
            })
    void givenABadToken_whenShown_thenRefusedAndNotServedAsAnybody(String header) {
        ApiResponse.Whole answer = send(null, "GET", "/version", "", Map.of("authorization", header));

        // Two spaces: nothing that a token could be, so nobody in particular asks.
        assertThat(answer.code()).isEqualTo(header.contains("  ") ? 404 : 401);
    }

    @Test
    void givenAPrivilegedPod_whenItsNamespaceIsStrict_thenNotEvenAnEditorMayMakeIt() {
        ApiResponse.Whole answer = send(
                UserInfo.of("root", "system:masters"),
                "POST",
                "/api/v1/namespaces/strict/pods",
                "{metadata: {name: x}, spec: {hostNetwork: true, containers: [{name: c, image: i, securityContext: {privileged: true}}]}}",
                Map.of());

        assertThat(answer.code()).isEqualTo(403);
        assertThat(message(answer)).contains("violates PodSecurity \"restricted:latest\"");
    }
}
