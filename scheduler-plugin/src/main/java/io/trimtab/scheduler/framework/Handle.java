package io.trimtab.scheduler.framework;

import io.trimtab.client.Client;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.InformerFactory;
import io.trimtab.runtime.Driver;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the framework offers to a plugin. Methods are called on the scheduler's lane unless said otherwise. */
public interface Handle {
    /** The profile's scheduler name. Any thread. */
    String schedulerName();

    /** Any thread. */
    Driver driver();

    /** Blocks, so not for the lane. Any thread. */
    Client client();

    /** Ask for informers when the plugin is made, so that they are synced before the first pod. Any thread. */
    InformerFactory informers();

    /** Events that name the profile as their source. Any thread. */
    EventRecorder events();

    Snapshot snapshot();

    /** Runs the profile's filters, with the pods of equal or higher priority that are nominated to the node and without. */
    Status filterWithNominatedPods(CycleState state, PodInfo pod, NodeInfo node);

    /** Tells all PreFilter plugins that a pod was added to (a copy of) a node. */
    Status addPod(CycleState state, PodInfo pod, PodInfo added, NodeInfo node);

    /** Tells all PreFilter plugins that a pod was removed from (a copy of) a node. */
    Status removePod(CycleState state, PodInfo pod, PodInfo removed, NodeInfo node);

    /** The pods nominated to a node. */
    List<PodInfo> nominatedPods(String node);

    /** Takes back a nomination. */
    void clearNomination(PodInfo pod);

    /** The pod, if it waits in Permit. Any thread. */
    @Nullable
    WaitingPod waitingPod(String uid);

    /** The pods that wait in Permit. Any thread. */
    Collection<WaitingPod> waitingPods();

    /** Tries pods again at once, by {@code namespace/name}. Any thread. */
    void activate(Collection<String> keys);

    /** Runs the step on the scheduler's lane. Any thread. */
    void onLane(Runnable step);

    /** Writes to the API beside the lane, writes about one pod in order. */
    void write(PodInfo about, Runnable step);
}
