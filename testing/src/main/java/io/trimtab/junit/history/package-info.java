/**
 * What writers did and watchers heard, and whether the two can be true of one store: an oracle for any API server. Uses nothing
 * else. Recording is safe for any thread; checking is for one, afterwards.
 */
@NullMarked
package io.trimtab.junit.history;

import org.jspecify.annotations.NullMarked;
