package io.trimtab.scheduler.framework;

import java.util.Comparator;

/** Orders the queue; there is exactly one, the same in all profiles. Pods that compare as equal keep their order of arrival. */
public interface QueueSortPlugin extends Plugin, Comparator<QueuedPodInfo> {}
