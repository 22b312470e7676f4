/**
 * ReplicaSet: keeps a number of pods alive. Holds the engine that ReplicationController shares. Uses core and the pods package;\n * runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.replicaset;

import org.jspecify.annotations.NullMarked;
