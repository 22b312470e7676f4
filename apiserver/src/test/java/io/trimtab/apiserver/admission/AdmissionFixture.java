package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.admission.AdmissionPlugin.Attributes;
import io.trimtab.apiserver.admission.AdmissionPlugin.Operation;
import io.trimtab.apiserver.auth.AuthorizerChain;
import io.trimtab.apiserver.auth.RbacAuthorizer;
import io.trimtab.apiserver.auth.RbacEscalation;
import io.trimtab.apiserver.auth.SecurityFixture;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.resource.KindRegistry;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Writes that go through both phases of admission, over a storage in memory. */
final class AdmissionFixture implements AutoCloseable {
    static final UserInfo BOB = UserInfo.of("bob", "system:authenticated");
    static final UserInfo NODE = UserInfo.of("system:node:n1", "system:nodes", "system:authenticated");
    static final ResourceRegistry RESOURCES = ResourceRegistry.builtIn(KindRegistry.PLAIN);

    final SecurityFixture cluster = new SecurityFixture();
    final RbacAuthorizer rbac = new RbacAuthorizer(cluster.storage);
    final List<String> warnings = new ArrayList<>();
    private AdmissionChain chain = chain(Set.of(), Set.of());

    AdmissionFixture() {
        namespace("default", "");
        cluster.put(CoreResources.SERVICE_ACCOUNTS, "metadata: {name: default, namespace: default}");
    }

    AdmissionChain chain(Set<String> enable, Set<String> disable) {
        AuthorizerChain authorizer = new AuthorizerChain(List.of(rbac));
        return AdmissionChain.create(
                new AdmissionChain.Surroundings(authorizer, RESOURCES, new RbacEscalation(authorizer, rbac)),
                List.of(),
                enable,
                disable);
    }

    void enable(String... names) {
        chain = chain(Set.of(names), Set.of());
    }

    void namespace(String name, String labels) {
        cluster.put(
                CoreResources.NAMESPACES,
                "metadata: {name: " + name + ", labels: {" + labels + "}}\nstatus: {phase: Active}");
    }

    ObjectNode create(ApiResource resource, String yaml) {
        return create(BOB, resource, "", yaml, false);
    }

    ObjectNode create(UserInfo user, ApiResource resource, String subresource, String yaml, boolean dryRun) {
        ObjectNode object = SecurityFixture.yaml(yaml);
        String name = object.path("metadata").path("name").asText("");
        write(Operation.CREATE, user, resource, subresource, name, object, null, dryRun);
        return object;
    }

    ObjectNode update(UserInfo user, ApiResource resource, String subresource, String old, String yaml) {
        ObjectNode object = SecurityFixture.yaml(yaml);
        String name = object.path("metadata").path("name").asText("");
        write(Operation.UPDATE, user, resource, subresource, name, object, SecurityFixture.yaml(old), false);
        return object;
    }

    void delete(UserInfo user, ApiResource resource, String name) {
        write(Operation.DELETE, user, resource, "", name, null, null, false);
    }

    private void write(
            Operation operation,
            UserInfo user,
            ApiResource resource,
            String subresource,
            String name,
            @Nullable ObjectNode object,
            @Nullable ObjectNode old,
            boolean dryRun) {
        String namespace = resource.namespaced() ? "default" : "";
        if (object != null && object.path("metadata").has("namespace")) {
            namespace = object.path("metadata").path("namespace").asText();
        }
        if (resource.equals(CoreResources.NAMESPACES)) {
            namespace = name;
        }
        Attributes attributes = new Attributes(
                operation,
                object,
                old,
                JsonNodeFactory.instance.objectNode(),
                new WriteContext(
                        resource,
                        subresource,
                        namespace,
                        name,
                        dryRun,
                        user,
                        cluster.storage,
                        cluster.driver,
                        warnings));
        chain.admit(attributes);
        chain.validate(attributes);
    }

    @Override
    public void close() {
        cluster.close();
    }
}
