/**
 * The API server without a socket: Fabric8's HTTP client, and the list and watch of our informers, for callers in the same JVM.
 * Uses the server's function and its storage. Requests are handled on the caller's stack; events come on a lane of the driver.
 */
@NullMarked
package io.trimtab.apiserver.injvm;

import org.jspecify.annotations.NullMarked;
