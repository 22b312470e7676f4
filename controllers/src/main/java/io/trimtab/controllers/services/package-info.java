/**
 * What the Endpoints and EndpointSlice controllers ask of Services: which of them select a pod, which port of a pod they mean, and\n * when their last change began. Uses core and the pods package; called on informer lanes and reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.services;

import org.jspecify.annotations.NullMarked;
