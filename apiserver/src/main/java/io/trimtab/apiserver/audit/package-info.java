/**
 * The audit log: who asked for what, and what became of it, as far as a policy wants it kept. Uses the clock, files and the
 * callouts, and nothing of how requests are served. Events are made on the thread of the request; those that go out in batches
 * are written by steps of the driver.
 */
@NullMarked
package io.trimtab.apiserver.audit;

import org.jspecify.annotations.NullMarked;
