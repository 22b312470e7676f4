/**
 * Requests that nobody would send, against a whole server in virtual time: nothing may be answered with 500 or hang. Uses the
 * server's function, no socket. Runs on the test's thread.
 */
@NullMarked
package io.trimtab.junit.fuzz;

import org.jspecify.annotations.NullMarked;
