package io.trimtab.standalone;

/**
 * The servers that an API server asks, or stands before: webhooks and aggregated API servers. Immutable.
 *
 * @param routeToEndpoints whether Services are reached at their endpoints; else at their cluster IP, which takes a service proxy
 *     on this machine
 */
public record ExtensionOptions(boolean routeToEndpoints) {

    /** What a server does when nobody says. */
    public static final ExtensionOptions DEFAULT = new ExtensionOptions(true);
}
