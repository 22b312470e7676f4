/**
 * Flags and error lines that programs on this library have in common, for picocli: whoever uses them adds that dependency. May
 * use the client, the controllers' runtime and feature gates. The thread that reads the command line calls.
 */
@NullMarked
package io.trimtab.program;

import org.jspecify.annotations.NullMarked;
