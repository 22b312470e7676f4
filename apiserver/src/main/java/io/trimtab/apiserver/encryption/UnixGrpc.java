package io.trimtab.apiserver.encryption;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2ChannelDuplexHandler;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2FrameStream;
import io.netty.handler.codec.http2.Http2GoAwayFrame;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.util.ReferenceCountUtil;
import io.trimtab.apiserver.encryption.KmsService.KmsException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.URLDecoder;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Calls of one message each way over a Unix socket, as gRPC has them: Netty frames them, the JDK carries them, and no native library
 * is needed. A connection for each call, since there are few. Blocks the caller, in real time; safe for use by several threads.
 */
final class UnixGrpc {
    private static final int MAX_ANSWER_BYTES = 4 * 1024 * 1024;

    private final Path socket;
    private final Duration timeout;

    /** @param timeout for which the other side may be silent */
    UnixGrpc(Path socket, Duration timeout) {
        this.socket = socket;
        this.timeout = timeout;
    }

    /**
     * Calls a method.
     *
     * @param method as {@code /package.Service/Method}
     * @throws KmsException if there is no answer, or it is an error
     */
    byte[] call(String method, byte[] message) {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket));
            channel.configureBlocking(false);
            return exchange(channel, method, message);
        } catch (IOException | UnsupportedOperationException e) {
            throw new KmsException(
                    "rpc error: code = Unavailable desc = connection error: desc = \"transport: Error while dialing: dial"
                            + " unix " + socket + ": " + e.getMessage() + "\"");
        }
    }

    private byte[] exchange(SocketChannel channel, String method, byte[] message) throws IOException {
        Streams streams = new Streams();
        EmbeddedChannel frames =
                new EmbeddedChannel(Http2FrameCodecBuilder.forClient().build(), streams);
        try (Selector selector = Selector.open()) {
            SelectionKey key = channel.register(selector, SelectionKey.OP_READ);
            Http2FrameStream stream = streams.newStream();
            Http2Headers headers = new DefaultHttp2Headers()
                    .method("POST")
                    .scheme("http")
                    .path(method)
                    .authority("localhost")
                    .add("content-type", "application/grpc")
                    .add("te", "trailers")
                    .add("user-agent", "kube-apiserver");
            frames.writeOutbound(new DefaultHttp2HeadersFrame(headers, false).stream(stream));
            ByteBuf body = Unpooled.buffer(message.length + 5);
            body.writeByte(0).writeInt(message.length).writeBytes(message);
            frames.writeOutbound(new DefaultHttp2DataFrame(body, true).stream(stream));
            Answer answer = new Answer();
            ByteBuffer in = ByteBuffer.allocate(16 * 1024);
            while (!answer.ended) {
                flush(frames, channel, selector, key);
                if (selector.select(Math.max(1, timeout.toMillis())) == 0) {
                    throw new KmsException("rpc error: code = DeadlineExceeded desc = context deadline exceeded");
                }
                selector.selectedKeys().clear();
                int read = channel.read(in);
                if (read < 0) {
                    throw new KmsException("rpc error: code = Unavailable desc = error reading from server: EOF");
                }
                in.flip();
                frames.writeInbound(Unpooled.copiedBuffer(in));
                in.clear();
                for (Object frame = frames.readInbound(); frame != null; frame = frames.readInbound()) {
                    answer.take(frame);
                    ReferenceCountUtil.release(frame);
                }
            }
            return answer.message();
        } finally {
            frames.finishAndReleaseAll();
        }
    }

    private void flush(EmbeddedChannel frames, SocketChannel channel, Selector selector, SelectionKey key)
            throws IOException {
        for (Object part = frames.readOutbound(); part != null; part = frames.readOutbound()) {
            ByteBuf bytes = (ByteBuf) part;
            try {
                ByteBuffer out = bytes.nioBuffer();
                while (out.hasRemaining()) {
                    if (channel.write(out) == 0) {
                        key.interestOps(SelectionKey.OP_WRITE);
                        if (selector.select(Math.max(1, timeout.toMillis())) == 0) {
                            throw new KmsException(
                                    "rpc error: code = DeadlineExceeded desc = context deadline exceeded");
                        }
                        selector.selectedKeys().clear();
                        key.interestOps(SelectionKey.OP_READ);
                    }
                }
            } finally {
                bytes.release();
            }
        }
    }

    /** Makes streams of the connection before it. */
    private static final class Streams extends Http2ChannelDuplexHandler {}

    /** What came back so far. Belongs to one call. */
    private static final class Answer {
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private @Nullable CharSequence status;
        private CharSequence reason = "";
        private boolean ended;

        void take(Object frame) {
            if (frame instanceof Http2HeadersFrame headers) {
                CharSequence found = headers.headers().get("grpc-status");
                if (found != null) {
                    status = found;
                    CharSequence text = headers.headers().get("grpc-message");
                    reason = text == null ? "" : text;
                }
                ended |= headers.isEndStream();
            } else if (frame instanceof Http2DataFrame data) {
                byte[] bytes = new byte[data.content().readableBytes()];
                data.content().readBytes(bytes);
                body.writeBytes(bytes);
                if (body.size() > MAX_ANSWER_BYTES) {
                    throw new KmsException("rpc error: code = ResourceExhausted desc = the answer is too large");
                }
                ended |= data.isEndStream();
            } else if (frame instanceof Http2ResetFrame || frame instanceof Http2GoAwayFrame) {
                throw new KmsException("rpc error: code = Unavailable desc = the stream was reset");
            }
        }

        byte[] message() {
            String code = status == null ? "2" : status.toString();
            if (!code.equals("0")) {
                throw new KmsException("rpc error: code = " + name(code) + " desc = "
                        + URLDecoder.decode(reason.toString().replace("+", "%2B"), StandardCharsets.UTF_8));
            }
            byte[] all = body.toByteArray();
            if (all.length < 5 || all[0] != 0 || ByteBuffer.wrap(all, 1, 4).getInt() != all.length - 5) {
                throw new KmsException("rpc error: code = Internal desc = the answer is no message");
            }
            return Arrays.copyOfRange(all, 5, all.length);
        }

        private static String name(String code) {
            return switch (code) {
                case "1" -> "Canceled";
                case "3" -> "InvalidArgument";
                case "4" -> "DeadlineExceeded";
                case "5" -> "NotFound";
                case "7" -> "PermissionDenied";
                case "8" -> "ResourceExhausted";
                case "9" -> "FailedPrecondition";
                case "12" -> "Unimplemented";
                case "13" -> "Internal";
                case "14" -> "Unavailable";
                case "16" -> "Unauthenticated";
                default -> "Unknown";
            };
        }
    }
}
