/**
 * Taint eviction: deletes pods from nodes whose NoExecute taints they do not tolerate, or tolerate no longer. Uses core and the
 * pods and nodes packages; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.tainteviction;

import org.jspecify.annotations.NullMarked;
