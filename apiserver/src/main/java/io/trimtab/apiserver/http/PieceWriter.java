package io.trimtab.apiserver.http;

import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.trimtab.apiserver.ApiResponse;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes an answer in pieces: a step of the driver makes a batch, the event loop writes it, and the next but one is made when it
 * has left. So at most two batches are in memory, however slowly the client reads.
 */
final class PieceWriter {
    private static final Logger log = LoggerFactory.getLogger(PieceWriter.class);
    private static final int BATCH_BYTES = 128 * 1024;
    private static final int MAX_UNSENT = 2;
    private static final int MAX_PIECES = 1024;

    private final Exchange exchange;
    private final ApiResponse.Pieces answer;
    private final Iterator<byte[]> pieces;
    private final boolean mayCompress;
    private @Nullable Gzip gzip;
    /** Batches. Event loop only. */
    private int unsent;
    /** Event loop only. */
    private boolean waiting;

    PieceWriter(Exchange exchange, ApiResponse.Pieces answer, boolean acceptsGzip) {
        this.exchange = exchange;
        this.answer = answer;
        this.pieces = answer.pieces();
        this.mayCompress = acceptsGzip && Gzip.isEncodable(answer.headers());
    }

    /** On a thread of the driver. What fails here fails the request: nothing has been sent yet. */
    void first() {
        List<byte[]> batch = new ArrayList<>();
        int size = fill(batch);
        boolean last = !pieces.hasNext();
        Map<String, List<String>> headers = answer.headers();
        if (mayCompress && size >= Gzip.THRESHOLD_BYTES) {
            gzip = new Gzip();
            headers = Gzip.encoded(headers);
        }
        Map<String, List<String>> sent = headers;
        Buffer buffer = buffer(batch, last);
        exchange.onLoop(() -> {
            if (exchange.isGone() || exchange.isAnswered()) {
                return;
            }
            exchange.head(answer.code(), sent);
            if (last) {
                exchange.response().putHeader("Content-Length", Integer.toString(buffer.length()));
            } else {
                exchange.response().setChunked(true);
            }
            if (exchange.isHead()) {
                exchange.response().end();
                return;
            }
            write(buffer, last);
        });
    }

    /** On a thread of the driver. */
    private void next() {
        if (exchange.isGone()) {
            return;
        }
        Buffer buffer;
        boolean last;
        try {
            List<byte[]> batch = new ArrayList<>();
            fill(batch);
            last = !pieces.hasNext();
            buffer = buffer(batch, last);
        } catch (RuntimeException e) {
            // The head is out already, so the only way to say that this is not all is to break off.
            log.error("Answer broken off", e);
            exchange.onLoop(() -> exchange.response().reset());
            return;
        }
        exchange.onLoop(() -> write(buffer, last));
    }

    private int fill(List<byte[]> batch) {
        int size = 0;
        while (size < BATCH_BYTES && batch.size() < MAX_PIECES && pieces.hasNext()) {
            byte[] piece = pieces.next();
            size += piece.length;
            batch.add(piece);
        }
        return size;
    }

    @SuppressWarnings("deprecation") // the only way to a buffer that does not copy
    private Buffer buffer(List<byte[]> batch, boolean last) {
        Gzip compress = gzip;
        if (compress != null) {
            batch.forEach(compress::add);
            return Exchange.wrap(last ? compress.finish() : compress.take());
        }
        if (batch.size() == 1) {
            return Exchange.wrap(batch.get(0));
        }
        CompositeByteBuf whole = Unpooled.compositeBuffer(Math.max(16, batch.size()));
        batch.forEach(p -> whole.addComponent(true, Unpooled.wrappedBuffer(p)));
        return Buffer.buffer(whole);
    }

    /** On the event loop. */
    private void write(Buffer buffer, boolean last) {
        if (exchange.isGone()) {
            return;
        }
        if (last) {
            exchange.response().end(buffer);
            return;
        }
        if (buffer.length() > 0) {
            unsent++;
            exchange.response().write(buffer).onComplete(written -> {
                unsent--;
                if (waiting && written.succeeded()) {
                    waiting = false;
                    exchange.frontend().driver().execute(this::next);
                }
            });
        }
        if (unsent < MAX_UNSENT) {
            exchange.frontend().driver().execute(this::next);
        } else {
            waiting = true;
        }
    }
}
