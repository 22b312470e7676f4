/**
 * Node IPAM: gives each node a range of pod addresses out of the cluster's. Uses core and the nodes package; ranges in use are
 * noted on the informer's lane, new ones given on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.nodeipam;

import org.jspecify.annotations.NullMarked;
