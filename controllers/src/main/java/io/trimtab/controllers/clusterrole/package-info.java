/**
 * Fills in the rules of aggregated ClusterRoles. Uses core; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.clusterrole;

import org.jspecify.annotations.NullMarked;
