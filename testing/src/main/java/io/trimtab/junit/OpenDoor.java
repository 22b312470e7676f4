package io.trimtab.junit;

import io.trimtab.apiserver.http.HttpFrontend;
import io.trimtab.runtime.RealDriver;
import io.trimtab.standalone.AdminAccess;
import io.trimtab.standalone.ApiServerInstance;

/** Lets programs outside this JVM reach a server that lives in virtual time. */
final class OpenDoor implements AutoCloseable {
    private final RealDriver driver;
    private final HttpFrontend frontend;
    private final String kubeconfig;

    private OpenDoor(RealDriver driver, HttpFrontend frontend, String kubeconfig) {
        this.driver = driver;
        this.frontend = frontend;
        this.kubeconfig = kubeconfig;
    }

    static OpenDoor open(ApiServerInstance server) {
        RealDriver driver = RealDriver.create();
        HttpFrontend frontend = server.openPort(driver);
        return new OpenDoor(driver, frontend, AdminAccess.kubeconfig(server, frontend.securePort()));
    }

    String kubeconfig() {
        return kubeconfig;
    }

    @Override
    public void close() {
        frontend.close();
        driver.close();
    }
}
