/**
 * StatefulSet: pods that keep their names and volumes. Uses core and the pods and revisions packages; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.statefulset;

import org.jspecify.annotations.NullMarked;
