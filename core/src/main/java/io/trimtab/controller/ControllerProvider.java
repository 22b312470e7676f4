package io.trimtab.controller;

/**
 * Makes a controller for a manager that somebody else runs: a simulation, a plan, a packaged manager. Found by
 * {@code ServiceLoader}, or named; has a public constructor without parameters.
 *
 * <pre>{@code
 * public final class WebController implements ControllerProvider {
 *     public Controller controller(Manager manager) {
 *         return Controller.of("web", Web.class).owns(Deployment.class).reconcile(new WebReconciler(manager));
 *     }
 * }
 * }</pre>
 *
 * @since 0.1
 */
@FunctionalInterface
public interface ControllerProvider {

    /**
     * The controller; called once for a manager, which adds and starts it.
     *
     * @param manager gives clients, informers and time; not started yet
     */
    Controller controller(Manager manager);
}
