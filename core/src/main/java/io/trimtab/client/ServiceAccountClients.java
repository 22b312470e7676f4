package io.trimtab.client;

import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.authentication.TokenRequest;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Gives each component a client that acts as the component's own ServiceAccount, so that each has no more rights than it needs
 * and the audit log tells them apart. Accounts are made when they are missing; tokens are asked for when they are first needed
 * and again well before they expire. Components without an account act as the connection does. Safe for use by any thread.
 */
public final class ServiceAccountClients implements Function<String, Client>, AutoCloseable {
    private static final ResourceType<ServiceAccount> ACCOUNTS = ResourceType.of(ServiceAccount.class);
    private static final Duration TOKEN_LIFE = Duration.ofHours(1);

    private final FabricClient root;
    private final FabricClient bare;
    private final Driver driver;
    private final String namespace;
    private final Set<String> accounts;
    private final ConcurrentMap<String, Tokens> tokens = new ConcurrentHashMap<>();

    private ServiceAccountClients(
            FabricClient root, FabricClient bare, Driver driver, String namespace, Set<String> accounts) {
        this.root = root;
        this.bare = bare;
        this.driver = driver;
        this.namespace = namespace;
        this.accounts = Set.copyOf(accounts);
    }

    /**
     * Clients over the server of a configuration.
     *
     * @param root may get and create ServiceAccounts, and create their tokens; stays the caller's
     * @param config where the server is and how it is trusted; its credentials are not used
     * @param namespace of the accounts
     * @param accounts the components that have one of their own name
     */
    public static ServiceAccountClients create(
            FabricClient root,
            Config config,
            Driver driver,
            ClientOptions options,
            String namespace,
            Set<String> accounts) {
        // A connection of its own: a client certificate would go before any token.
        Config bare = new ConfigBuilder(Config.empty())
                .withMasterUrl(config.getMasterUrl())
                .withCaCertData(config.getCaCertData())
                .withCaCertFile(config.getCaCertFile())
                .withTrustCerts(config.isTrustCerts())
                .withDisableHostnameVerification(config.isDisableHostnameVerification())
                .withHttpProxy(config.getHttpProxy())
                .withHttpsProxy(config.getHttpsProxy())
                .withNoProxy(config.getNoProxy())
                .build();
        return new ServiceAccountClients(root, Clients.connect(bare, driver, options), driver, namespace, accounts);
    }

    @Override
    public Client apply(String component) {
        if (!accounts.contains(component)) {
            return root.clientFor(component);
        }
        return bare.clientFor(component, tokens.computeIfAbsent(component, Tokens::new));
    }

    @Override
    public void close() {
        bare.close();
    }

    /** The tokens of one account. */
    private final class Tokens implements FabricClient.TokenSource {
        private final String account;
        private final ReentrantLock lock = new ReentrantLock();
        private volatile @Nullable Held held;

        /** @param renewAt when the next token is to be asked for */
        private record Held(String token, Instant renewAt) {}

        Tokens(String account) {
            this.account = account;
        }

        @Override
        public String token() {
            Held now = held;
            if (now != null && driver.now().isBefore(now.renewAt)) {
                return now.token;
            }
            lock.lock();
            try {
                now = held;
                if (now == null || !driver.now().isBefore(now.renewAt)) {
                    now = request();
                    held = now;
                }
                return now.token;
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void refused(String token) {
            Held now = held;
            if (now != null && now.token.equals(token)) {
                held = null;
            }
        }

        private Held request() {
            if (root.get(ACCOUNTS, namespace, account).isEmpty()) {
                make();
            }
            Instant asked = driver.now();
            TokenRequest request = new TokenRequestBuilder()
                    .withNewSpec()
                    .withExpirationSeconds(TOKEN_LIFE.toSeconds())
                    .endSpec()
                    .build();
            TokenRequest answer =
                    root.createSubresource(ACCOUNTS, namespace, account, "token", request, TokenRequest.class);
            if (answer.getStatus() == null || answer.getStatus().getToken() == null) {
                throw new ApiException("no token for ServiceAccount " + namespace + "/" + account, null);
            }
            Duration life = TOKEN_LIFE;
            if (answer.getStatus().getExpirationTimestamp() != null) {
                life = Duration.between(asked, Instant.parse(answer.getStatus().getExpirationTimestamp()));
            }
            return new Held(
                    answer.getStatus().getToken(),
                    asked.plus(life.multipliedBy(4).dividedBy(5)));
        }

        private void make() {
            try {
                root.create(
                        ACCOUNTS,
                        new ServiceAccountBuilder()
                                .withNewMetadata()
                                .withNamespace(namespace)
                                .withName(account)
                                .endMetadata()
                                .build());
            } catch (ApiException e) {
                if (!e.isAlreadyExists()) {
                    throw e;
                }
            }
        }
    }
}
