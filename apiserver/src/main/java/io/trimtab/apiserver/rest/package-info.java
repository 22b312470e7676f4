/**
 * What a request for a resource does: create, get, list, watch, update, patch, delete, and the subresources. Uses storage,
 * kinds, schema, patch, admission and auth by their interfaces. Runs on the thread that calls {@code ApiServer.handle}.
 */
@NullMarked
package io.trimtab.apiserver.rest;

import org.jspecify.annotations.NullMarked;
