/**
 * TTL after finished: deletes Jobs some time after they ended. Uses core; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.ttlafterfinished;

import org.jspecify.annotations.NullMarked;
