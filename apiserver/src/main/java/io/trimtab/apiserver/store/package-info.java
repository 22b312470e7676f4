/**
 * Ordered, multi-version key spaces with one revision counter: memory, RocksDB. Uses the runtime seam only. One writer orders
 * all commits; readers hold snapshots without locks.
 */
@NullMarked
package io.trimtab.apiserver.store;

import org.jspecify.annotations.NullMarked;
