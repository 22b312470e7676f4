package io.trimtab.apiserver.store;

import com.google.common.util.concurrent.FutureCallback;
import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ListenableFuture;
import com.google.common.util.concurrent.MoreExecutors;
import com.google.protobuf.ByteString;
import io.etcd.jetcd.api.CompactionRequest;
import io.etcd.jetcd.api.CompactionResponse;
import io.etcd.jetcd.api.KVGrpc;
import io.etcd.jetcd.api.LeaseGrantRequest;
import io.etcd.jetcd.api.LeaseGrpc;
import io.etcd.jetcd.api.RangeRequest;
import io.etcd.jetcd.api.RangeResponse;
import io.etcd.jetcd.api.TxnRequest;
import io.etcd.jetcd.api.TxnResponse;
import io.etcd.jetcd.api.WatchCreateRequest;
import io.etcd.jetcd.api.WatchGrpc;
import io.etcd.jetcd.api.WatchRequest;
import io.etcd.jetcd.api.WatchResponse;
import io.grpc.EquivalentAddressGroup;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.Status;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.MetadataUtils;
import io.netty.handler.ssl.SslContextBuilder;
import io.trimtab.apiserver.certificates.Pem;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The calls of etcd's API that a store needs. Answers come on the connection's thread: who takes them must be quick and must
 * not wait for another call. Calls wait for a member that can be reached, until their time is up.
 */
final class EtcdClient implements AutoCloseable {
    /** The first key and, as an end, all keys. */
    static final ByteString ZERO = ByteString.copyFrom(new byte[1]);

    /** A member that has lost its leader then ends the watch, instead of keeping still. */
    private static final Metadata.Key<String> REQUIRE_LEADER =
            Metadata.Key.of("hasleader", Metadata.ASCII_STRING_MARSHALLER);

    private final ManagedChannel channel;
    private final KVGrpc.KVFutureStub kv;
    private final LeaseGrpc.LeaseFutureStub leases;
    private final WatchGrpc.WatchStub watches;

