package io.trimtab.apiserver.rest;

import io.trimtab.apiserver.admission.AdmissionPlugin;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.BearerTokens;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.tokens.TokenIssuer;
import io.trimtab.runtime.Driver;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What all handlers share. Immutable.
 *
 * @param admission in the order in which they are asked
 * @param nodes reaches what runs on nodes
 * @param tokens reviews bearer tokens; null if there are none to know
 * @param issuer makes tokens of service accounts; null if this server makes none
 */
public record Environment(
        Driver driver,
        Storage storage,
        ResourceRegistry resources,
        List<AdmissionPlugin> admission,
        Authorizer authorizer,
        TableConverter tables,
        NodeProxy nodes,
        @Nullable BearerTokens tokens,
        @Nullable TokenIssuer issuer,
        FieldManagement fields) {

    /** With books of field managers of its own. */
    public static Environment of(
            Driver driver,
            Storage storage,
            ResourceRegistry resources,
            List<AdmissionPlugin> admission,
            Authorizer authorizer,
            TableConverter tables,
            NodeProxy nodes,
            @Nullable BearerTokens tokens,
            @Nullable TokenIssuer issuer) {
        FieldManagement fields = new FieldManagement();
        resources.addListener(new ResourceRegistry.Listener() {
            @Override
            public void onUnregistered(Served served) {
                fields.forget(served);
            }
        });
        return new Environment(
                driver, storage, resources, admission, authorizer, tables, nodes, tokens, issuer, fields);
    }
}
