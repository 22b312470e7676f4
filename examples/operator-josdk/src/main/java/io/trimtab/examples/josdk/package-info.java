/**
 * The operator of web sites, written with Java Operator SDK: dependents, a finalizer, a status. Uses trimtab-josdk; its tests use
 * trimtab-junit. Runs on the manager's threads.
 */
@NullMarked
package io.trimtab.examples.josdk;

import org.jspecify.annotations.NullMarked;
