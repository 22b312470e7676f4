/**
 * Volume protection: keeps claims that pods use, and volumes that are bound, from vanishing when they are deleted. Uses core and
 * the pods package; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.protection;

import org.jspecify.annotations.NullMarked;
