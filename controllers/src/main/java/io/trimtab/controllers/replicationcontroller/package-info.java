/**
 * ReplicationController: the ReplicaSet engine with an older kind in front. Uses core and the replicaset package; runs on\n * reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.replicationcontroller;

import org.jspecify.annotations.NullMarked;
