package io.trimtab.tracing;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Scope;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.ListWatch;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.client.WriteMode;
import io.trimtab.client.Written;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A client whose requests are spans. Lists and watches of caches are not: they belong to nobody's reconcile. */
final class TracedClient implements Client {
    private static final AttributeKey<String> RESOURCE = AttributeKey.stringKey("k8s.resource.type");
    private static final AttributeKey<Long> CODE = AttributeKey.longKey("http.response.status_code");

    private final Client client;
    private final Tracer tracer;

    TracedClient(Client client, Tracer tracer) {
        this.client = client;
        this.tracer = tracer;
    }

    private <R> R traced(
            String verb, String resource, @Nullable String namespace, @Nullable String name, Supplier<R> call) {
        Span span = tracer.spanBuilder(verb + " " + resource)
                .setSpanKind(SpanKind.CLIENT)
                .setAttribute(RESOURCE, resource)
                .startSpan();
        if (namespace != null && !namespace.isEmpty()) {
            span.setAttribute(Tracing.NAMESPACE, namespace);
        }
        if (name != null) {
            span.setAttribute(Tracing.NAME, name);
        }
        Scope current = span.makeCurrent();
        try {
            return call.get();
        } catch (ApiException e) {
            if (e.code() > 0) {
                span.setAttribute(CODE, (long) e.code());
            }
            span.setStatus(StatusCode.ERROR, String.valueOf(e.getMessage()));
            throw e;
        } catch (RuntimeException e) {
            span.recordException(e);
            span.setStatus(StatusCode.ERROR);
            throw e;
        } finally {
            current.close();
            span.end();
        }
    }

    private <R> R traced(String verb, ResourceType<?> type, HasMetadata object, Supplier<R> call) {
        return traced(
                verb,
                type.qualifiedName(),
                object.getMetadata().getNamespace(),
                object.getMetadata().getName(),
                call);
    }

    @Override
    public <T extends HasMetadata> Optional<T> get(ResourceType<T> type, @Nullable String namespace, String name) {
        return traced("get", type.qualifiedName(), namespace, name, () -> client.get(type, namespace, name));
    }

    @Override
    public <T extends HasMetadata> Page<T> list(ResourceType<T> type, @Nullable String namespace, ListOptions options) {
        return traced("list", type.qualifiedName(), namespace, null, () -> client.list(type, namespace, options));
    }

    @Override
    public <T extends HasMetadata> T create(ResourceType<T> type, T object) {
        return traced("create", type, object, () -> client.create(type, object));
    }

    @Override
    public <T extends HasMetadata> Written createOnly(ResourceType<T> type, T object) {
        return traced("create", type, object, () -> client.createOnly(type, object));
    }

    @Override
    public <T extends HasMetadata> T update(ResourceType<T> type, T object) {
        return traced("update", type, object, () -> client.update(type, object));
    }

    @Override
    public <T extends HasMetadata> T updateStatus(ResourceType<T> type, T object) {
        return traced("update status", type, object, () -> client.updateStatus(type, object));
    }

    @Override
    public <T extends HasMetadata> T patch(ResourceType<T> type, @Nullable String namespace, String name, Patch patch) {
        return traced(
                verb(patch), type.qualifiedName(), namespace, name, () -> client.patch(type, namespace, name, patch));
    }

    @Override
    public <T extends HasMetadata> Written updateStatusOnly(ResourceType<T> type, T object) {
        return traced("update status", type, object, () -> client.updateStatusOnly(type, object));
    }

    @Override
    public <T extends HasMetadata> Written patchOnly(
            ResourceType<T> type, @Nullable String namespace, String name, Patch patch) {
        return traced(
                verb(patch),
                type.qualifiedName(),
                namespace,
                name,
                () -> client.patchOnly(type, namespace, name, patch));
    }

    private static String verb(Patch patch) {
        String verb = patch.kind() == Patch.Kind.APPLY ? "apply" : "patch";
        return patch.subresource() == null ? verb : verb + " " + patch.subresource();
    }

    @Override
    public void delete(ResourceType<?> type, @Nullable String namespace, String name, DeleteOptions options) {
        traced("delete", type.qualifiedName(), namespace, name, () -> {
            client.delete(type, namespace, name, options);
            return true;
        });
    }

    @Override
    public void deleteCollection(
            ResourceType<?> type, @Nullable String namespace, DeleteOptions options, ListOptions list) {
        traced("deletecollection", type.qualifiedName(), namespace, null, () -> {
            client.deleteCollection(type, namespace, options, list);
            return true;
        });
    }

    @Override
    public <R> R createSubresource(
            ResourceType<?> type,
            @Nullable String namespace,
            String name,
            String subresource,
            Object body,
            Class<R> answer) {
        return traced(
                "create " + subresource,
                type.qualifiedName(),
                namespace,
                name,
                () -> client.createSubresource(type, namespace, name, subresource, body, answer));
    }

    @Override
    public <R> R updateSubresource(
            ResourceType<?> type,
            @Nullable String namespace,
            String name,
            String subresource,
            Object body,
            Class<R> answer) {
        return traced(
                "update " + subresource,
                type.qualifiedName(),
                namespace,
                name,
                () -> client.updateSubresource(type, namespace, name, subresource, body, answer));
    }

    @Override
    public WriteMode writes() {
        return client.writes();
    }

    @Override
    public byte[] raw(String method, String pathAndQuery, byte @Nullable [] body) {
        return traced(method, pathAndQuery, null, null, () -> client.raw(method, pathAndQuery, body));
    }

    @Override
    public <T extends HasMetadata> ListWatch<T> listWatch(ResourceType<T> type, WatchScope scope) {
        return client.listWatch(type, scope);
    }
}
