/**
 * What claims ask of volumes and volumes offer to claims, as the volume binder and the scheduler both must see it. Uses the API's
 * model and the selector package only; pure, for any thread.
 */
@NullMarked
package io.trimtab.volumes;

import org.jspecify.annotations.NullMarked;
