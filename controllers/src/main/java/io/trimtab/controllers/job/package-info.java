/**
 * Job: runs pods to their end, counting each once. Uses core and the pods package; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.job;

import org.jspecify.annotations.NullMarked;
