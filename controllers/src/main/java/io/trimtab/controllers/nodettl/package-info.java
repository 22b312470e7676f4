/**
 * Tells nodes how long they may keep Secrets and ConfigMaps without looking again. Uses core; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.nodettl;

import org.jspecify.annotations.NullMarked;
