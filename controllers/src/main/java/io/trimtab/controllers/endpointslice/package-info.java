/**
 * EndpointSlices: the addresses of the pods behind each Service, in pieces. Uses core and the pods and services packages; runs on
 * reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.endpointslice;

import org.jspecify.annotations.NullMarked;
