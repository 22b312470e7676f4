package io.trimtab.junit;

/**
 * What must hold of every controller, whatever it does. Checked for each {@link Program} of a cluster, during and after each test,
 * unless {@link TrimtabCluster#without} says otherwise.
 *
 * @since 0.1
 */
public enum Oracle {
    /** It does not write the same object, or reconcile the same key, without end. */
    NO_HOT_LOOP("no hot loop"),
    /** It takes no object from a living owner, and names only owners that exist. */
    ONE_OWNER("one living owner for each object"),
    /** What it has made for an object does not outlive that object. */
    NO_ORPHANS("no orphans"),
    /** It removes no finalizer of others, and its own once it is done. */
    FINALIZERS_KEPT("finalizers are kept until their work is done"),
    /** Once at rest, a restart makes no more writes: what was there was the end state. */
    CONVERGENCE("the state at rest is final"),
    /** A reconcile of what has been reconciled writes nothing. */
    IDEMPOTENCE("a repeated reconcile writes nothing"),
    /** Only who holds the lease writes. */
    LEADER_ONLY("only the leader writes"),
    /** A status does not claim to be about a generation that its writer has not seen. */
    OBSERVED_GENERATION("observedGeneration is not ahead"),
    /** It takes back nobody's changes that it has not seen. */
    NO_LOST_UPDATE("no lost update"),
    /** It does not change objects that a cache shares. */
    CACHE_UNTOUCHED("cached objects are not edited"),
    /** It does not send the same request in vain again and again. */
    NO_REPEATED_FAILURE("no request fails for ever"),
    /** It leaves no watch open when it is closed. */
    NO_LEAKED_WATCH("no leaked watch"),
    /** It uses no right that its role does not give, and its role gives none that it does not use. */
    ROLE_FITS("the role fits"),
    /** Faults do not change where things end. */
    SAME_END_STATE("the same end state, whatever goes wrong");

    private final String claim;

    Oracle(String claim) {
        this.claim = claim;
    }

    /** What it claims, in words. */
    public String claim() {
        return claim;
    }
}
