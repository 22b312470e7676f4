package io.trimtab.benchmarks.micro;

import java.nio.charset.StandardCharsets;

/** The objects that are measured: of the size and shape that clusters are full of. */
public final class Samples {
    private Samples() {}

    /** A pod as a client sends it. */
    static byte[] pod(String name, int shard) {
        return bytes("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"" + name
                + "\",\"labels\":{\"app\":\"web\",\"tier\":\"back-end\",\"release_track\":\"canary\",\"shard\":\""
                + shard
                + "\"}},\"spec\":{\"schedulerName\":\"none\",\"containers\":[{\"name\":\"web\",\"image\":\"nginx:1.27\","
                + "\"ports\":[{\"containerPort\":8080}],\"env\":[{\"name\":\"DB_HOST\",\"value\":\"db\"},"
                + "{\"name\":\"DB_PORT\",\"value\":\"3306\"}],\"resources\":{\"requests\":{\"cpu\":\"100m\","
                + "\"memory\":\"64Mi\"}},\"readinessProbe\":{\"httpGet\":{\"path\":\"/\",\"port\":8080}}}]}}");
    }

    public static byte[] bytes(String json) {
        return json.getBytes(StandardCharsets.UTF_8);
    }
}
