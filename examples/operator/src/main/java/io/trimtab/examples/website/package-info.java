/**
 * An operator of web sites: each {@code WebSite} gets a Deployment, a Service, and its host in a namespace that all share. Uses
 * trimtab-core only; its tests use trimtab-junit. Runs on the manager's workers.
 */
@NullMarked
package io.trimtab.examples.website;

import org.jspecify.annotations.NullMarked;
