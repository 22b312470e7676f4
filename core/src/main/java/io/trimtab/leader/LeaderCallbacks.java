package io.trimtab.leader;

/** Hears of an election, one call after another, on a lane of the elector's. */
public interface LeaderCallbacks {

    /** This candidate leads now: begin to work. */
    void onStartedLeading();

    /** This candidate led and does so no longer (lost the lease, or was stopped): work no more. */
    void onStoppedLeading();

    /** Somebody leads, perhaps this candidate. */
    default void onNewLeader(String identity) {}
}
