package io.trimtab.apiserver.flowcontrol;

import java.util.ArrayDeque;

/** One of the queues of a level. Guarded by the lock of the level's queues. */
final class Queue {
    final ArrayDeque<Ticket> waiting = new ArrayDeque<>(0);
    int executing;
    int seatsInUse;
    int seatsWaiting;
    int initialSeatsWaiting;
    /** Of all that wait, in seat-seconds. */
    double workWaiting;
    /** The level's progress at which the next request of this queue would begin, were all queues served bit by bit. */
    double nextDispatch;

    boolean isActive() {
        return executing > 0 || !waiting.isEmpty();
    }
}
