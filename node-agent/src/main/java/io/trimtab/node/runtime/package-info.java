/**
 * What an agent asks of whatever runs containers. Uses nothing but the Fabric8 model. Each runtime says which thread calls back.
 */
@NullMarked
package io.trimtab.node.runtime;

import org.jspecify.annotations.NullMarked;
