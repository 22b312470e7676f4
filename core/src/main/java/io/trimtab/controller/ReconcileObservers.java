package io.trimtab.controller;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Several observers: the first is told first of beginnings, and last of ends. */
record ReconcileObservers(List<ReconcileObserver> all) implements ReconcileObserver {
    ReconcileObservers {
        all = List.copyOf(all);
    }

    ReconcileObservers and(ReconcileObserver one) {
        List<ReconcileObserver> more = new ArrayList<>(all);
        more.add(one);
        return new ReconcileObservers(more);
    }

    @Override
    public void before(String controller, Request request) {
        all.forEach(observer -> observer.before(controller, request));
    }

    @Override
    public void after(
            String controller, Request request, @Nullable Result result, @Nullable Throwable failure, Duration took) {
        for (int i = all.size() - 1; i >= 0; i--) {
            all.get(i).after(controller, request, result, failure, took);
        }
    }
}
