package io.trimtab.junit;

import io.trimtab.runtime.VirtualDriver;

/**
 * Makes the decisions of a run that could go another way, as a schedule says, and counts them: which of the due steps is next, and
 * whether others have a turn before a request. For the thread that drives the cluster.
 */
final class Orders implements VirtualDriver.Chooser {
    /** A turn before a request is this many steps, for each choice of it. */
    private static final int STEPS_A_TURN = 3;

    private final Schedule schedule;
    private Schedule taken = Schedule.ORDINARY;
    private int decisions;
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
        int choice = decide(due);
        return choice;
    }

    /** How many steps others may run before a request. */
    int stepsBeforeRequest() {
        return STEPS_A_TURN * decide(5);
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
