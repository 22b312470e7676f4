package io.trimtab.benchmarks.process;

import com.sun.management.ThreadMXBean;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.benchmarks.micro.Samples;
import io.trimtab.runtime.RealDriver;
import io.trimtab.standalone.ApiServerInstance;
import io.trimtab.standalone.ApiServerOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What the writes of one pod's way to readiness cost the server, asked inside its JVM by one thread: processor time and bytes
 * allocated of each kind of request. Runs with the compiler that the launcher asks for. One argument: how many pods.
 */
public final class WriteBenchmark {
    private static final UserInfo ADMIN = UserInfo.of("admin", UserInfo.MASTERS_GROUP, UserInfo.AUTHENTICATED_GROUP);
    private static final UserInfo CONTROLLER = UserInfo.of(
            "system:serviceaccount:kube-system:replication-controller",
            "system:serviceaccounts",
            "system:serviceaccounts:kube-system",
            UserInfo.AUTHENTICATED_GROUP);
    private static final UserInfo SCHEDULER = UserInfo.of("system:kube-scheduler", UserInfo.AUTHENTICATED_GROUP);
    private static final String NAMESPACE = "/api/v1/namespaces/default";
    private static final String TIME = "2026-11-23T22:36:50Z";
    private static final int NODES = 100;

    /** What one kind of request has cost so far. */
    private static final class Cost {
        long count;
        long nanos;
        long bytes;
    }

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final Map<String, Cost> costs = new LinkedHashMap<>();
    private final ApiServerInstance server;

    private WriteBenchmark(ApiServerInstance server) {
        this.server = server;
    }

    public static void main(String[] args) throws IOException {
        int pods = args.length > 0 ? Integer.parseInt(args[0]) : 2000;
        Path directory = Files.createTempDirectory("trimtab-writes");
        RealDriver driver = RealDriver.create("benchmark");
        // In memory, what is measured is the server's own work: confirmations of the disk are shared by all who write
        // at once.
        ApiServerOptions options = Boolean.getBoolean("trimtab.disk")
                ? ApiServerOptions.IN_MEMORY.withStore(ApiServerOptions.StoreKind.ROCKSDB, directory.resolve("data"))
                : ApiServerOptions.IN_MEMORY;
        try (ApiServerInstance server = ApiServerInstance.start(options, driver)) {
            WriteBenchmark benchmark = new WriteBenchmark(server);
            benchmark.prepare();
            benchmark.pods("cold", pods / 4);
            benchmark.report("the first " + pods / 4 + " pods");
            benchmark.costs.clear();
            benchmark.pods("warm", pods);
            benchmark.report(pods + " more");
        } finally {
            driver.close();
            Directories.delete(directory);
        }
        System.exit(0);
    }

    private void prepare() {
        send(
                "serviceaccount",
                ADMIN,
                "POST",
                NAMESPACE + "/serviceaccounts",
                "application/json",
                "{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":\"default\"}}");
        for (int i = 0; i < NODES; i++) {
            send(
                    "node",
                    ADMIN,
                    "POST",
                    "/api/v1/nodes",
                    "application/json",
                    "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"" + node(i) + "\"}}");
        }
        costs.clear();
    }

    private static String node(int i) {
        return "node-" + i % NODES;
    }

    private static UserInfo kubelet(int i) {
        return UserInfo.of("system:node:" + node(i), "system:nodes", UserInfo.AUTHENTICATED_GROUP);
    }

    private void pods(String prefix, int count) {
        for (int i = 0; i < count; i++) {
            String name = prefix + "-" + i;
            String object = NAMESPACE + "/pods/" + name;
            String created = text(send(
                    "create a pod",
                    CONTROLLER,
                    "POST",
                    NAMESPACE + "/pods",
                    "application/json",
                    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"" + name
                            + "\",\"labels\":{\"app\":\"load\"},\"ownerReferences\":[{\"apiVersion\":\"v1\","
                            + "\"kind\":\"ReplicationController\",\"name\":\"load\","
                            + "\"uid\":\"208f4273-4d29-4282-af58-3e218736ff41\",\"controller\":true,"
                            + "\"blockOwnerDeletion\":true}]},\"spec\":{\"containers\":[{\"image\":\"nginx:1.27\","
                            + "\"imagePullPolicy\":\"IfNotPresent\",\"name\":\"web\",\"resources\":{\"requests\":"
                            + "{\"cpu\":\"10m\",\"memory\":\"16Mi\"}},\"terminationMessagePath\":"
                            + "\"/dev/termination-log\",\"terminationMessagePolicy\":\"File\"}],\"dnsPolicy\":"
                            + "\"ClusterFirst\",\"restartPolicy\":\"Always\",\"schedulerName\":\"default-scheduler\","
                            + "\"securityContext\":{},\"terminationGracePeriodSeconds\":30}}"));
            int at = created.indexOf("\"uid\":\"", created.indexOf("\"namespace\":\"default\"")) + 7;
            String uid = created.substring(at, at + 36);
            event(CONTROLLER, name, uid, "SuccessfulCreate", "replication-controller", "");
            send(
                    "bind it",
                    SCHEDULER,
                    "POST",
                    object + "/binding",
                    "application/json",
                    "{\"apiVersion\":\"v1\",\"kind\":\"Binding\",\"metadata\":{\"name\":\"" + name
                            + "\",\"namespace\":\"default\",\"uid\":\"" + uid
                            + "\"},\"target\":{\"kind\":\"Node\",\"name\":\"" + node(i) + "\"}}");
            event(SCHEDULER, name, uid, "Scheduled", "default-scheduler", "");
            status(i, object, uid, false);
            event(kubelet(i), name, uid, "Started", "kubelet", node(i));
            status(i, object, uid, true);
        }
    }

