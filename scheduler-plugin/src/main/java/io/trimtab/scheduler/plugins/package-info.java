/**
 * The plugins that are there by default, and what they share. Use the framework only. Run where the framework runs them.
 */
@NullMarked
package io.trimtab.scheduler.plugins;

import org.jspecify.annotations.NullMarked;
