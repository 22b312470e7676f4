/**
 * Ordered, multi-version key spaces with one revision counter: memory, RocksDB, etcd. Uses the runtime seam, and certificates
 * for TLS to etcd. One writer orders all commits; readers hold snapshots without locks.
 */
@NullMarked
package io.trimtab.apiserver.store;

import org.jspecify.annotations.NullMarked;
