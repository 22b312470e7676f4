package io.trimtab.controllers.pods;

import io.trimtab.controller.Parallel;
import io.trimtab.runtime.Driver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/** Runs calls in batches of 1, 2, 4, ...: when the server refuses (a quota, say), it is asked once and not five hundred times. */
public final class SlowStart {
    private SlowStart() {}

    /** @return what came of the calls that were made, in their order; none is made after a batch in which one failed */
    public static <R> List<Parallel.Outcome<R>> run(Driver driver, List<? extends Callable<R>> calls) {
        List<Parallel.Outcome<R>> outcomes = new ArrayList<>(calls.size());
        int batch = 1;
        while (outcomes.size() < calls.size()) {
            int from = outcomes.size();
            int to = Math.min(calls.size(), from + batch);
            List<Parallel.Outcome<R>> results = Parallel.run(driver, calls.subList(from, to));
            outcomes.addAll(results);
            if (results.stream().anyMatch(outcome -> !outcome.isSuccess())) {
                break;
            }
            batch *= 2;
        }
        return outcomes;
    }

    /**
     * Throws the first failure, if there is one that is no consequence of the namespace's end.
     *
     * @throws Exception what a call threw
     */
    public static void throwFirst(List<? extends Parallel.Outcome<?>> outcomes) throws Exception {
        for (Parallel.Outcome<?> outcome : outcomes) {
            Throwable failure = outcome.failure();
            boolean ignored =
                    failure instanceof io.trimtab.client.ApiException e && PodControl.isNamespaceTerminating(e);
            if (failure != null && !ignored) {
                throw failure instanceof Exception e ? e : new IllegalStateException(failure);
            }
        }
    }
}
