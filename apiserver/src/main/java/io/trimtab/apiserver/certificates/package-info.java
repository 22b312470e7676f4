/**
 * The cluster's certificate authority: server and client certificates, the signing keys, and their files. Uses Bouncy Castle and
 * the JDK's cryptography; the only package that draws from the operating system's randomness. Called while a server starts, on
 * the thread that starts it.
 */
@NullMarked
package io.trimtab.apiserver.certificates;

import org.jspecify.annotations.NullMarked;
