package io.trimtab.bugs;

import static io.trimtab.junit.Workloads.service;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Oracle;
import java.util.Set;

/** Forgets to stop one of its informers when it is closed. */
class LeakedWatchTest extends BugContract {
    @Override
    void play(Cluster cluster, boolean mended) {
        cluster.run("forgetful", process -> {
            SharedIndexInformer<Service> services =
                    process.client().services().inNamespace("default").runnableInformer(0);
            services.start();
            return mended ? services::stop : () -> {};
        });
        cluster.apply(service("web")).settle();
    }

    @Override
    Set<Oracle> violated() {
        return Set.of(Oracle.NO_LEAKED_WATCH);
    }
}
