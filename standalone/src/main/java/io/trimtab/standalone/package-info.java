/**
 * The parts of a control plane in one process: {@link io.trimtab.standalone.Cluster}, to be embedded, and the command line on top
 * of it. Uses every other module. Starts and stops on the caller's thread; the parts run as their driver decides.
 */
@NullMarked
package io.trimtab.standalone;

import org.jspecify.annotations.NullMarked;
