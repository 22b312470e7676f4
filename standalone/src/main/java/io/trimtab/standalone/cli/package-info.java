/** The {@code trimtab} command line: flags, help, and one clear line for each mistake. Uses the standalone cluster. */
@NullMarked
package io.trimtab.standalone.cli;

import org.jspecify.annotations.NullMarked;
