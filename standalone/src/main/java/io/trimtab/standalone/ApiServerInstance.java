package io.trimtab.standalone;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.ApiServer;
import io.trimtab.apiserver.PathHandler;
import io.trimtab.apiserver.admission.AdmissionChain;
import io.trimtab.apiserver.admission.AdmissionPlugin;
import io.trimtab.apiserver.admission.EventRateLimit;
import io.trimtab.apiserver.admission.policy.MutatingPolicies;
import io.trimtab.apiserver.admission.policy.PolicyTypes;
import io.trimtab.apiserver.admission.policy.ValidatingPolicies;
import io.trimtab.apiserver.aggregation.AggregatedPaths;
import io.trimtab.apiserver.aggregation.Aggregator;
import io.trimtab.apiserver.audit.Audit;
import io.trimtab.apiserver.audit.AuditBatches;
import io.trimtab.apiserver.audit.AuditLogFile;
import io.trimtab.apiserver.audit.AuditPolicy;
import io.trimtab.apiserver.audit.AuditSink;
import io.trimtab.apiserver.audit.AuditWebhook;
import io.trimtab.apiserver.auth.Authenticator;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.BearerTokens;
import io.trimtab.apiserver.auth.BootstrapTokens;
import io.trimtab.apiserver.auth.ClientCertificates;
import io.trimtab.apiserver.auth.RbacAuthorizer;
import io.trimtab.apiserver.auth.RbacEscalation;
import io.trimtab.apiserver.auth.StaticTokens;
import io.trimtab.apiserver.auth.TokenAuthenticator;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.bootstrap.AddressRange;
import io.trimtab.apiserver.bootstrap.Bootstrap;
import io.trimtab.apiserver.bootstrap.Keeper;
import io.trimtab.apiserver.bootstrap.ServerEndpoints;
import io.trimtab.apiserver.bootstrap.ServerLease;
import io.trimtab.apiserver.callout.LocalCallouts;
import io.trimtab.apiserver.callout.WebhookServer;
import io.trimtab.apiserver.certificates.CertificateAuthority;
import io.trimtab.apiserver.certificates.Credential;
import io.trimtab.apiserver.certificates.Pem;
import io.trimtab.apiserver.customresources.CustomResourceDefinitions;
import io.trimtab.apiserver.discovery.Discovery;
import io.trimtab.apiserver.encryption.Encryption;
import io.trimtab.apiserver.flowcontrol.Dumps;
import io.trimtab.apiserver.flowcontrol.FlowControl;
import io.trimtab.apiserver.flowcontrol.FlowMetrics;
import io.trimtab.apiserver.health.HealthChecks;
import io.trimtab.apiserver.health.Index;
import io.trimtab.apiserver.health.Metrics;
import io.trimtab.apiserver.health.SnapshotPath;
import io.trimtab.apiserver.health.Version;
import io.trimtab.apiserver.health.WellKnown;
import io.trimtab.apiserver.http.HttpFrontend;
import io.trimtab.apiserver.http.HttpOptions;
import io.trimtab.apiserver.injvm.InJvmTransport;
import io.trimtab.apiserver.kinds.Kinds;
import io.trimtab.apiserver.kinds.KindsOptions;
import io.trimtab.apiserver.openapi.OpenApi;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.storage.SharedFormat;
import io.trimtab.apiserver.store.EtcdOptions;
import io.trimtab.apiserver.store.EtcdStore;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.apiserver.store.RocksStore;
import io.trimtab.apiserver.store.Store;
import io.trimtab.apiserver.table.Tables;
import io.trimtab.apiserver.tokens.LegacyTokens;
import io.trimtab.apiserver.tokens.ServiceAccountTokens;
import io.trimtab.apiserver.tokens.TokenIssuer;
import io.trimtab.apiserver.tokens.TokenKeys;
import io.trimtab.apiserver.tokens.TokenSettings;
import io.trimtab.client.Clients;
import io.trimtab.controllers.certificates.SigningAuthority;
import io.trimtab.node.Heartbeats;
import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One API server with everything it needs: store, storage, kinds, security, ports. Made and closed by one thread; used by any.
 */
