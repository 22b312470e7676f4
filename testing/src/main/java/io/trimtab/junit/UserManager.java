package io.trimtab.junit;

import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.client.Client;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controllers.ControllerTable;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.InformerFactory;
import io.trimtab.runtime.Driver;

/**
 * The cluster's manager as a controller under test sees it: its clients may do everything, unless it bears the name of one of
 * Kubernetes' own controllers, whose rights it has then.
 */
final class UserManager implements Manager {
    private final io.trimtab.standalone.Cluster cluster;
    private final UserInfo user;

    UserManager(io.trimtab.standalone.Cluster cluster, UserInfo user) {
        this.cluster = cluster;
        this.user = user;
    }

    private String named(String component) {
        if (!ControllerTable.names().contains(component)) {
            cluster.actAs(component, user);
        }
        return component;
    }

    @Override
    public Driver driver() {
        return cluster.manager().driver();
    }

    @Override
    public Client client(String component) {
        return cluster.manager().client(named(component));
    }

    @Override
    public InformerFactory informers() {
        return cluster.manager().informers();
    }

    @Override
    public EventRecorder events(String component) {
        return cluster.manager().events(named(component));
    }

    @Override
    public void add(Controller controller) {
        cluster.manager().add(controller);
    }

    @Override
    public void add(Component component) {
        cluster.manager().add(component);
    }

    /** It runs already. */
    @Override
    public void start() {}

    /** The cluster closes it. */
    @Override
    public void close() {}
}
