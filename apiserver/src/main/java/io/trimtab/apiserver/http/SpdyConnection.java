package io.trimtab.apiserver.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.spdy.DefaultSpdyDataFrame;
import io.netty.handler.codec.spdy.DefaultSpdyPingFrame;
import io.netty.handler.codec.spdy.DefaultSpdySynReplyFrame;
import io.netty.handler.codec.spdy.SpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyFrameCodec;
import io.netty.handler.codec.spdy.SpdyGoAwayFrame;
import io.netty.handler.codec.spdy.SpdyPingFrame;
import io.netty.handler.codec.spdy.SpdyRstStreamFrame;
import io.netty.handler.codec.spdy.SpdySynStreamFrame;
import io.netty.handler.codec.spdy.SpdyVersion;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The server's side of a SPDY/3.1 connection, as clients of Kubernetes speak it: they open the streams, and nobody counts
 * windows. Bytes come and go by whatever carries them. What comes in is for one thread at a time; writing is for any thread.
 */
final class SpdyConnection {
    private static final int MAX_CHUNK = 32 * 1024;
    private static final int MAX_HEADERS = 64 * 1024;

    private final Consumer<byte[]> wire;
    private final Runnable hangUp;
    private final EmbeddedChannel codec =
            new EmbeddedChannel(new SpdyFrameCodec(SpdyVersion.SPDY_3_1, MAX_CHUNK, MAX_HEADERS, 6, 15, 8));
    private final Map<Integer, Stream> streams = new HashMap<>();
    private Consumer<Stream> onStream = stream -> {};
    private Runnable onGone = () -> {};
    private boolean over;

    /** A stream that the client has opened. */
    final class Stream {
        private final int id;
        private final Map<String, String> headers;
        private Consumer<byte[]> onData = bytes -> {};
        private Runnable onEnd = () -> {};
        private boolean ended;
        private boolean finished;

        private Stream(int id, Map<String, String> headers) {
            this.id = id;
            this.headers = headers;
        }

        /** A header; null if there is none. */
        @Nullable
        String header(String name) {
            return headers.get(name.toLowerCase(Locale.ROOT));
        }

        /** Sets who hears what the client sends. Call when the stream is handed over. */
        void onData(Consumer<byte[]> data, Runnable end) {
            onData = data;
            onEnd = end;
            if (ended) {
                end.run();
            }
        }

        void write(byte[] bytes) {
            synchronized (SpdyConnection.this) {
                if (finished || over) {
                    return;
                }
                for (int at = 0; at < bytes.length; at += MAX_CHUNK) {
                    int length = Math.min(MAX_CHUNK, bytes.length - at);
                    send(new DefaultSpdyDataFrame(id, Unpooled.copiedBuffer(bytes, at, length)));
                }
            }
        }

        /** Says that no more comes. */
        void finish() {
            synchronized (SpdyConnection.this) {
                if (finished || over) {
                    return;
                }
                finished = true;
                send(new DefaultSpdyDataFrame(id, Unpooled.EMPTY_BUFFER).setLast(true));
            }
        }
    }

    SpdyConnection(Consumer<byte[]> wire, Runnable hangUp) {
        this.wire = wire;
        this.hangUp = hangUp;
    }

    /** Sets who is handed new streams, and who hears that the client has gone. */
    void onStream(Consumer<Stream> opened, Runnable gone) {
        onStream = opened;
        onGone = gone;
    }

    /** Ends the connection once all that was written has gone out. */
    void close() {
        synchronized (this) {
            over = true;
        }
        hangUp.run();
    }

    /** The connection is no more. */
    void gone() {
        synchronized (this) {
            over = true;
        }
        onGone.run();
    }

    private void send(Object frame) {
        codec.writeOutbound(frame);
        for (ByteBuf bytes = codec.readOutbound(); bytes != null; bytes = codec.readOutbound()) {
            byte[] copy = new byte[bytes.readableBytes()];
            bytes.readBytes(copy);
            bytes.release();
            wire.accept(copy);
        }
    }

    void receive(byte[] bytes) {
        java.util.List<Object> frames = new java.util.ArrayList<>();
        synchronized (this) {
            codec.writeInbound(Unpooled.wrappedBuffer(bytes));
            for (Object frame = codec.readInbound(); frame != null; frame = codec.readInbound()) {
                frames.add(frame);
            }
        }
        frames.forEach(this::handle);
    }

    private void handle(Object frame) {
        if (frame instanceof SpdySynStreamFrame opened) {
            Map<String, String> headers = new TreeMap<>();
            opened.headers()
                    .forEach(header -> headers.put(
                            header.getKey().toString().toLowerCase(Locale.ROOT),
                            header.getValue().toString()));
            Stream stream = new Stream(opened.streamId(), headers);
            stream.ended = opened.isLast();
            synchronized (this) {
                streams.put(stream.id, stream);
                DefaultSpdySynReplyFrame reply = new DefaultSpdySynReplyFrame(stream.id);
                // Without any header the codec leaves the block of headers out, which clients take for a broken frame.
                reply.headers().set(":status", "200").set(":version", "HTTP/1.1");
                send(reply);
            }
            onStream.accept(stream);
        } else if (frame instanceof SpdyDataFrame data) {
            Stream stream;
            synchronized (this) {
                stream = streams.get(data.streamId());
            }
            byte[] bytes = new byte[data.content().readableBytes()];
            data.content().readBytes(bytes);
            data.release();
            if (stream != null && bytes.length > 0) {
                stream.onData.accept(bytes);
            }
            if (stream != null && data.isLast()) {
                end(stream);
            }
        } else if (frame instanceof SpdyRstStreamFrame reset) {
            Stream stream;
            synchronized (this) {
                stream = streams.remove(reset.streamId());
                if (stream != null) {
                    stream.finished = true;
                }
            }
            if (stream != null) {
                end(stream);
            }
        } else if (frame instanceof SpdyPingFrame ping) {
            synchronized (this) {
                if (!over) {
                    send(new DefaultSpdyPingFrame(ping.id()));
                }
            }
        } else if (frame instanceof SpdyGoAwayFrame) {
            close();
        }
    }

    private static void end(Stream stream) {
        if (!stream.ended) {
            stream.ended = true;
            stream.onEnd.run();
        }
    }
}
