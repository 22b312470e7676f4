package io.trimtab.node.simulated;

import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;

/**
 * How a simulated runtime behaves where a pod's annotations do not say. Immutable.
 *
 * <p>A pod overrides it by annotations: {@link #RUN_DURATION}, {@link #EXIT_CODE}, {@link #READY_AFTER}, {@link #SERVES}, each for all its
 * containers, or for one as {@code <key>.<container>}.
 *
 * @param pullTime how long an image takes that the node does not have
 * @param startTime between the order to start a container and its running
 * @param stopTime how long a container takes to end when asked to; never longer than its grace period
 * @param unknownImages images that cannot be had: matched against the whole reference
 */
public record Simulation(Duration pullTime, Duration startTime, Duration stopTime, List<Pattern> unknownImages) {
    /** Annotation: how long containers run, in Go's form ({@code 1m30s}) or {@code forever}. */
    public static final String RUN_DURATION = "simulation.trimtab.io/run-duration";

    /** Annotation: what containers end with. */
    public static final String EXIT_CODE = "simulation.trimtab.io/exit-code";

    /** Annotation: how long after their start containers are ready, or {@code never}. */
    public static final String READY_AFTER = "simulation.trimtab.io/ready-after";

    /**
     * Annotation: what containers answer at which ports, as {@code port[/udp]=behaviour[:argument]}, separated by semicolons.
     * Behaviours are {@code hostname}, {@code text:ANSWER}, {@code status:CODE}, {@code files:DIRECTORY}, {@code echo} and
     * {@code silence}.
     */
    public static final String SERVES = "simulation.trimtab.io/serves";

    /** Images that nobody has: the names that Kubernetes' own tests use for such. */
    private static final List<Pattern> UNKNOWN = List.of(
            Pattern.compile(".*:non-existent"),
            Pattern.compile(".*:404"),
            Pattern.compile("foo:.*"),
            Pattern.compile("gcr\\.io/authenticated-image-pulling/.*"),
            Pattern.compile("invalid\\.registry\\..*"));

    /** Quick, but not so quick that nobody sees a container being created. */
    public static final Simulation DEFAULT =
            new Simulation(Duration.ofMillis(400), Duration.ofMillis(20), Duration.ofMillis(50), UNKNOWN);

    public Simulation {
        unknownImages = List.copyOf(unknownImages);
    }

    boolean isUnknown(String image) {
        return unknownImages.stream().anyMatch(pattern -> pattern.matcher(image).matches());
    }
}
