package io.trimtab.scheduler;

import io.trimtab.client.Client;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.InformerFactory;
import io.trimtab.runtime.Driver;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.Snapshot;
import io.trimtab.scheduler.framework.WaitingPod;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What all profiles of a scheduler share. */
interface SchedulerServices {
    Driver driver();

    Client client();

    InformerFactory informers();

    EventRecorder events(String schedulerName);

    Snapshot snapshot();

    /** False if no pod is nominated anywhere. */
    boolean hasNominations();

    List<PodInfo> nominatedPods(String node);

    void clearNomination(PodInfo pod);

    @Nullable
    WaitingPod waitingPod(String uid);

    Collection<WaitingPod> waitingPods();

    void activate(Collection<String> keys);

    void onLane(Runnable step);

    void write(PodInfo about, Runnable step);
}
