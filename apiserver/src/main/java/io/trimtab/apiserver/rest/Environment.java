package io.trimtab.apiserver.rest;

import io.trimtab.apiserver.admission.AdmissionPlugin;
import io.trimtab.apiserver.auth.Authenticator;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.runtime.Driver;
import java.util.List;

/**
 * What all handlers share. Immutable.
 *
 * @param admission in the order in which they are asked
 * @param nodes reaches what runs on nodes
 */
public record Environment(
        Driver driver,
        Storage storage,
        ResourceRegistry resources,
        List<AdmissionPlugin> admission,
        Authenticator authenticator,
        Authorizer authorizer,
        TableConverter tables,
        NodeProxy nodes) {}