public final class ApiServerInstance implements AutoCloseable {
    private static final String ADMINISTRATOR = "kubernetes-admin";

    private final Driver driver;
    private final ApiServerOptions options;
    private final Store store;
    private final DefaultStorage storage;
    private final CertificateAuthority authority;
    private final ApiServer server;
    private final @Nullable FlowControl flowControl;
    private final SimulatedNodes simulatedNodes;
    private final InJvmTransport transport;
    private final LocalCallouts callouts;
    /** What requests inside this JVM go through; the server's own function unless somebody listens in. */
    private volatile Function<ApiRequest, ApiResponse> door;

    private final List<AutoCloseable> parts = new ArrayList<>();
    private final CompletableFuture<Extensions.Proxies> proxies;
    private final Map<String, String> publishedProxies;
    private final CompletableFuture<HttpOptions> http;
    /** Written before the server is handed out. */
    private @Nullable CompletableFuture<HttpFrontend> listening;

    private volatile @Nullable HttpFrontend frontend;
    /** Written before the server is handed out. */
    private volatile @Nullable ClientCertificates clientCertificates;
    /** Written by whoever starts the server, read by health checks. */
    private volatile boolean ready;
    /** Written by whoever closes the server, read by health checks. */
    private volatile boolean closing;

    /**
     * Starts a server; when this returns, it answers.
     *
     * @throws StartException if it cannot start, with one line that says why and what to do
     */
    public static ApiServerInstance start(ApiServerOptions options, Driver driver) {
        return listening(startBehind(options, driver));
    }

    /** The same on a store that is open already; closing the server closes it. */
    public static ApiServerInstance start(ApiServerOptions options, Driver driver, Store store) {
        return listening(startBehind(options, driver, store));
    }

    private static ApiServerInstance listening(ApiServerInstance instance) {
        try {
            instance.awaitPorts();
            return instance;
        } catch (RuntimeException e) {
            instance.close();
            throw e;
        }
    }

    /** Starts a server that answers inside this JVM; its ports open meanwhile. Call {@link #awaitPorts} afterwards. */
    static ApiServerInstance startBehind(ApiServerOptions options, Driver driver) {
        Encryption encryption = encryption(options, driver);
        return start(options, driver, encryption, openStore(options, encryption, driver), null);
    }

    static ApiServerInstance startBehind(ApiServerOptions options, Driver driver, Store store) {
        return start(options, driver, null, CompletableFuture.completedFuture(store), null);
    }

    /**
     * Starts a copy of this server on another driver: its objects, without its ports.
     *
     * @throws UnsupportedOperationException if the store is not one in memory
     */
    ApiServerInstance fork(Driver driver) {
        if (!(store instanceof MemoryStore memory)) {
            throw new UnsupportedOperationException(
                    "only a cluster whose store is in memory can be forked, this one's is " + options.store());
        }
        return start(
                options.withPorts(-1, -1),
                driver,
                null,
                CompletableFuture.completedFuture(memory.fork()),
                authority.on(driver));
    }

    /** @param inherited the authority of the server whose objects the store has; null for a server that may be the first */
    private static ApiServerInstance start(
            ApiServerOptions options,
            Driver driver,
            @Nullable Encryption encryption,
            CompletableFuture<Store> store,
            @Nullable CertificateAuthority inherited) {
        ApiServerInstance instance;
        try {
            instance = new ApiServerInstance(options, driver, encryption, store, inherited);
        } catch (RuntimeException e) {
            // If the directory is at fault, the store says so best, but may need longer to find out: then this throws
            // that.
            await(driver, store, "the store").close();
            throw e;
        }
        try {
            instance.open(inherited == null);
            return instance;
        } catch (RuntimeException e) {
            instance.close();
            throw e;
        }
    }

