package io.trimtab.apiserver.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;

/**
 * Sends what was written to an HTTP/2 connection when everything that waits for its event loop has written: answers and events of
 * many streams then share records of TLS and calls of the system, of which each takes longer than to write the answer. One for
 * each connection, on its event loop.
 */
final class LateFlush extends ChannelOutboundHandlerAdapter {
    private boolean due;

    @Override
    public void flush(ChannelHandlerContext ctx) {
        if (due) {
            return;
        }
        due = true;
        ctx.executor().execute(() -> {
            due = false;
            ctx.flush();
        });
    }
}
