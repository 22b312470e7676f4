/**
 * What goes over a connection that has left HTTP: a command's streams, and forwarded ports, whichever protocol carries them. Uses
 * nothing. Called from any thread, one call at a time for each connection.
 */
@NullMarked
package io.trimtab.apiserver.streaming;

import org.jspecify.annotations.NullMarked;