    private static @Nullable Encryption encryption(ApiServerOptions options, Driver driver) {
        Path file = options.protection().encryptionConfig();
        if (file == null) {
            return null;
        }
        try {
            return Encryption.parse(read("--encryption-provider-config", file), Encryption.unixSockets(), driver);
        } catch (IllegalArgumentException e) {
            throw new StartException("--encryption-provider-config " + file + ": " + e.getMessage(), e);
        }
    }

    /** Tells how the services are that keep keys, and reads the configuration again when it changes, if it is to. */
    private void watch(Encryption encryption, HealthChecks health) {
        parts.add(encryption);
        Path file = options.protection().encryptionConfig();
        boolean reload = options.protection().encryptionReload() && file != null;
        if (reload || encryption.asksOthers()) {
            health.add(
                    "kms-providers",
                    Set.of(HealthChecks.Endpoint.HEALTHZ, HealthChecks.Endpoint.LIVEZ, HealthChecks.Endpoint.READYZ),
                    () -> encryption.problem() == null);
        }
        if (reload && file != null) {
            parts.add(WatchedFile.start(
                    driver,
                    List.of(file),
                    List.of(read("--encryption-provider-config", file)),
                    texts -> encryption.exchange(texts.get(0), Encryption.unixSockets(), driver)));
        }
    }

    private static CompletableFuture<Store> openStore(
            ApiServerOptions options, @Nullable Encryption encryption, Driver driver) {
        return switch (options.store()) {
            case MEMORY -> CompletableFuture.completedFuture(MemoryStore.create());
            case ROCKSDB -> {
                Path directory = options.dataDirectory();
                if (directory == null) {
                    throw new StartException("--store rocksdb needs a directory: give --data-dir DIR");
                }
                // Unpacking the native library and reading the log take as long as loading the kinds: side by side.
                yield beside(driver, () -> {
                    Store rocks = RocksStore.open(directory.resolve("store"), driver);
                    return encryption == null ? rocks : encryption.over(rocks);
                });
            }
            case ETCD -> {
                EtcdOptions etcd = options.storage().etcd();
                if (etcd == null) {
                    throw new StartException(
                            "--store etcd needs an etcd: give --etcd-servers http://127.0.0.1:2379 or the like");
                }
                yield beside(driver, () -> openEtcd(etcd, options.storage().protobuf(), encryption, driver));
            }
        };
    }

    private static Store openEtcd(
            EtcdOptions options, boolean protobuf, @Nullable Encryption encryption, Driver driver) {
        try {
            EtcdStore.Format format = new SharedFormat(protobuf);
            return EtcdStore.open(options, encryption == null ? format : encryption.over(format), driver);
        } catch (NoClassDefFoundError e) {
            throw new StartException(
                    "--store etcd needs the library io.etcd:jetcd-grpc, which the packaged program has; add it as a dependency",
                    e);
        }
    }

    /** Runs a step while the caller goes on. */
    private static <T> CompletableFuture<T> beside(Driver driver, Supplier<T> step) {
        CompletableFuture<T> done = new CompletableFuture<>();
        driver.execute(() -> {
            try {
                done.complete(step.get());
            } catch (Throwable e) {
                done.completeExceptionally(e);
            }
        });
        return done;
    }

    /** Waits until the step has ended, be it well or not. */
    private static void settle(Driver driver, CompletableFuture<?> step) {
        await(driver, step.handle((done, failure) -> true), "what was begun");
    }

