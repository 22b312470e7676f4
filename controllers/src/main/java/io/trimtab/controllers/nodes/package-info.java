/**
 * What several controllers ask of nodes and write to them: readiness, taints, events. Uses the client, event recorder and runtime
 * seam of core. Called on reconcile threads and on lanes.
 */
@NullMarked
package io.trimtab.controllers.nodes;

import org.jspecify.annotations.NullMarked;
