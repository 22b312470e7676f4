package io.trimtab.apiserver.injvm;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.client.ListWatch;
import io.trimtab.client.ListWatchSource;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.runtime.Driver;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Lists and watches for one user, straight from the storage. Resources whose served version is not the stored one are left to
 * the long way, which converts them. Safe for use by any thread.
 */
final class StorageListWatchSource implements ListWatchSource {
    private final ResourceRegistry registry;
    private final Storage storage;
    private final @Nullable Authorizer authorizer;
    private final UserInfo user;
    private final Driver driver;
    private final TypedObjects typed;

    /** @param authorizer null if the user may read everything */
    StorageListWatchSource(
            ResourceRegistry registry,
            Storage storage,
            @Nullable Authorizer authorizer,
            UserInfo user,
            Driver driver,
            TypedObjects typed) {
        this.registry = registry;
        this.storage = storage;
        this.authorizer = authorizer;
        this.user = user;
        this.driver = driver;
        this.typed = typed;
    }

    @Override
    public <T extends HasMetadata> Optional<ListWatch<T>> listWatch(
            ResourceType<T> type, WatchScope scope, String userAgent) {
        Served served = registry.find(type.group(), type.version(), type.plural());
        if (served == null
                || served.conversion() != null
                || !served.resource().hasVerb("list")
                || !served.resource().hasVerb("watch")) {
            return Optional.empty();
        }
        return Optional.of(new StorageListWatch<>(this, served.resource(), type, scope));
    }

    Storage storage() {
        return storage;
    }

    Driver driver() {
        return driver;
    }

    TypedObjects typed() {
        return typed;
    }

    /** @throws StatusException 403 if the user may not, 404 if the resource is served no longer */
    void check(String verb, ApiResource resource, WatchScope scope) {
        if (registry.find(resource.group(), resource.version(), resource.plural()) == null) {
            throw Statuses.noSuchResource();
        }
        if (authorizer == null) {
            return;
        }
        String namespace = scope.namespace() == null ? "" : scope.namespace();
        Authorizer.Decision decision = authorizer.authorize(
                user,
                new Authorizer.Attributes(
                        verb,
                        resource.group(),
                        resource.version(),
                        resource.plural(),
                        "",
                        namespace,
                        "",
                        true,
                        "",
                        scope.fieldSelector() == null ? "" : scope.fieldSelector(),
                        scope.labelSelector() == null ? "" : scope.labelSelector()));
        if (decision.verdict() != Authorizer.Verdict.ALLOW) {
            String where = namespace.isEmpty() ? "at the cluster scope" : "in the namespace \"" + namespace + "\"";
            String reason = decision.reason().isEmpty() ? "" : ": " + decision.reason();
            throw Statuses.forbidden(
                    resource.group(),
                    resource.plural(),
                    "",
                    "User \"" + user.name() + "\" cannot " + verb + " resource \"" + resource.plural()
                            + "\" in API group \"" + resource.group() + "\" " + where + reason);
        }
    }
}
