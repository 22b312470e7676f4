/**
 * Has volumes of CSI drivers attached to the nodes whose pods use them, and detached again. Uses core; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.attachdetach;

import org.jspecify.annotations.NullMarked;
