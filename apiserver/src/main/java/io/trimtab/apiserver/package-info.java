/**
 * The API server as a function: {@link io.trimtab.apiserver.ApiServer#handle} holds all behaviour, and knows nothing of sockets.
 * Uses every package below. Runs on its callers' threads, which may block on the store.
 */
@NullMarked
package io.trimtab.apiserver;

import org.jspecify.annotations.NullMarked;
