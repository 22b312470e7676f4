/**
 * ResourceQuota: recounts what namespaces use. Uses core and the pods package; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.resourcequota;

import org.jspecify.annotations.NullMarked;
