package io.trimtab.junit;

import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import java.util.function.Function;

/**
 * A controller, or a whole operator, as a test runs it: a process of its own, with a client of its own, that can crash and be
 * started anew. What must not outlive a crash is made inside {@link #start}; what the lambda captures does outlive it.
 *
 * <pre>{@code
 * cluster.run("web-operator", process -> {
 *     var informer = process.client().resources(Web.class).runnableInformer(0);
 *     ...
 *     informer.start();
 *     return informer::stop;
 * });
 * }</pre>
 *
 * @since 0.1
 */
@FunctionalInterface
public interface Program {
    /**
     * Begins to work, and returns at once. Called again after each crash.
     *
     * @param process what the program is given by its surroundings
     * @return ends the program in good order: its watches too
     */
    AutoCloseable start(Surroundings process) throws Exception;

    /** A program that is one controller, in a manager of its own. */
    static Program of(Function<Manager, Controller> controller) {
        return process -> {
            Manager manager = process.manager();
            manager.add(controller.apply(manager));
            manager.start();
            return manager;
        };
    }
}
