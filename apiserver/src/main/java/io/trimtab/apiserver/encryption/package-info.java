/**
 * Encryption of what lies in the store: an EncryptionConfiguration, its providers, and the two places where they are put in
 * front of a store. Uses the store and the table of resources. Runs on the threads of the store's callers and of its writer.
 */
@NullMarked
package io.trimtab.apiserver.encryption;

import org.jspecify.annotations.NullMarked;
