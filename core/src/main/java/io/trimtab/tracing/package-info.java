/**
 * Spans of reconciles and of what they ask the API server, for OpenTelemetry. Uses the client, the manager's observer, and
 * opentelemetry-api, which is an optional dependency: a program that wants traces brings it. Runs on the reconciler's thread.
 */
@NullMarked
package io.trimtab.tracing;

import org.jspecify.annotations.NullMarked;
