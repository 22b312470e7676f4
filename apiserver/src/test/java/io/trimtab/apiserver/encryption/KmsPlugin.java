package io.trimtab.apiserver.encryption;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** A key management plugin behind a Unix socket. What it seals is turned over, bit by bit, and marked with its key. */
final class KmsPlugin implements AutoCloseable {
    private final ServerSocketChannel server;
    final AtomicInteger opened = new AtomicInteger();
    volatile String keyId = "key-1";
    volatile String health = "ok";

    KmsPlugin(Path socket) throws IOException {
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        Thread thread = new Thread(this::serve, "kms plugin");
        thread.setDaemon(true);
        thread.start();
    }

    private void serve() {
        while (server.isOpen()) {
            try (SocketChannel channel = server.accept()) {
                answer(channel);
            } catch (IOException e) {
                // Closed, by us or by the other side.
            }
        }
    }

    private void answer(SocketChannel channel) throws IOException {
        EmbeddedChannel frames =
                new EmbeddedChannel(Http2FrameCodecBuilder.forServer().build());
        ByteBuffer in = ByteBuffer.allocate(8192);
        String path = "";
        while (channel.read(in.clear()) >= 0) {
            frames.writeInbound(Unpooled.copiedBuffer(in.flip()));
            for (Object frame = frames.readInbound(); frame != null; frame = frames.readInbound()) {
                if (frame instanceof Http2HeadersFrame headers) {
                    path = headers.headers().path().toString();
                } else if (frame instanceof Http2DataFrame data && data.isEndStream()) {
                    byte[] message = new byte[data.content().readableBytes() - 5];
                    data.content().skipBytes(5).readBytes(message);
                    reply(frames, data, path, message);
                }
                ReferenceCountUtil.release(frame);
            }
            for (Object out = frames.readOutbound(); out != null; out = frames.readOutbound()) {
                ByteBuffer bytes = ((ByteBuf) out).nioBuffer();
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                ReferenceCountUtil.release(out);
            }
        }
    }

    private void reply(EmbeddedChannel frames, Http2DataFrame to, String path, byte[] message) {
        Wire.Message request = Wire.read(message, 4);
        Wire.Writer answer = new Wire.Writer();
        String error = "";
        switch (path) {
            case "/v2.KeyManagementService/Status" ->
                answer.text(1, "v2").text(2, health).text(3, keyId);
            case "/v2.KeyManagementService/Encrypt" ->
                answer.bytes(1, turned(request.bytes(1)))
                        .text(2, keyId)
                        .map(3, Map.of("version.example.com", new byte[] {1}));
            default -> {
                opened.incrementAndGet();
                if (!request.map(4).containsKey("version.example.com")) {
                    error = "no annotation: of what version%3F";
                }
                answer.bytes(1, turned(request.bytes(1)));
            }
        }
        byte[] body = answer.done();
        frames.writeOutbound(new DefaultHttp2HeadersFrame(
                        new DefaultHttp2Headers().status("200").add("content-type", "application/grpc"))
                .stream(to.stream()));
        ByteBuf data = Unpooled.buffer(body.length + 5);
        data.writeByte(0).writeInt(body.length).writeBytes(body);
        frames.writeOutbound(new DefaultHttp2DataFrame(data).stream(to.stream()));
        DefaultHttp2Headers trailers = new DefaultHttp2Headers();
        trailers.add("grpc-status", error.isEmpty() ? "0" : "3").add("grpc-message", error);
        frames.writeOutbound(new DefaultHttp2HeadersFrame(trailers, true).stream(to.stream()));
    }

    static byte[] turned(byte[] bytes) {
        byte[] other = bytes.clone();
        for (int i = 0; i < other.length; i++) {
            other[i] = (byte) ~other[i];
        }
        return other;
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
