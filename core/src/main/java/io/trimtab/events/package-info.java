/**
 * Records Kubernetes events about objects, counted and aggregated. Uses the client and the runtime seam. Any thread may record;
 * events are written on a lane of the recorder's.
 */
@NullMarked
package io.trimtab.events;

import org.jspecify.annotations.NullMarked;
