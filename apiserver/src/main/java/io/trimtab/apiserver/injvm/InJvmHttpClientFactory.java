package io.trimtab.apiserver.injvm;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.utils.HttpClientUtils;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.client.ListWatchSource;
import io.trimtab.runtime.Driver;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes HTTP clients that call the API server's function. Requests are made as one user, unless a request carries a token or
 * impersonates. Safe for use by any thread.
 */
public final class InJvmHttpClientFactory implements HttpClient.Factory {
    private final Function<ApiRequest, ApiResponse> server;
    private final Driver driver;
    private final UserInfo user;
    private final @Nullable ListWatchSource source;

    /** @param source the shorter way to list and watch; null if there is none for this user */
    InJvmHttpClientFactory(
            Function<ApiRequest, ApiResponse> server, Driver driver, UserInfo user, @Nullable ListWatchSource source) {
        this.server = server;
        this.driver = driver;
        this.user = user;
        this.source = source;
    }

    @Override
    public InJvmHttpClientBuilder newBuilder() {
        return new InJvmHttpClientBuilder(this);
    }

    /** Takes over what a configuration says of requests; what it says of connections means nothing here. */
    @Override
    public InJvmHttpClientBuilder newBuilder(Config config) {
        InJvmHttpClientBuilder builder = newBuilder();
        builder.tag(config.getRequestConfig());
        HttpClientUtils.createApplicableInterceptors(config, this).forEach(builder::addOrReplaceInterceptor);
        return builder;
    }

    Function<ApiRequest, ApiResponse> server() {
        return server;
    }

    Driver driver() {
        return driver;
    }

    UserInfo user() {
        return user;
    }

    @Nullable
    ListWatchSource source() {
        return source;
    }
}
