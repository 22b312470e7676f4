/**
 * A small typed client of any Kubernetes API server, over Fabric8's HTTP abstraction. Uses the Fabric8 model and the runtime
 * seam. Calls run on the caller's thread and block until the server has answered.
 */
@NullMarked
package io.trimtab.client;

import org.jspecify.annotations.NullMarked;