    private void event(UserInfo user, String pod, String uid, String reason, String component, String host) {
        String source = host.isEmpty() ? "" : ",\"host\":\"" + host + "\"";
        send(
                "record an event",
                user,
                "POST",
                NAMESPACE + "/events",
                "application/json",
                "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"" + pod + "."
                        + reason.toLowerCase(Locale.ROOT)
                        + "\",\"namespace\":\"default\"},\"involvedObject\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\","
                        + "\"namespace\":\"default\",\"name\":\"" + pod + "\",\"uid\":\"" + uid
                        + "\"},\"count\":1,\"type\":\"Normal\",\"firstTimestamp\":\"" + TIME + "\",\"lastTimestamp\":\""
                        + TIME + "\",\"reason\":\"" + reason + "\",\"message\":\"What became of pod " + pod
                        + ", in one line\",\"source\":{\"component\":\"" + component + "\"" + source
                        + "},\"reportingComponent\":\"" + component + "\",\"reportingInstance\":\"" + host + "\"}");
    }

    private void status(int i, String object, String uid, boolean ready) {
        StringBuilder conditions = new StringBuilder();
        for (String type :
                List.of("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")) {
            boolean met = ready || type.equals("Initialized") || type.equals("PodScheduled");
            conditions
                    .append(conditions.length() == 0 ? "" : ",")
                    .append("{\"type\":\"")
                    .append(type)
                    .append("\",\"status\":\"")
                    .append(met ? "True" : "False")
                    .append("\",\"lastProbeTime\":null,\"observedGeneration\":1,\"lastTransitionTime\":\"")
                    .append(TIME)
                    .append("\"}");
        }
        String address = "172.16." + i / 250 % 250 + "." + (1 + i % 250);
        send(
                ready ? "its second status" : "its first status",
                kubelet(i),
                "PATCH",
                object + "/status",
                "application/strategic-merge-patch+json",
                "{\"metadata\":{\"uid\":\"" + uid + "\"},\"status\":{\"phase\":\"" + (ready ? "Running" : "Pending")
                        + "\",\"conditions\":[" + conditions + "],\"hostIP\":\"10.0.0.12\",\"hostIPs\":[{\"ip\":"
                        + "\"10.0.0.12\"}],\"startTime\":\"" + TIME + "\","
                        + (ready ? "\"podIP\":\"" + address + "\",\"podIPs\":[{\"ip\":\"" + address + "\"}]," : "")
                        + "\"containerStatuses\":[{\"name\":\"web\",\"image\":\"nginx:1.27\",\"imageID\":\""
                        + (ready ? "simulated-image@sha256:e3e21488e90dd8a437f30938e2796c2f2f0a3fd630653749" : "")
                        + "\",\"lastState\":{},\"ready\":" + ready + ",\"restartCount\":0,\"started\":" + ready
                        + ",\"state\":"
                        + (ready
                                ? "{\"running\":{\"startedAt\":\"" + TIME + "\"}}"
                                : "{\"waiting\":{\"reason\":\"ContainerCreating\"}}")
                        + "}]}}");
    }

    private static String text(ApiResponse response) {
        return new String(((ApiResponse.Whole) response).body(), StandardCharsets.UTF_8);
    }

    private ApiResponse send(String what, UserInfo user, String method, String path, String type, String body) {
        byte[] bytes = Samples.bytes(body);
        Cost cost = costs.computeIfAbsent(what, w -> new Cost());
        long allocated = threads.getCurrentThreadAllocatedBytes();
        long time = threads.getCurrentThreadCpuTime();
        ApiResponse response = server.server().handle(ApiRequest.local(user, method, path, Map.of(), type, bytes));
        cost.nanos += threads.getCurrentThreadCpuTime() - time;
        cost.bytes += threads.getCurrentThreadAllocatedBytes() - allocated;
        cost.count++;
        if (response.code() >= 300) {
            throw new IllegalStateException(method + " " + path + ": " + text(response));
        }
        return response;
    }

    private void report(String which) {
        Cost all = new Cost();
        System.out.printf(Locale.ROOT, "%-20s %8s %10s %10s%n", which, "requests", "each, us", "each, kB");
        costs.forEach((what, cost) -> {
            print(what, cost);
            all.count += cost.count;
            all.nanos += cost.nanos;
            all.bytes += cost.bytes;
        });
        print("all", all);
    }

    private static void print(String what, Cost cost) {
        System.out.printf(
                Locale.ROOT,
                "%-20s %8d %10.1f %10.1f%n",
                what,
                cost.count,
                cost.nanos / 1e3 / cost.count,
                cost.bytes / 1e3 / cost.count);
    }
}
