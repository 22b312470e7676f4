package io.trimtab.apiserver.flowcontrol;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.runtime.Driver;
import java.util.List;

/**
 * A PriorityLevelConfiguration at work: its queues and its seats. The configuration is written by whoever digests the objects,
 * one at a time; everything else is safe for use by any thread.
 */
final class PriorityLevel {
    static final String EXEMPT = "exempt";
    static final String CATCH_ALL = "catch-all";

    final String name;
    final QueueSet queues;
    final RetryAfter retryAfter = new RetryAfter();
    volatile Spec spec;
    volatile List<String> uid;
    /** It has no object any more, and stays until it is idle. */
    volatile boolean quiescing;

    volatile int nominal;
    volatile int lower;
    volatile int upper;
    volatile int current;
    volatile double target;
    /** The most seats that one request is estimated to take; 0 if only the general limit holds. */
    volatile int widest;

    /**
     * What an object says.
     *
     * @param borrowPercent negative for no limit
     */
    record Spec(QueueSet.Shape shape, int shares, int lendPercent, int borrowPercent) {
        boolean isExempt() {
            return shape.kind() == QueueSet.Kind.EXEMPT;
        }

        /** @throws IllegalArgumentException if the object cannot be used */
        static Spec of(String name, JsonNode spec) {
            boolean exempt = spec.path("type").asText().equals("Exempt");
            JsonNode limited = spec.path("limited");
            if (exempt != name.equals(EXEMPT) || exempt == limited.isObject()) {
                throw new IllegalArgumentException("type and name or content do not fit");
            }
            if (exempt) {
                JsonNode own = spec.path("exempt");
                return new Spec(
                        QueueSet.Shape.EXEMPT,
                        own.path("nominalConcurrencyShares").asInt(0),
                        own.path("lendablePercent").asInt(0),
                        -1);
            }
            JsonNode response = limited.path("limitResponse");
            JsonNode queuing = response.path("queuing");
            boolean queues = response.path("type").asText().equals("Queue");
            if (queues != queuing.isObject()) {
                throw new IllegalArgumentException("limitResponse is of one type and has the content of another");
            }
            QueueSet.Shape shape = QueueSet.Shape.REJECT;
            if (queues) {
                shape = new QueueSet.Shape(
                        QueueSet.Kind.QUEUE,
                        queuing.path("queues").asInt(64),
                        queuing.path("handSize").asInt(8),
                        queuing.path("queueLengthLimit").asInt(50));
                new Dealer(shape.queues(), shape.handSize()); // throws if there is no such hand
            }
            return new Spec(
                    shape,
                    limited.path("nominalConcurrencyShares").asInt(30),
                    limited.path("lendablePercent").asInt(0),
                    limited.path("borrowingLimitPercent").asInt(-1));
        }
    }

    PriorityLevel(String name, Spec spec, String uid, Driver driver) {
        this.name = name;
        this.spec = spec;
        this.uid = List.of(uid);
        this.queues = new QueueSet(driver, spec.shape(), 0);
    }

    /** Works out the limits from this level's part of all shares. */
    void allot(int serverSeats, double allShares) {
        int seats = allShares == 0 ? 0 : (int) Math.ceil(serverSeats * spec.shares() / allShares);
        int lendable = (int) Math.round(seats * spec.lendPercent() / 100.0);
        int borrowing = spec.borrowPercent() < 0 ? serverSeats : (int) Math.round(seats * spec.borrowPercent() / 100.0);
        boolean fresh = nominal == 0 && upper == 0;
        nominal = seats;
        lower = seats - lendable;
        upper = seats + borrowing;
        QueueSet.Shape shape = spec.shape();
        widest = shape.kind() == QueueSet.Kind.QUEUE
                ? (int) Math.max(1, Math.min(Math.ceil(seats * 0.15), seats / shape.handSize()))
                : 0;
        if (fresh) {
            current = seats - lendable / 2;
        }
    }
}
