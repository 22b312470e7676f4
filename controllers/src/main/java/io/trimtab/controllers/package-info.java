/**
 * The controller manager: the table of all controllers, their selection by name, and the {@code main} of the packaged JAR. Uses
 * core and every controller's package; never the API server.
 */
@NullMarked
package io.trimtab.controllers;

import org.jspecify.annotations.NullMarked;
