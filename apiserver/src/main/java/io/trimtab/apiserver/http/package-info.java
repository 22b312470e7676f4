/**
 * The API server on the network: HTTP/1.1, HTTP/2, TLS, WebSocket watches, on Vert.x. May use ApiRequest, ApiResponse and what
 * they carry, and nothing of what is behind them. Event loops move bytes only; requests are handled on the driver's threads.
 *
 * <p>Memory: an idle server needs two event loops and a handful of network buffers. Netty reads these properties once, when its
 * classes are loaded, so whoever starts a process may set others on its command line: {@code io.netty.allocator.numDirectArenas}
 * and {@code numHeapArenas} (pools of buffers; 2 and 1 here, for they grow with the number of processors otherwise), {@code
 * io.netty.allocator.maxOrder} (size of a pool's chunk: 8 KiB times two to the power of this; 5 here, so 256 KiB), and {@code
 * io.netty.maxDirectMemory} (an upper bound in bytes).
 *
 * <p>On Linux on x86-64, TLS is BoringSSL's and the network epoll's; elsewhere, and with {@code
 * io.netty.handler.ssl.noOpenSsl=true} and {@code io.netty.transport.noNative=true}, the JDK's.
 */
@NullMarked
package io.trimtab.apiserver.http;

import org.jspecify.annotations.NullMarked;
