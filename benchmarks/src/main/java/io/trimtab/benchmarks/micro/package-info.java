/**
 * Microbenchmarks of the steps that every write, list and event goes through. They call the modules as the server does, without
 * sockets. Run by JMH, in processes and on threads of its own.
 */
@NullMarked
package io.trimtab.benchmarks.micro;

import org.jspecify.annotations.NullMarked;
