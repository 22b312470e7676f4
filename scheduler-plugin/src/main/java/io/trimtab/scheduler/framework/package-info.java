/**
 * What a scheduling plugin is, what it is told and what it may answer: the interface for people who write plugins. Uses the API's
 * model and core's client, informers and selectors. Everything runs on the scheduler's lane, except PreBind, Bind and PostBind.
 */
@NullMarked
package io.trimtab.scheduler.framework;

import org.jspecify.annotations.NullMarked;
