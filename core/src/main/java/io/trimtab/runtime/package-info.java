/**
 * The seam through which time, threads and randomness come in: {@link io.trimtab.runtime.Driver}, with a real driver and a
 * single-threaded virtual-time driver; and keys, which are made of randomness. Uses nothing but the JDK and the logging facade.
 * Everything else in Trimtab runs on whatever thread the driver chose.
 */
@NullMarked
package io.trimtab.runtime;

import org.jspecify.annotations.NullMarked;
