package io.trimtab.apiserver.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class HttpFrontendTest {
    private static TestCertificates.Signed ca;
    private static TestCertificates.Signed server;
    private static Driver driver;

    private final BlockingQueue<ApiRequest> seen = new LinkedBlockingQueue<>();
    private @Nullable HttpFrontend frontend;

    @BeforeAll
    static void certificates() throws Exception {
        ca = TestCertificates.authority("CN=test-ca");
        server = TestCertificates.leaf("CN=server", ca);
        driver = RealDriver.create();
    }

    @AfterAll
    static void stop() {
        driver.close();
    }

    @AfterEach
    void close() {
        if (frontend != null) {
            frontend.close();
        }
    }

    private HttpFrontend start(Function<ApiRequest, ApiResponse> answer) throws Exception {
        var tls = new HttpOptions.Tls(server.certificatePem(), server.keyPem(), List.of(ca.certificatePem()));
        frontend = HttpFrontend.start(
                HttpOptions.secure(0, tls).withInsecurePort(0).withDrain(Duration.ofSeconds(1)),
                (r, then) -> {
                    seen.add(r);
                    then.accept(answer.apply(r));
                },
                driver);
        return frontend;
    }

    private static ApiResponse text(String text) {
        return new ApiResponse.Whole(
                200, Map.of("Content-Type", List.of("text/plain")), text.getBytes(StandardCharsets.UTF_8));
    }

    private HttpClient client(TestCertificates.@Nullable Signed identity) throws Exception {
        return HttpClient.newBuilder()
                .sslContext(TestCertificates.client(ca, identity))
                .build();
    }

    private URI secure(String path) {
        return URI.create("https://127.0.0.1:" + frontend.securePort() + path);
    }

    private URI plain(String path) {
        return URI.create("http://127.0.0.1:" + frontend.insecurePort() + path);
    }

    private static HttpResponse<String> get(HttpClient client, URI uri) throws Exception {
        return client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void givenTls_whenAsked_thenHttp2CarriesMethodPathQueryHeadersAndBody() throws Exception {
        start(r -> text("body=" + new String(r.body(), StandardCharsets.UTF_8)));

        var answer = client(null)
                .send(
                        HttpRequest.newBuilder(secure("/api/v1/a%20b?labelSelector=a%3Db%2Cc&x=1&x=2+3&flag"))
                                .header("Content-Type", "application/json")
                                .PUT(HttpRequest.BodyPublishers.ofString("{}"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());

        assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(answer.body()).isEqualTo("body={}");
        assertThat(answer.headers().firstValue("date")).isPresent();
        ApiRequest request = seen.take();
        assertThat(request.method()).isEqualTo("PUT");
        assertThat(request.path()).isEqualTo("/api/v1/a b");
        assertThat(request.query())
                .containsExactly(
                        Map.entry("labelSelector", List.of("a=b,c")),
                        Map.entry("x", List.of("1", "2 3")),
                        Map.entry("flag", List.of("")));
        assertThat(request.header("Content-Type")).isEqualTo("application/json");
        assertThat(request.peer().certificates()).isEmpty();
        assertThat(request.peer().badCertificate()).isFalse();
    }

    @Test
    void givenAGoodClientCertificate_whenAsked_thenItsChainIsHandedOn() throws Exception {
        start(r -> text("ok"));

        get(client(TestCertificates.leaf("CN=jane,O=devs", ca)), secure("/"));

        assertThat(seen.take().peer().certificates())
                .singleElement()
                .satisfies(
                        c -> assertThat(c.getSubjectX500Principal().getName()).contains("CN=jane"));
    }

    @Test
    void givenACertificateOfAnotherAuthority_whenAsked_thenTheRequestComesThroughMarkedBad() throws Exception {
        start(r -> text("ok"));
        var stranger = TestCertificates.authority("CN=test-ca");

        get(client(TestCertificates.leaf("CN=jane", stranger)), secure("/"));

        ApiRequest.Peer peer = seen.take().peer();
        assertThat(peer.badCertificate()).isTrue();
        assertThat(peer.certificates()).isEmpty();
    }

    @Test
    void givenABodyBeyondTheLimit_whenSent_thenTheHandlerSeesOneByteMoreThanTheLimit() throws Exception {
        start(r -> text(Integer.toString(r.body().length)));

        var answer = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(plain("/"))
                                .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[5_000_000]))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());

        assertThat(answer.body()).isEqualTo(Integer.toString(HttpOptions.MAX_BODY_BYTES + 1));
    }

    @Test
    void givenAnAnswerInPieces_whenTheClientDoesNotRead_thenProductionWaits() throws Exception {
        AtomicInteger made = new AtomicInteger();
        int pieces = 2000;
        start(r -> new ApiResponse.Pieces(200, Map.of(), new Iterator<>() {
            @Override
            public boolean hasNext() {
                return made.get() < pieces;
            }

            @Override
            public byte[] next() {
                made.incrementAndGet();
                return new byte[16 * 1024];
            }
        }));

        var answer = client(null)
                .send(HttpRequest.newBuilder(secure("/")).build(), HttpResponse.BodyHandlers.ofInputStream());
        try (InputStream in = answer.body()) {
            assertThat(in.read()).isZero();
            assertThat(made.get()).isLessThan(pieces);
            assertThat(in.readAllBytes()).hasSize(pieces * 16 * 1024 - 1);
        }
        assertThat(made.get()).isEqualTo(pieces);
    }

    @Test
    void givenALargeAnswer_whenTheClientTakesGzip_thenItIsCompressed() throws Exception {
        byte[] piece = "0123456789abcdef".repeat(1024).getBytes(StandardCharsets.UTF_8);
        start(r -> new ApiResponse.Pieces(
                200,
                Map.of(),
                java.util.stream.Stream.generate(() -> piece).limit(100).iterator()));

        var answer = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(plain("/"))
                                .header("Accept-Encoding", "gzip")
                                .build(),
                        HttpResponse.BodyHandlers.ofInputStream());

        assertThat(answer.headers().firstValue("content-encoding")).hasValue("gzip");
        assertThat(answer.headers().firstValue("vary")).hasValue("Accept-Encoding");
        try (InputStream in = new GZIPInputStream(answer.body())) {
            assertThat(in.readAllBytes()).hasSize(piece.length * 100);
        }
    }

    @Test
    void givenHead_whenAsked_thenLengthButNoBody() throws Exception {
        start(r -> text("four"));

        try (Socket socket = new Socket("127.0.0.1", frontend.insecurePort())) {
            socket.getOutputStream()
                    .write("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".getBytes(StandardCharsets.UTF_8));
            String all = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(all)
                    .startsWith("HTTP/1.1 200 OK")
                    .containsIgnoringCase("content-length: 4")
                    .endsWith("\r\n\r\n");
        }
    }

    private static ApiResponse watch(ScriptedEvents events) {
        return new ApiResponse.Watch(
                200,
                Map.of("Content-Type", List.of("application/json")),
                events,
                e -> ("{\"revision\":" + e.revision() + "}\n").getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void givenAWatch_whenEventsCome_thenEachIsALineAndTheSourceIsClosedWhenTheClientGoes() throws Exception {
        ScriptedEvents events = new ScriptedEvents();
        start(r -> watch(events));

        var answer = client(null)
                .send(HttpRequest.newBuilder(secure("/?watch=1")).build(), HttpResponse.BodyHandlers.ofInputStream());
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
            events.add(1);
            assertThat(lines.readLine()).isEqualTo("{\"revision\":1}");
            for (int i = 2; i <= 10_000; i++) {
                events.add(i);
            }
            for (int i = 2; i <= 10_000; i++) {
                assertThat(lines.readLine()).isEqualTo("{\"revision\":" + i + "}");
            }
        }
        assertThat(events.closed().await(5, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void givenAWatch_whenTheSourceEnds_thenTheAnswerEnds() throws Exception {
        ScriptedEvents events = new ScriptedEvents();
        start(r -> watch(events));
        events.add(7);
        events.close();

        assertThat(get(HttpClient.newHttpClient(), plain("/")).body()).isEqualTo("{\"revision\":7}\n");
    }

    @Test
    void givenAWebSocketForProtobuf_whenAnEventComes_thenItsMessageHasNoLengthBeforeIt() throws Exception {
        ScriptedEvents events = new ScriptedEvents();
        start(r -> new ApiResponse.Watch(
                200, Map.of("Content-Type", List.of("application/vnd.kubernetes.protobuf;stream=watch")), events, e ->
                        new byte[] {0, 0, 0, 2, 8, (byte) e.revision()}));
        BlockingQueue<byte[]> messages = new LinkedBlockingQueue<>();

        client(null)
                .newWebSocketBuilder()
                .buildAsync(
                        URI.create("wss://127.0.0.1:" + frontend.securePort() + "/api/v1/pods?watch=true"),
                        new WebSocket.Listener() {
                            @Override
                            public CompletionStage<?> onBinary(WebSocket webSocket, ByteBuffer data, boolean last) {
                                byte[] message = new byte[data.remaining()];
                                data.get(message);
                                messages.add(message);
                                return null;
                            }
                        })
                .get(5, TimeUnit.SECONDS);
        events.add(7);

        assertThat(messages.poll(5, TimeUnit.SECONDS)).containsExactly(8, 7);
    }

    @Test
    void givenAWebSocket_whenEventsCome_thenEachIsAMessage() throws Exception {
        ScriptedEvents events = new ScriptedEvents();
        start(r -> watch(events));
        BlockingQueue<String> messages = new LinkedBlockingQueue<>();

        WebSocket socket = client(null)
                .newWebSocketBuilder()
                .subprotocols("base64url.bearer.authorization.k8s.io.dG9rZW4", "base64.binary.k8s.io")
                .buildAsync(
                        URI.create("wss://127.0.0.1:" + frontend.securePort() + "/api/v1/pods?watch=true"),
                        new WebSocket.Listener() {
                            @Override
                            public CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
                                messages.add(data.toString());
                                webSocket.request(1);
                                return null;
                            }

                            @Override
                            public CompletionStage<?> onClose(WebSocket webSocket, int code, String reason) {
                                messages.add("closed " + code);
                                return null;
                            }
                        })
                .get(5, TimeUnit.SECONDS);
        events.add(1);
        events.add(2);
        assertThat(messages.poll(5, TimeUnit.SECONDS)).isEqualTo("{\"revision\":1}\n");
        assertThat(messages.poll(5, TimeUnit.SECONDS)).isEqualTo("{\"revision\":2}\n");
        assertThat(socket.getSubprotocol()).isEqualTo("base64.binary.k8s.io");
        events.close();
        assertThat(messages.poll(5, TimeUnit.SECONDS)).isEqualTo("closed 1000");
    }

    @Test
    void givenTheHandlerFails_whenAsked_thenTheClientIsToldOfAPanic() throws Exception {
        start(r -> {
            throw new IllegalStateException("a bug");
        });

        var answer = get(HttpClient.newHttpClient(), plain("/"));

        assertThat(answer.statusCode()).isEqualTo(500);
        assertThat(answer.body()).startsWith("This request caused apiserver to panic.");
    }

    @Test
    void givenATakenPort_whenStarted_thenTheMessageNamesAddressAndMend() throws Exception {
        start(r -> text("ok"));
        int taken = frontend.insecurePort();

        assertThatThrownBy(() ->
                        HttpFrontend.start(HttpOptions.insecure(taken), (r, then) -> then.accept(text("")), driver))
                .isInstanceOf(ListenException.class)
                .hasMessageContaining("127.0.0.1:" + taken)
                .hasMessageContaining("--insecure-port");
    }

    @Test
    void givenABadCertificate_whenStarted_thenTheMessageSaysSo() {
        var tls = new HttpOptions.Tls("no pem".getBytes(StandardCharsets.UTF_8), new byte[0], List.of());

        assertThatThrownBy(() ->
                        HttpFrontend.start(HttpOptions.secure(0, tls), (r, then) -> then.accept(text("")), driver))
                .isInstanceOf(ListenException.class)
                .hasMessageContaining("certificate");
    }

    @Test
    void givenAnOpenWatch_whenTheServerCloses_thenItEndsInGoodOrder() throws Exception {
        ScriptedEvents events = new ScriptedEvents();
        start(r -> watch(events));
        var answer = HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(plain("/")).build(), HttpResponse.BodyHandlers.ofInputStream());

        frontend.close();

        assertThat(answer.body().readAllBytes()).isEmpty();
    }

    @Test
    void givenOnlyTls13IsSpoken_whenAnOlderClientComes_thenItIsRefused() throws Exception {
        var tls = new HttpOptions.Tls(server.certificatePem(), server.keyPem(), List.of(ca.certificatePem()))
                .speaking(List.of("TLSv1.3"), List.of());
        frontend = HttpFrontend.start(HttpOptions.secure(0, tls), (r, then) -> then.accept(text("fine")), driver);
        javax.net.ssl.SSLContext context = TestCertificates.client(ca, null);

        for (String protocol : List.of("TLSv1.2", "TLSv1.3")) {
            try (javax.net.ssl.SSLSocket socket = (javax.net.ssl.SSLSocket)
                    context.getSocketFactory().createSocket("127.0.0.1", frontend.securePort())) {
                socket.setEnabledProtocols(new String[] {protocol});
                if (protocol.equals("TLSv1.3")) {
                    socket.startHandshake();
                    assertThat(socket.getSession().getProtocol()).isEqualTo("TLSv1.3");
                } else {
                    assertThatThrownBy(socket::startHandshake).isInstanceOf(javax.net.ssl.SSLException.class);
                }
            }
        }
    }
}
