/**
 * Java Operator SDK reconcilers in a Trimtab manager: {@code JosdkOperator} is the door, the rest lends the SDK our threads and our
 * time. May use core, Fabric8 and the SDK. Runs on the driver's threads; in virtual time only a workflow's dependents run on a
 * thread of their own, while the driver's waits for them.
 */
@NullMarked
package io.trimtab.josdk;

import org.jspecify.annotations.NullMarked;
