/**
 * Describes the API in OpenAPI, versions 3 and 2: what kubectl validates and explains by. Built from the resource registry and
 * the types of Kubernetes. Documents are made when first asked for, on the thread that asks, and kept while memory allows.
 */
@NullMarked
package io.trimtab.apiserver.openapi;

import org.jspecify.annotations.NullMarked;
