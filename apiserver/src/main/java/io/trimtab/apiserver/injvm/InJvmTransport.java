package io.trimtab.apiserver.injvm;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.RequestConfigBuilder;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.client.FabricClient;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.ListWatchSource;
import io.trimtab.runtime.Driver;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The ways to an API server in the same JVM. Whoever holds this may act as anybody: hand out clients, not the transport. Safe
 * for use by any thread.
 */
public final class InJvmTransport {
    /** No socket has this name; it makes URLs complete, and messages readable. */
    public static final String BASE_URL = "http://trimtab.local";

    private final Function<ApiRequest, ApiResponse> server;
    private final Driver driver;
    private final @Nullable ResourceRegistry registry;
    private final @Nullable Storage storage;
    private final @Nullable Authorizer authorizer;
    private final TypedObjects typed = new TypedObjects();

    private InJvmTransport(
            Function<ApiRequest, ApiResponse> server,
            Driver driver,
            @Nullable ResourceRegistry registry,
            @Nullable Storage storage,
            @Nullable Authorizer authorizer) {
        this.server = server;
        this.driver = driver;
        this.registry = registry;
        this.storage = storage;
        this.authorizer = authorizer;
    }

    /** A transport that has the server's function only: informers list and watch by requests. */
    public static InJvmTransport of(Function<ApiRequest, ApiResponse> server, Driver driver) {
        return new InJvmTransport(server, driver, null, null, null);
    }

    /**
     * A transport whose informers read the storage.
     *
     * @param server {@code ApiServer::handle}
     * @param authorizer asked before each list and watch; null if everybody may read everything
     */
    public static InJvmTransport of(
            Function<ApiRequest, ApiResponse> server,
            Driver driver,
            ResourceRegistry registry,
            Storage storage,
            @Nullable Authorizer authorizer) {
        return new InJvmTransport(server, driver, registry, storage, authorizer);
    }

    /** Answers one request, as any client of this transport would have it answered. */
    public ApiResponse handle(ApiRequest request) {
        return server.apply(request);
    }

    /** Makes HTTP clients that act as this user, for Fabric8 and all that is built on it. */
    public InJvmHttpClientFactory httpClientFactory(UserInfo user) {
        return new InJvmHttpClientFactory(server, driver, user, listWatchSource(user));
    }

    /** A Fabric8 client that acts as this user. The caller closes it. */
    public KubernetesClient kubernetesClient(UserInfo user) {
        Config config = new ConfigBuilder(Config.empty())
                .withMasterUrl(BASE_URL)
                .withNamespace("default")
                .build();
        return new KubernetesClientBuilder()
                .withConfig(config)
                .withHttpClientFactory(httpClientFactory(user))
                .withTaskExecutor(driver::execute)
                // A serialization of its own would look at every class of the model anew: that takes longer than all
                // else.
                .withKubernetesSerialization(KubernetesJson.serialization())
                .build();
    }

    /** A client of ours that acts as this user, with informers that read the storage. The caller closes it. */
    public FabricClient client(UserInfo user, ClientOptions options) {
        InJvmHttpClientBuilder http = httpClientFactory(user).newBuilder();
        // Fabric8 would repeat failed requests on threads of its own, in real time.
        http.tag(new RequestConfigBuilder()
                .withRequestRetryBackoffLimit(0)
                .withRequestTimeout(0)
                .build());
        return Clients.over(http.build(), BASE_URL, driver, options);
    }

    /** The list and watch of this user; null if this transport has no storage. */
    public @Nullable ListWatchSource listWatchSource(UserInfo user) {
        return registry == null || storage == null
                ? null
                : new StorageListWatchSource(registry, storage, authorizer, user, driver, typed);
    }
}
