/**
 * EndpointSlice mirroring: shows Endpoints that people write as EndpointSlices. Uses core and the endpointslice package; runs on
 * reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.endpointslicemirroring;

import org.jspecify.annotations.NullMarked;
