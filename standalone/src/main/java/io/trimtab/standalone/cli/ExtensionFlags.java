package io.trimtab.standalone.cli;

import io.trimtab.standalone.ExtensionOptions;
import picocli.CommandLine.Option;

/** The flags about webhooks and aggregated API servers. */
final class ExtensionFlags {
    @Option(
            names = "--enable-aggregator-routing",
            arity = "0..1",
            fallbackValue = "true",
            defaultValue = "true",
            description = "Reach the Services of webhooks and API servers at their endpoints; false: at their cluster IP.")
    private boolean routeToEndpoints;

    ExtensionOptions options() {
        return new ExtensionOptions(routeToEndpoints);
    }
}
