package io.trimtab.simulate;

import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.client.Client;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.InformerFactory;
import io.trimtab.runtime.Driver;
import io.trimtab.standalone.Cluster;

/** A cluster's manager as a user's controller sees it: its clients may do everything, as a test program's may. */
final class AdminManager implements Manager {
    private final Cluster cluster;
    private final Manager manager;

    AdminManager(Cluster cluster) {
        this.cluster = cluster;
        this.manager = cluster.manager();
    }

    @Override
    public Driver driver() {
        return manager.driver();
    }

    @Override
    public Client client(String component) {
        cluster.actAs(
                component, UserInfo.of("system:" + component, UserInfo.MASTERS_GROUP, UserInfo.AUTHENTICATED_GROUP));
        return manager.client(component);
    }

    @Override
    public InformerFactory informers() {
        return manager.informers();
    }

    @Override
    public EventRecorder events(String component) {
        return manager.events(component);
    }

    @Override
    public void add(Controller controller) {
        manager.add(controller);
    }

    @Override
    public void add(Component component) {
        manager.add(component);
    }

    @Override
    public void start() {
        manager.start();
    }

    @Override
    public void close() {
        manager.close();
    }
}
