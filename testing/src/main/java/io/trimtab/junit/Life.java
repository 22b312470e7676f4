package io.trimtab.junit;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.injvm.InJvmTransport;
import io.trimtab.client.Client;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.FabricClient;
import io.trimtab.client.KubernetesJson;
import io.trimtab.controller.Manager;
import io.trimtab.controllers.ControllerTable;
import io.trimtab.runtime.Driver;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One life of a program, from its start to its crash or end. For the thread that drives the cluster. */
final class Life implements Surroundings {
    private final Cluster cluster;
    private final Instance instance;
    private final ProcessDriver driver;
    private final Gate gate;
    private final InJvmTransport transport;
    private final Map<String, FabricClient> clients = new LinkedHashMap<>();
    private @Nullable KubernetesClient client;
    private @Nullable ProgramManager manager;
    private @Nullable AutoCloseable running;

    Life(Cluster cluster, Instance instance) {
        this.cluster = cluster;
        this.instance = instance;
        this.driver = new ProcessDriver(cluster.time(), cluster.history());
        this.gate = new Gate(cluster, instance, driver);
        this.transport = InJvmTransport.of(gate, driver);
    }

    void start(Program program) {
        int before = cluster.history().enter(0);
        try {
            running = program.start(this);
        } catch (ProcessDied end) {
            // It died while it started, and will be started anew.
        } catch (Exception e) {
            throw new IllegalStateException("the program " + instance.name() + " did not start: " + e, e);
        } finally {
            cluster.history().enter(before);
        }
    }

    /** Whether something of it may wait on threads of Fabric8's own. */
    boolean usesFabric8() {
        return client != null;
    }

    ProcessDriver processDriver() {
        return driver;
    }

    Gate gate() {
        return gate;
    }

    @Nullable
    ProgramManager managerIfAny() {
        return manager;
    }

    void die() {
        driver.die();
        gate.close();
    }

    List<String> close() {
        AutoCloseable program = running;
        if (program != null && !driver.isDead()) {
            try {
                program.close();
            } catch (Exception e) {
                throw new IllegalStateException("the program " + instance.name() + " did not close: " + e, e);
            }
        }
        cluster.time().settle();
        List<String> left = driver.isDead() ? List.of() : gate.openWatches();
        if (client != null) {
            client.close();
        }
        clients.values().forEach(FabricClient::close);
        die();
        return left;
    }

    // ---- Surroundings ----------------------------------------------------------------------------------------------

    @Override
    public String name() {
        return instance.name();
    }

    @Override
    public KubernetesClient client() {
        KubernetesClient made = client;
        if (made == null) {
            Config config = new ConfigBuilder(Config.empty())
                    .withMasterUrl(InJvmTransport.BASE_URL)
                    .withNamespace("default")
                    .withUserAgent(instance.name())
                    // Repeating and reconnecting happen on Fabric8's own threads in real time: as little of it as can
                    // be.
                    .withRequestRetryBackoffLimit(0)
                    .withWatchReconnectInterval(1)
                    .build();
            made = new KubernetesClientBuilder()
                    .withConfig(config)
                    .withHttpClientFactory(transport())
                    .withTaskExecutor(driver::execute)
                    .withKubernetesSerialization(KubernetesJson.serialization())
                    .build();
            client = made;
        }
        return made;
    }

    @Override
    public HttpClient.Factory transport() {
        return transport.httpClientFactory(instance.user());
    }

    @Override
    public Client api() {
        return component(instance.name());
    }

    private FabricClient component(String component) {
        return clients.computeIfAbsent(component, name -> {
            UserInfo user = ControllerTable.names().contains(name)
                    ? new UserInfo(
                            "system:serviceaccount:kube-system:" + name,
                            "",
                            List.of(
                                    "system:serviceaccounts",
                                    "system:serviceaccounts:kube-system",
                                    UserInfo.AUTHENTICATED_GROUP),
                            Map.of())
                    : instance.user();
            return transport.client(user, ClientOptions.DEFAULT).clientFor(name);
        });
    }

    @Override
    public Manager manager() {
        ProgramManager made = manager;
        if (made == null) {
            made = new ProgramManager(cluster, instance, driver, this::component);
            manager = made;
        }
        return made;
    }

    @Override
    public Driver driver() {
        return driver;
    }
}
