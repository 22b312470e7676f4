package io.trimtab.benchmarks.process;

/**
 * What one start of a control plane showed.
 *
 * @param readyMillis from the start of the first process until a user can do something: the API answers and the default
 *     namespace has its service account
 * @param idleKilobytes resident memory of all its processes, five seconds later
 * @param podsMillis from the request for a ReplicationController until all its pods are ready
 * @param busyKilobytes resident memory after that
 */
record Sample(long readyMillis, long idleKilobytes, long podsMillis, long busyKilobytes) {}
