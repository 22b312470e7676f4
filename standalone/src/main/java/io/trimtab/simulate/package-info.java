/**
 * Clusters that are tried out before anything is done to them: imported or made up, run in virtual time with nodes that are
 * simulated, and told of. It stands above {@code io.trimtab.standalone}, of whose clusters it is one more user, and is a part of
 * that module because the command line offers it. Everything runs on the thread that asks for it.
 */
@NullMarked
package io.trimtab.simulate;

import org.jspecify.annotations.NullMarked;
