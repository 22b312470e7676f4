/**
 * CronJob: makes Jobs at the times a schedule names. Uses core and the pods package; runs on reconcile threads.
 */
@NullMarked
package io.trimtab.controllers.cronjob;

import org.jspecify.annotations.NullMarked;
