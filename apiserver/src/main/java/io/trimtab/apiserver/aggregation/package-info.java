/**
 * API servers behind this one: which group versions they serve, whether they can be reached, what they say of themselves, and
 * the requests that are handed on to them. Uses the storage for APIServices, the callout package to reach servers, and the
 * resource table to register what this server serves itself. Changes are taken up on one lane of the driver; requests are
 * handed on by the threads they came on.
 */
@NullMarked
package io.trimtab.apiserver.aggregation;

import org.jspecify.annotations.NullMarked;
