/**
 * Forms in which Kubernetes writes things that the JDK does not read or write by itself: certificates and keys (DER, PEM), and
 * durations as Go has them. Uses nothing but the JDK. Everything in here is stateless.
 */
@NullMarked
package io.trimtab.encoding;

import org.jspecify.annotations.NullMarked;
