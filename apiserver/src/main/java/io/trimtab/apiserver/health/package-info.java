/**
 * What a server says about itself: health, version, metrics, its paths, and the documents that let others check its tokens.
 * Reads what it is given and nothing else. Runs on request threads.
 */
@NullMarked
package io.trimtab.apiserver.health;

import org.jspecify.annotations.NullMarked;
