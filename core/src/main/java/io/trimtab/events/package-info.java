/** Records Kubernetes events about objects, counted and aggregated. Uses the client and the runtime seam. */
@NullMarked
package io.trimtab.events;

import org.jspecify.annotations.NullMarked;
