/**
 * Volumes and claims: binds them to each other, asks provisioners for volumes, reclaims released ones, makes the claims of pods'
 * ephemeral volumes, and grows volumes. Uses core and the pods package; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.persistentvolume;

import org.jspecify.annotations.NullMarked;