    private EtcdClient(ManagedChannel channel) {
        this.channel = channel;
        this.kv = KVGrpc.newFutureStub(channel);
        this.leases = LeaseGrpc.newFutureStub(channel);
        Metadata headers = new Metadata();
        headers.put(REQUIRE_LEADER, "true");
        this.watches = WatchGrpc.newStub(channel)
                .withWaitForReady()
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    static EtcdClient connect(EtcdOptions options) {
        List<InetSocketAddress> addresses = new ArrayList<>();
        for (String server : options.servers()) {
            URI uri = URI.create(server);
            addresses.add(InetSocketAddress.createUnresolved(uri.getHost(), uri.getPort()));
        }
        NettyChannelBuilder builder = NettyChannelBuilder.forTarget(Members.SCHEME + ":///etcd")
                .nameResolverFactory(new Members(addresses))
                .defaultLoadBalancingPolicy("round_robin")
                .maxInboundMessageSize(Integer.MAX_VALUE)
                .keepAliveTime(30, TimeUnit.SECONDS)
                .keepAliveTimeout(10, TimeUnit.SECONDS)
                .keepAliveWithoutCalls(true)
                .directExecutor();
        if (options.isSecure()) {
            secure(builder, options);
        } else {
            builder.usePlaintext();
        }
        return new EtcdClient(builder.build());
    }

    private static void secure(NettyChannelBuilder builder, EtcdOptions options) {
        try {
            SslContextBuilder tls = GrpcSslContexts.forClient();
            if (options.caFile() != null) {
                tls.trustManager(Pem.certificates(Files.readString(options.caFile())));
            }
            Path cert = options.certFile();
            Path key = options.keyFile();
            if (cert != null && key != null) {
                tls.keyManager(
                        Pem.privateKey(Files.readString(key)),
                        Pem.certificates(Files.readString(cert)).toArray(X509Certificate[]::new));
            }
            builder.sslContext(tls.build());
        } catch (IOException | IllegalArgumentException e) {
            throw new StoreException("the files for TLS to etcd cannot be used: " + e.getMessage(), e);
        }
    }

    // ---- Calls -----------------------------------------------------------------------------------------------------

    CompletableFuture<RangeResponse> range(RangeRequest request, Duration timeout) {
        return completable(deadline(kv.withWaitForReady(), timeout).range(request));
    }

    /** Says at once when nobody can be reached. */
    CompletableFuture<RangeResponse> tryRange(RangeRequest request, Duration timeout) {
        return completable(deadline(kv, timeout).range(request));
    }

    CompletableFuture<TxnResponse> txn(TxnRequest request, Duration timeout) {
        return completable(deadline(kv.withWaitForReady(), timeout).txn(request));
    }

    CompletableFuture<CompactionResponse> compact(long revision, Duration timeout) {
        return completable(deadline(kv.withWaitForReady(), timeout)
                .compact(CompactionRequest.newBuilder().setRevision(revision).build()));
    }

    /** @return the lease's id */
    CompletableFuture<Long> grantLease(Duration life, Duration timeout) {
        LeaseGrantRequest request =
                LeaseGrantRequest.newBuilder().setTTL(life.toSeconds()).build();
        return completable(leases.withWaitForReady()
                        .withDeadlineAfter(timeout.toMillis(), TimeUnit.MILLISECONDS)
                        .leaseGrant(request))
                .thenApply(granted -> granted.getID());
    }

    private static KVGrpc.KVFutureStub deadline(KVGrpc.KVFutureStub stub, Duration timeout) {
        return stub.withDeadlineAfter(timeout.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static <T> CompletableFuture<T> completable(ListenableFuture<T> call) {
        CompletableFuture<T> future = new CompletableFuture<>();
        Futures.addCallback(
                call,
                new FutureCallback<T>() {
                    @Override
                    public void onSuccess(T result) {
                        future.complete(result);
                    }

                    @Override
                    public void onFailure(Throwable e) {
                        future.completeExceptionally(e);
                    }
                },
                MoreExecutors.directExecutor());
        return future;
    }

    /**
     * Opens a watch on all keys: only so each revision shows itself, and it can be said what has been heard of.
     *
     * @param from the first revision to hear of
     * @param ended told once, unless the watch was closed
     */
    AutoCloseable watchAll(long from, Consumer<WatchResponse> responses, Consumer<@Nullable Throwable> ended) {
        WatchStream stream = new WatchStream(responses, ended);
        watches.watch(stream);
        stream.send(WatchRequest.newBuilder()
                .setCreateRequest(WatchCreateRequest.newBuilder()
                        .setKey(ZERO)
                        .setRangeEnd(ZERO)
                        .setStartRevision(from)
                        .setProgressNotify(true))
                .build());
        return stream;
    }

    private static final class WatchStream
            implements ClientResponseObserver<WatchRequest, WatchResponse>, AutoCloseable {
        private final Consumer<WatchResponse> responses;
        private final Consumer<@Nullable Throwable> ended;
        private final CompletableFuture<ClientCallStreamObserver<WatchRequest>> requests = new CompletableFuture<>();
        private volatile boolean closed;

        WatchStream(Consumer<WatchResponse> responses, Consumer<@Nullable Throwable> ended) {
            this.responses = responses;
            this.ended = ended;
        }

        @Override
        public void beforeStart(ClientCallStreamObserver<WatchRequest> stream) {
            requests.complete(stream);
        }

        void send(WatchRequest request) {
            requests.join().onNext(request);
        }

        @Override
        public void onNext(WatchResponse response) {
            if (!closed) {
                responses.accept(response);
            }
        }

        @Override
        public void onError(Throwable e) {
            if (!closed) {
                closed = true;
                ended.accept(e);
            }
        }

        @Override
        public void onCompleted() {
            if (!closed) {
                closed = true;
                ended.accept(null);
            }
        }

        @Override
        public void close() {
            closed = true;
            requests.thenAccept(stream -> stream.cancel("closed", null));
        }
    }

    /** Tries to connect without waiting as long as failures so far would suggest: an etcd that restarts is back soon. */
    void connectNow() {
        channel.resetConnectBackoff();
    }

    /** What a failed call has to say, short. */
    static String why(Throwable e) {
        Status status = Status.fromThrowable(e);
        String text = status.getDescription();
        Throwable cause = status.getCause();
        if (cause != null && cause.getMessage() != null) {
            text = (text == null ? "" : text + ": ") + cause.getMessage();
        }
        return status.getCode() + (text == null ? "" : ": " + text);
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }

    /** The members' addresses, as they were given: nothing is looked up but their hosts' names. */
    private static final class Members extends NameResolverProvider {
        static final String SCHEME = "trimtab-etcd";
        private final List<InetSocketAddress> addresses;

        Members(List<InetSocketAddress> addresses) {
            this.addresses = addresses;
        }

        @Override
        public NameResolver newNameResolver(URI target, NameResolver.Args args) {
            return new NameResolver() {
                private @Nullable Listener2 listener;

                @Override
                public String getServiceAuthority() {
                    return addresses.get(0).getHostString();
                }

                @Override
                public void start(Listener2 newListener) {
                    listener = newListener;
                    resolve();
                }

                @Override
                public void refresh() {
                    resolve();
                }

                private void resolve() {
                    List<EquivalentAddressGroup> groups = new ArrayList<>();
                    for (InetSocketAddress address : addresses) {
                        SocketAddress resolved = new InetSocketAddress(address.getHostString(), address.getPort());
                        groups.add(new EquivalentAddressGroup(
                                Collections.singletonList(resolved),
                                io.grpc.Attributes.newBuilder()
                                        .set(
                                                EquivalentAddressGroup.ATTR_AUTHORITY_OVERRIDE,
                                                address.getHostString() + ":" + address.getPort())
                                        .build()));
                    }
                    Listener2 told = listener;
                    if (told != null) {
                        told.onResult(ResolutionResult.newBuilder()
                                .setAddressesOrError(io.grpc.StatusOr.fromValue(groups))
                                .build());
                    }
                }

                @Override
                public void shutdown() {}
            };
        }

        @Override
        public String getDefaultScheme() {
            return SCHEME;
        }

        @Override
        protected boolean isAvailable() {
            return true;
        }

        @Override
        protected int priority() {
            return 5;
        }
    }
}
