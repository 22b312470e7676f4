/**
 * The objects that an API server makes by itself when it starts. Uses the storage, straight. Runs on the thread that starts the
 * server.
 */
@NullMarked
package io.trimtab.apiserver.bootstrap;

import org.jspecify.annotations.NullMarked;
