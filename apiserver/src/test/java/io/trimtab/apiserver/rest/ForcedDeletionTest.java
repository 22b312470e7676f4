package io.trimtab.apiserver.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.kinds.Kinds;
import io.trimtab.apiserver.kinds.KindsOptions;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.storage.EventSource;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.apiserver.store.MemoryStore;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A deletion without grace marks the pod before it removes it, and whoever sees the mark may be quicker. */
class ForcedDeletionTest {
    private static final String PODS = "/api/v1/namespaces/default/pods";
    private static final String NOW = "{\"gracePeriodSeconds\":0}";

    /** Lets somebody act after each write. */
    private record Disturbed(Storage storage, BiConsumer<ApiResource, StoredObject> afterWrite) implements Storage {
        @Override
        public long revision() {
            return storage.revision();
        }

        @Override
        public Optional<StoredObject> get(ApiResource resource, @Nullable String namespace, String name) {
            return storage.get(resource, namespace, name);
        }

        @Override
        public StoredObject create(ApiResource resource, ObjectNode object) {
            return storage.create(resource, object);
        }

        @Override
        public Optional<StoredObject> replace(ApiResource resource, StoredObject expected, ObjectNode object) {
            Optional<StoredObject> written = storage.replace(resource, expected, object);
            written.ifPresent(w -> afterWrite.accept(resource, w));
            return written;
        }

        @Override
        public StoredObject update(
                ApiResource resource, @Nullable String namespace, String name, UnaryOperator<ObjectNode> change) {
            return storage.update(resource, namespace, name, change);
        }

        @Override
        public Optional<StoredObject> delete(ApiResource resource, StoredObject expected) {
            return storage.delete(resource, expected);
        }

        @Override
        public Listing list(ApiResource resource, ListQuery query) {
            return storage.list(resource, query);
        }

        @Override
        public EventSource watch(ApiResource resource, WatchQuery query) {
            return storage.watch(resource, query);
        }
    }

    private @Nullable Storage storage;

    private TestServer server(BiConsumer<ApiResource, StoredObject> afterWrite) {
        TestServer server = new TestServer(builder -> {
            ResourceRegistry resources = ResourceRegistry.builtIn(new Kinds(KindsOptions.DEFAULT).registry());
            io.trimtab.runtime.VirtualDriver driver = io.trimtab.runtime.VirtualDriver.create();
            DefaultStorage real = new DefaultStorage(MemoryStore.create(), driver, resources::selectableFields);
            storage = real;
            return builder.resources(resources).storage(new Disturbed(real, afterWrite));
        });
        server.post(
                PODS,
                "{\"metadata\":{\"name\":\"web\"},\"spec\":{\"nodeName\":\"node-1\",\"containers\":[{\"name\":\"c\","
                        + "\"image\":\"i\"}]}}");
        return server;
    }

    @Test
    void givenTheNodeRemovesAMarkedPodFirst_whenItIsDeletedByForce_thenThatIsSuccess() {
        TestServer server = server((resource, written) -> storage.delete(resource, written));

        TestServer.Answer answer = server.delete(PODS + "/web", NOW);

        assertThat(answer.code()).isEqualTo(200);
        assertThat(answer.at("/metadata/name")).isEqualTo("web");
        assertThat(server.get(PODS + "/web").code()).isEqualTo(404);
    }

    @Test
    void givenTheNodeWritesToAMarkedPod_whenItIsDeletedByForce_thenItGoesAllTheSame() {
        TestServer server =
                server((resource, written) -> storage.update(resource, written.namespace(), written.name(), tree -> {
                    ObjectNode changed = tree.deepCopy();
                    changed.withObjectProperty("status").put("phase", "Running");
                    return changed;
                }));

        assertThat(server.delete(PODS + "/web", NOW).code()).isEqualTo(200);
        assertThat(server.get(PODS + "/web").code()).isEqualTo(404);
    }
}
