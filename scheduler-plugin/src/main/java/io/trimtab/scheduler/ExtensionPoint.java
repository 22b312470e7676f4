package io.trimtab.scheduler;

import io.trimtab.scheduler.framework.BindPlugin;
import io.trimtab.scheduler.framework.FilterPlugin;
import io.trimtab.scheduler.framework.PermitPlugin;
import io.trimtab.scheduler.framework.Plugin;
import io.trimtab.scheduler.framework.PostBindPlugin;
import io.trimtab.scheduler.framework.PostFilterPlugin;
import io.trimtab.scheduler.framework.PreBindPlugin;
import io.trimtab.scheduler.framework.PreEnqueuePlugin;
import io.trimtab.scheduler.framework.PreFilterPlugin;
import io.trimtab.scheduler.framework.PreScorePlugin;
import io.trimtab.scheduler.framework.QueueSortPlugin;
import io.trimtab.scheduler.framework.ReservePlugin;
import io.trimtab.scheduler.framework.ScorePlugin;

/** The places where plugins are called, and the names the configuration has for them. */
public enum ExtensionPoint {
    PRE_ENQUEUE("preEnqueue", PreEnqueuePlugin.class),
    QUEUE_SORT("queueSort", QueueSortPlugin.class),
    PRE_FILTER("preFilter", PreFilterPlugin.class),
    FILTER("filter", FilterPlugin.class),
    POST_FILTER("postFilter", PostFilterPlugin.class),
    PRE_SCORE("preScore", PreScorePlugin.class),
    SCORE("score", ScorePlugin.class),
    RESERVE("reserve", ReservePlugin.class),
    PERMIT("permit", PermitPlugin.class),
    PRE_BIND("preBind", PreBindPlugin.class),
    BIND("bind", BindPlugin.class),
    POST_BIND("postBind", PostBindPlugin.class);

    private final String field;
    private final Class<? extends Plugin> type;

    ExtensionPoint(String field, Class<? extends Plugin> type) {
        this.field = field;
        this.type = type;
    }

    /** The name in the configuration. */
    public String field() {
        return field;
    }

    /** What a plugin of this point implements. */
    public Class<? extends Plugin> type() {
        return type;
    }
}
