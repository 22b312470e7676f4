/**
 * Turns objects into the tables that kubectl prints: one class of cell functions for each API group. Reads trees and never
 * changes them; the moment that ages count from is passed in. Pure, so any thread may run it.
 */
@NullMarked
package io.trimtab.apiserver.table;

import org.jspecify.annotations.NullMarked;
