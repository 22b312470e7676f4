package io.trimtab.junit;

import io.trimtab.runtime.VirtualDriver;

/**
 * Makes the decisions of a run that could go another way, as a schedule says, and counts them: which of the due steps is next, and
 * whether others have a turn before a request. For the thread that drives the cluster.
 */
final class Orders implements VirtualDriver.Chooser {
    /** A turn before a request is this many steps, for each choice of it. */
    private static final int STEPS_A_TURN = 3;

    /** The first, the second, or the first set aside until one of the next four requests. */
    static final int CHOICES = 6;

    private final Schedule schedule;
    private Schedule taken = Schedule.ORDINARY;
    private int decisions;
    private int requests;
    private int calledBackAt = -1;
    private boolean counting;

    Orders(Schedule schedule) {
        this.schedule = schedule;
    }

    /** Decisions count from now on: what was before is the same in every run. */
    void begin() {
        counting = true;
    }

    /** No more departures. */
    void end() {
        counting = false;
    }

    @Override
    public int choose(int due) {
        int choice = decide(CHOICES);
        if (choice < 2) {
            return Math.min(choice, due - 1);
        }
        // Until right before a later request: where it hurts most.
        calledBackAt = requests + choice - 1;
        return -1;
    }

    /** How many steps others may run before a request, besides those that were set aside until then. */
    int stepsBeforeRequest() {
        requests++;
        return STEPS_A_TURN * decide(3);
    }

    /** Whether steps were set aside until this request. */
    boolean callsBack() {
        return requests == calledBackAt;
    }

    private int decide(int choices) {
        if (!counting) {
            return 0;
        }
        int choice = schedule.choiceAt(++decisions) % choices;
        if (choice != 0) {
            taken = taken.with(decisions, choice);
        }
        return choice;
    }

    int decisions() {
        return decisions;
    }

    Schedule taken() {
        return taken;
    }
}
