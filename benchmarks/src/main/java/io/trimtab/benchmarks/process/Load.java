package io.trimtab.benchmarks.process;

import java.util.Map;

/**
 * What an API server showed under load.
 *
 * @param rates operations, listed objects or delivered events a second, by phase
 * @param processorMillis of all its processes together, by phase; tells more than rates where others use the machine, too
 * @param residentKilobytes of all its processes together, at the end of the phase where that was most
 */
record Load(Map<String, Double> rates, Map<String, Double> processorMillis, long residentKilobytes) {}
