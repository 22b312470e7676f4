/**
 * The selector engine: grammar of label and field selectors, compiled matchers, a forward and a reverse index. Uses nothing
 * but the JDK. Matchers are immutable; each index says which thread owns it.
 */
@NullMarked
package io.trimtab.selector;

import org.jspecify.annotations.NullMarked;