    private static <T> T await(Driver driver, CompletableFuture<T> step, String what) {
        try {
            return driver.await(step, Duration.ofSeconds(60));
        } catch (TimeoutException e) {
            throw new StartException(what + " did not open within 60 s", e);
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    private ApiServerInstance(
            ApiServerOptions options,
            Driver driver,
            @Nullable Encryption encryption,
            CompletableFuture<Store> opening,
            @Nullable CertificateAuthority inherited) {
        this.options = options;
        this.driver = driver;
        Path pki =
                options.dataDirectory() == null ? null : options.dataDirectory().resolve("pki");
        CompletableFuture<CertificateAuthority> signing = inherited != null
                ? CompletableFuture.completedFuture(inherited)
                : beside(
                        driver,
                        () -> pki == null
                                ? CertificateAuthority.create(driver)
                                : CertificateAuthority.open(pki, driver));
        this.proxies = options.listens()
                ? beside(driver, () -> Extensions.proxies(options.extensions(), pki, driver))
                : CompletableFuture.failedFuture(new IllegalStateException("nobody can come by a proxy"));
        this.http = options.listens()
                ? signing.thenApplyAsync(this::httpOptions, driver::execute)
                : CompletableFuture.failedFuture(new IllegalStateException("this server does not listen"));
        Kinds kinds = kinds(options);
        ResourceRegistry resources =
                ResourceRegistry.builtIn(kinds.registry(), options.extensions().versions());
        try {
            this.store = await(driver, opening, "the store");
            this.authority = await(driver, signing, "the certificate authority");
        } catch (RuntimeException e) {
            // Nothing may write into the directory any more once this has failed.
            List.of(signing, proxies, http).forEach(step -> settle(driver, step));
            throw e;
        }
        this.storage = new DefaultStorage(
                store,
                driver,
                resources::selectableFields,
                DefaultStorage.Options.DEFAULT.with(
                        options.storage().compactEvery(), options.storage().eventLife()));
        PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        Metrics.bindProcess(metrics);
        Extensions extensions = new Extensions(options.extensions(), storage, driver, metrics, this::securePort, parts);
        this.callouts = extensions.callouts();
        CustomResourceDefinitions customResources =
                CustomResourceDefinitions.start(storage, resources, driver, extensions.conversions());
        parts.add(customResources);
        TokenKeys keys = pki == null ? TokenKeys.inMemory() : TokenKeys.open(pki);
        TokenSettings settings = TokenSettings.of(options.serviceAccountIssuer());
        RbacAuthorizer rbac = new RbacAuthorizer(storage);
        parts.add(rbac);
        Access access = new Access(options, storage, driver, extensions, parts);
        Authorizer authorizer = access.authorizer(rbac);
        Extensions.Proxies proxies = options.listens() ? await(driver, this.proxies, "the front proxy") : null;
        this.publishedProxies = extensions.published(proxies);
        Aggregator aggregator = extensions.aggregator(resources, proxies);
        Discovery discovery = new Discovery(resources, this::advertised, aggregator::remoteGroups);
        aggregator.onChange(discovery::refresh);
        HealthChecks health = HealthChecks.of(() -> storage.revision() > 0, () -> ready, () -> closing);
        health.addStart(() -> ready);
        if (encryption != null) {
            watch(encryption, health);
        }
        this.simulatedNodes = new SimulatedNodes(driver);
        FlowControl flowControl = flowControl(resources, metrics);
        this.flowControl = flowControl;
        ApiServer.Builder builder = ApiServer.builder();
        Audit audit = audit();
        if (audit != null) {
            builder.audit(audit);
        }
        builder.requestTimeout(options.protection().requestTimeout());
        if (flowControl != null) {
            builder.flowControl(flowControl);
        }
        List<PathHandler> paths = new ArrayList<>();
        if (flowControl != null) {
            paths.add(new Dumps(flowControl));
        }
        this.server = builder.driver(driver)
                .storage(storage)
                .resources(resources)
                .authenticators(extensions.proxyAuthenticators(proxies))
                .authenticators(certificateAuthenticators())
                .tokens(tokens(keys, settings, extensions, access))
                .tokenIssuer(new TokenIssuer(storage, keys, settings, driver))
                .authorizer(authorizer)
                .admission(List.of(admission(
                        authorizer,
                        access.usesRoles() ? rbac : null,
                        resources,
                        further(extensions, authorizer, resources))))
                .tables(new Tables(driver::now, customResources.columns()))
                .anonymous(access.anonymous())
                .nodes(simulatedNodes)
                .metrics(metrics)
                .delegates(List.of(new AggregatedPaths(aggregator)))
                .paths(paths)
                .paths(List.of(
                        discovery,
                        new OpenApi(resources, CustomResourceDefinitions::schema, driver::now, aggregator),
                        health,
                        new Version(),
                        new SnapshotPath(store),
                        new Metrics(metrics, health, options.extensions().features()),
                        new Index(resources, health),
                        new WellKnown(settings, keys, this::advertised)))
                .build();
        this.door = server::handle;
        this.transport = InJvmTransport.of(request -> door.apply(request), driver, resources, storage, authorizer);
    }

    private @Nullable FlowControl flowControl(ResourceRegistry resources, PrometheusMeterRegistry metrics) {
        Protection protection = options.protection();
        if (!protection.priorityAndFairness()) {
            return null;
        }
        FlowControl control =
                FlowControl.start(storage, resources, driver, protection.readsInflight() + protection.writesInflight());
        parts.add(control);
        metrics.getPrometheusRegistry().register(new FlowMetrics(control));
        return control;
    }

    private @Nullable Audit audit() {
        AuditOptions log = options.protection().audit();
        if (log == null) {
            return null;
        }
        List<AuditSink> sinks = new ArrayList<>();
        try {
            AuditPolicy policy =
                    AuditPolicy.parse(log.policyFile().toString(), read("--audit-policy-file", log.policyFile()));
            if (log.log() != null) {
                AuditLogFile file = AuditLogFile.open(log.log(), driver);
                sinks.add(file);
                if (log.logBatches() != null) {
                    sinks.set(0, new AuditBatches(log.logBatches(), events -> events.forEach(file::take), driver));
                }
            }
            if (log.webhookConfigFile() != null) {
                WebhookServer server = WebhookServer.read(log.webhookConfigFile());
                sinks.add(new AuditBatches(
                        log.webhookBatches(), new AuditWebhook(callouts, server.target(), server.headers()), driver));
            }
            Audit audit = new Audit(policy, sinks, driver);
            parts.add(audit);
            return audit;
        } catch (IllegalArgumentException e) {
            throw new StartException("the audit log cannot be kept: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new StartException("--audit-log-path cannot be written: " + e.getMessage(), e);
        }
    }

    private static Kinds kinds(ApiServerOptions options) {
        try {
            return new Kinds(new KindsOptions(
                    options.serviceCidr(),
                    options.nodePortRange(),
                    options.extensions().features()));
        } catch (IllegalArgumentException e) {
            throw new StartException(
                    "--service-cidr " + options.serviceCidr() + ", --node-port-range " + options.nodePortRange() + ": "
                            + e.getMessage() + "; give ranges such as 10.254.0.0/16 and 30000-32767",
                    e);
        }
    }

    private List<AdmissionPlugin> further(Extensions extensions, Authorizer authorizer, ResourceRegistry resources) {
        ValidatingPolicies policies = new ValidatingPolicies(storage, resources, authorizer);
        parts.add(policies);
        parts.add(PolicyTypes.start(storage, resources, driver));
        List<AdmissionPlugin> further = new ArrayList<>(extensions.webhooks(resources, authorizer));
        further.add(policies);
        if (options.extensions().features().enabled(ExtensionOptions.MUTATING_POLICIES)) {
            MutatingPolicies mutating = new MutatingPolicies(storage, resources, authorizer);
            parts.add(mutating);
            further.add(mutating);
        }
        return further;
    }

    private AdmissionChain admission(
            Authorizer authorizer,
            @Nullable RbacAuthorizer rbac,
            ResourceRegistry resources,
            List<AdmissionPlugin> further) {
        try {
            return AdmissionChain.create(
                    new AdmissionChain.Surroundings(
                            authorizer, resources, rbac == null ? null : new RbacEscalation(authorizer, rbac)),
                    withConfigured(further),
                    options.enabledAdmission(),
                    options.disabledAdmission());
        } catch (IllegalArgumentException e) {
            throw new StartException("--" + e.getMessage(), e);
        }
    }

    /** Plugins that do nothing without a configuration come with it. */
    private List<AdmissionPlugin> withConfigured(List<AdmissionPlugin> others) {
        List<AdmissionPlugin> all = new ArrayList<>(others);
        Path file = options.protection().admissionConfig();
        if (options.enabledAdmission().contains("EventRateLimit")) {
            String config = file == null ? null : AdmissionConfigs.of(file, "EventRateLimit");
            if (config == null) {
                throw new IllegalArgumentException("enable-admission-plugins EventRateLimit needs a configuration: give"
                        + " --admission-control-config-file FILE with one of that name");
            }
            all.add(EventRateLimit.parse(config));
        }
        return all;
    }

    private List<Authenticator> certificateAuthenticators() {
        List<X509Certificate> authorities = Pem.certificates(clientAuthorities());
        ClientCertificates made = new ClientCertificates(authorities, driver);
        clientCertificates = made;
        return List.of(made);
    }

    private BearerTokens tokens(TokenKeys keys, TokenSettings settings, Extensions extensions, Access access) {
        List<String> audiences = settings.audiences();
        List<TokenAuthenticator> sorts = new ArrayList<>();
        Path file = options.tokenAuthFile();
        if (file != null) {
            sorts.add(StaticTokens.parse(file.toString(), read("--token-auth-file", file), audiences));
        }
        sorts.add(new ServiceAccountTokens(storage, keys, settings, driver));
        sorts.add(new LegacyTokens(storage, keys, settings, driver));
        sorts.add(new BootstrapTokens(storage, driver, audiences));
        access.issuers(audiences).ifPresent(sorts::add);
        extensions.tokenWebhook(audiences).ifPresent(sorts::add);
        return new BearerTokens(sorts, audiences);
    }

    /** Who vouches for clients, as it is now: we, and those in the file. */
    private String clientAuthorities() {
        Path file = options.clientCaFile();
        return file == null ? authority.certificatePem() : authority.certificatePem() + read("--client-ca-file", file);
    }

    /** Whether other servers are listed beside this one, so that none may write down itself alone. */
    private boolean sharesEndpoints() {
        return store.expiresKeys() && !AddressRange.isLoopback(options.advertiseAddress());
    }

    private Bootstrap.Settings bootstrapSettings() {
        return bootstrapSettings(Math.max(options.securePort(), 0));
    }

    private Bootstrap.Settings bootstrapSettings(int port) {
        return new Bootstrap.Settings(
                options.serviceCidr(),
                sharesEndpoints() ? "127.0.0.1" : options.advertiseAddress(),
                port,
                clientAuthorities(),
                publishedProxies);
    }

    /** Reads certificates and authorities again when their files change. */
    private void watchCertificates() {
        List<Path> files = new ArrayList<>();
        for (Path file : new @Nullable Path[] {options.clientCaFile(), options.tlsCertFile(), options.tlsKeyFile()}) {
            if (file != null) {
                files.add(file);
            }
        }
        options.access().certificates().forEach(named -> files.addAll(List.of(named.certFile(), named.keyFile())));
        if (files.isEmpty()) {
            return;
        }
        List<String> known =
                files.stream().map(file -> read("certificate", file)).toList();
        parts.add(WatchedFile.start(driver, files, known, texts -> {
            try {
                List<X509Certificate> authorities = Pem.certificates(clientAuthorities());
                HttpFrontend open = frontend;
                if (open != null && options.securePort() >= 0) {
                    open.exchange(tls(authority));
                }
                ClientCertificates clients = clientCertificates;
                if (clients != null) {
                    clients.exchange(authorities);
                }
            } catch (StartException e) {
                throw new IllegalArgumentException(e.getMessage(), e);
            }
        }));
    }

    private static String read(String flag, Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new StartException(flag + " " + file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private String advertised() {
        HttpFrontend open = frontend;
        int port = open == null ? 443 : options.securePort() >= 0 ? open.securePort() : open.insecurePort();
        return options.advertiseAddress() + ":" + port;
    }

    /** @param first false if a server like this one has made the first objects already */
    private void open(boolean first) {
        // Issuing certificates and opening sockets takes about as long as making the first objects: side by side.
        if (options.listens()) {
            listening =
                    http.thenApplyAsync(ready -> HttpFrontend.start(ready, server::handle, driver), driver::execute);
        }
        if (first) {
            Bootstrap.run(storage, driver, bootstrapSettings());
        }
        parts.add(Keeper.ofClientAuthority(storage, driver, this::bootstrapSettings));
        parts.add(Keeper.ofTokenTracking(storage, driver));
        watchCertificates();
        if (sharesEndpoints()) {
            parts.add(ServerEndpoints.start(
                    store,
                    storage,
                    driver,
                    options.advertiseAddress(),
                    () -> options.securePort() > 0 ? options.securePort() : securePort()));
        }
        if (flowControl != null) {
            parts.add(Keeper.ofFlowControl(storage, driver));
            flowControl.refresh(); // or the first requests would find none of the objects just made
        }
        parts.add(ServerLease.start(storage, driver, Clients.hostName()));
        ready = true;
    }

    /**
     * Waits until the ports are open.
     *
     * @throws StartException if they do not open; close the server then
     */
    void awaitPorts() {
        CompletableFuture<HttpFrontend> opening = listening;
        if (opening != null) {
            HttpFrontend open = await(driver, opening, "the ports");
            frontend = open;
            if (options.securePort() == 0) {
                Bootstrap.endpoints(storage, driver, bootstrapSettings(open.securePort()));
            }
        }
    }

    /** When the ports are open; at once if there are none. */
    CompletableFuture<?> whenOpen() {
        CompletableFuture<HttpFrontend> opening = listening;
        return opening == null ? CompletableFuture.completedFuture(null) : opening;
    }

    private HttpOptions httpOptions(CertificateAuthority authority) {
        HttpOptions.Tls tls = null;
        if (options.securePort() >= 0) {
            tls = tls(authority)
                    .speaking(
                            options.protection().tlsProtocols(),
                            options.protection().tlsCipherSuites());
        }
        HttpOptions http = tls != null
                ? HttpOptions.secure(options.securePort(), tls)
                        .withBindAddress(options.bindAddress())
                        .withInsecurePort(options.insecurePort())
                : HttpOptions.insecure(options.insecurePort());
        return http.withRequestTimeout(options.protection().requestTimeout());
    }

    private HttpOptions.Tls tls(CertificateAuthority authority) {
        List<byte[]> clients = new ArrayList<>();
        clients.add(bytes(authority.certificatePem()));
        if (options.listens()) {
            clients.add(bytes(await(driver, proxies, "the front proxy").authoritiesPem()));
        }
        if (options.clientCaFile() != null) {
            clients.add(bytes(read("--client-ca-file", options.clientCaFile())));
        }
        if (options.tlsCertFile() != null) {
            Path key = options.tlsKeyFile();
            if (key == null) {
                throw new StartException("--tls-cert-file needs --tls-private-key-file FILE");
            }
            return new HttpOptions.Tls(
                            bytes(read("--tls-cert-file", options.tlsCertFile())),
                            bytes(read("--tls-private-key-file", key)),
                            clients)
                    .withNamed(namedCertificates());
        }
        List<String> names = CertificateAuthority.serverNames(
                AddressRange.parse(options.serviceCidr()).first(),
                List.of(options.bindAddress(), options.advertiseAddress(), Clients.hostName()));
        Path pki =
                options.dataDirectory() == null ? null : options.dataDirectory().resolve("pki");
        Credential credential = pki == null
                ? authority.issueServer("kube-apiserver", names)
                : authority.openServer(pki, "apiserver", "kube-apiserver", names);
        return new HttpOptions.Tls(bytes(credential.chainPem()), bytes(credential.privateKeyPem()), clients)
                .withNamed(namedCertificates());
    }

    private List<HttpOptions.Named> namedCertificates() {
        return options.access().certificates().stream()
                .map(named -> new HttpOptions.Named(
                        bytes(read("--tls-sni-cert-key", named.certFile())),
                        bytes(read("--tls-sni-cert-key", named.keyFile())),
                        named.names()))
                .toList();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** The server's function. */
    public ApiServer server() {
        return server;
    }

    /** The ways to the server inside this JVM. */
    public InJvmTransport transport() {
        return transport;
    }

    /** The calls it makes to webhooks and other servers: functions of this JVM may answer them. */
    public LocalCallouts callouts() {
        return callouts;
    }

    /**
     * Puts somebody between the clients inside this JVM and the server: a recorder, say. Informers that read the storage are not
     * seen by it. Replaces whoever was there before.
     *
     * @param listener makes, from the server's function, what is called in its stead
     */
    public void listenIn(UnaryOperator<Function<ApiRequest, ApiResponse>> listener) {
        door = listener.apply(server::handle);
    }

    /** The store it keeps its objects in. */
    public Store store() {
        return store;
    }

    /**
     * Opens a TLS port beside those of the options: for programs outside this JVM that are to reach a server in virtual time. The
     * caller closes it, before the server.
     *
     * @param real carries the requests; not the server's driver
     */
    public HttpFrontend openPort(Driver real) {
        return HttpFrontend.start(
                HttpOptions.secure(0, tls(authority))
                        .withRequestTimeout(options.protection().requestTimeout()),
                server::handle,
                real);
    }

    /**
     * A way for the simulated nodes of this JVM to say that they are as they were, without a request for each. For a store in memory
     * only, and nobody between the nodes and the server sees it.
     */
    public Heartbeats heartbeats() {
        return new DirectHeartbeats(storage, server.resources());
    }

    /** What clients trust the server by, in PEM form. */
    public String certificateAuthority() {
        return authority.certificatePem();
    }

    /** The same authority as controllers sign with. */
    SigningAuthority signingAuthority() {
        return SigningAuthority.fromPem(authority.certificatePem(), authority.privateKeyPem());
    }

    /** Makes a credential for a client: a certificate and its key. */
    public Credential issueClient(String user, List<String> groups) {
        return authority.issueClient(user, groups);
    }

    /** The administrator's credential: with a data directory it stays the same over restarts. */
    Credential administrator() {
        Path directory = options.dataDirectory();
        List<String> groups = List.of(UserInfo.MASTERS_GROUP);
        return directory == null
                ? authority.issueClient(ADMINISTRATOR, groups)
                : authority.openClient(directory.resolve("pki"), "admin", ADMINISTRATOR, groups);
    }

    Driver driver() {
        return driver;
    }

    /** The TLS port; -1 if there is none. */
    public int securePort() {
        HttpFrontend open = frontend;
        return open == null || options.securePort() < 0 ? -1 : open.securePort();
    }

    /** The plain port; -1 if there is none. */
    public int insecurePort() {
        HttpFrontend open = frontend;
        return open == null || options.insecurePort() < 0 ? -1 : open.insecurePort();
    }

    /** Answers for the simulated nodes of this process, once it is given them. */
    SimulatedNodes simulatedNodes() {
        return simulatedNodes;
    }

    /** A Fabric8 client that acts as an administrator, without a socket. The caller closes it. */
    public KubernetesClient adminClient() {
        return transport.kubernetesClient(UserInfo.of("admin", UserInfo.MASTERS_GROUP, UserInfo.AUTHENTICATED_GROUP));
    }

    /** How it was set up. */
    public ApiServerOptions options() {
        return options;
    }

    /** Lets requests end, then frees ports and files. */
    @Override
    public void close() {
        closing = true;
        CompletableFuture<HttpFrontend> opening = listening;
        if (opening != null) {
            // If the ports are still being opened, whoever opens them closes them again.
            opening.thenAccept(HttpFrontend::close);
        }
        for (int i = parts.size() - 1; i >= 0; i--) {
            try {
                parts.get(i).close();
            } catch (Exception e) {
                throw new IllegalStateException("a part of the API server did not close", e);
            }
        }
        storage.close();
        store.close();
    }
}
