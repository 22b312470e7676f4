package io.trimtab.scheduler;

import io.trimtab.runtime.Driver;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.Status;
import io.trimtab.scheduler.framework.WaitingPod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The pods that wait in Permit. Safe for use by any thread; what a wait comes to is told on the scheduler's lane. */
final class WaitingPods {
    private final Driver driver;
    private final Driver.Lane lane;
    private final Map<String, Waiting> byUid = new ConcurrentHashMap<>();

    WaitingPods(Driver driver, Driver.Lane lane) {
        this.driver = driver;
        this.lane = lane;
    }

    /**
     * Lets a pod wait.
     *
     * @param waits the plugins to wait for, and how long
     * @param ended hears, once, of success or of the rejection
     */
    void add(PodInfo pod, Map<String, Duration> waits, Consumer<Status> ended) {
        Waiting waiting = new Waiting(pod, ended);
        byUid.put(pod.uid(), waiting);
        waiting.begin(waits);
    }

    @Nullable
    WaitingPod get(String uid) {
        return byUid.get(uid);
    }

    Collection<WaitingPod> all() {
        return List.copyOf(byUid.values());
    }

    private final class Waiting implements WaitingPod {
        private final PodInfo pod;
        private final Consumer<Status> ended;
        /** Guarded by itself. */
        private final Map<String, Driver.Timer> pending = new TreeMap<>();

        private boolean over;

        Waiting(PodInfo pod, Consumer<Status> ended) {
            this.pod = pod;
            this.ended = ended;
        }

        void begin(Map<String, Duration> waits) {
            synchronized (pending) {
                waits.forEach((plugin, timeout) -> pending.put(
                        plugin,
                        driver.schedule(
                                timeout,
                                () -> reject(
                                        plugin,
                                        "rejected due to timeout after waiting " + seconds(timeout) + " at plugin "
                                                + plugin))));
            }
        }

        @Override
        public PodInfo pod() {
            return pod;
        }

        @Override
        public Set<String> pendingPlugins() {
            synchronized (pending) {
                return Set.copyOf(pending.keySet());
            }
        }

        @Override
        public void allow(String plugin) {
            synchronized (pending) {
                Driver.Timer timer = pending.remove(plugin);
                if (timer != null) {
                    timer.cancel();
                }
                if (over || !pending.isEmpty()) {
                    return;
                }
                over = true;
            }
            end(Status.SUCCESS);
        }

        @Override
        public void reject(String plugin, String message) {
            List<Driver.Timer> timers;
            synchronized (pending) {
                if (over) {
                    return;
                }
                over = true;
                timers = new ArrayList<>(pending.values());
                pending.clear();
            }
            timers.forEach(Driver.Timer::cancel);
            end(Status.unschedulable(message).by(plugin));
        }

        private void end(Status status) {
            lane.execute(() -> {
                byUid.remove(pod.uid(), this);
                ended.accept(status);
            });
        }
    }

    /** As Go prints a duration. */
    private static String seconds(Duration time) {
        StringBuilder text = new StringBuilder();
        if (time.toHours() > 0) {
            text.append(time.toHours()).append('h');
        }
        if (time.toMinutes() > 0) {
            text.append(time.toMinutesPart()).append('m');
        }
        text.append(time.toSecondsPart());
        if (time.toMillisPart() > 0) {
            text.append(String.format(".%03d", time.toMillisPart()).replaceAll("0+$", ""));
        }
        return text.append('s').toString();
    }
}
