/**
 * The reconcile runtime: {@link io.trimtab.controller.Manager}, {@link io.trimtab.controller.Controller},
 * {@link io.trimtab.controller.Reconciler}. Uses informers, work queues, the client and the runtime seam. Reconcilers run on
 * threads of the driver, never two at once for one key.
 */
@NullMarked
package io.trimtab.controller;

import org.jspecify.annotations.NullMarked;
