/**
 * Admission plugins: they change or refuse a write after it is authorized and before it is stored. Use the storage to read.
 * Called on request threads.
 */
@NullMarked
package io.trimtab.apiserver.admission;

import org.jspecify.annotations.NullMarked;
