package io.trimtab.apiserver.injvm;

import io.fabric8.kubernetes.client.http.StandardHttpClientBuilder;
import java.util.concurrent.atomic.AtomicBoolean;

/** Builds an {@link InJvmHttpClient}. For one thread. */
final class InJvmHttpClientBuilder
        extends StandardHttpClientBuilder<InJvmHttpClient, InJvmHttpClientFactory, InJvmHttpClientBuilder> {

    InJvmHttpClientBuilder(InJvmHttpClientFactory factory) {
        super(factory);
    }

    @Override
    public InJvmHttpClient build() {
        // A client derived from another is closed with it.
        InJvmHttpClient parent = client;
        return parent == null
                ? new InJvmHttpClient(this, clientFactory, new AtomicBoolean(), new OpenStreams())
                : new InJvmHttpClient(this, clientFactory, parent.getClosed(), parent.streams());
    }

    @Override
    protected InJvmHttpClientBuilder newInstance(InJvmHttpClientFactory factory) {
        return new InJvmHttpClientBuilder(factory);
    }
}
