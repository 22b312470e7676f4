package io.trimtab.apiserver.rest;

import io.trimtab.apiserver.admission.AdmissionPlugin;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.BearerTokens;
import io.trimtab.apiserver.resource.ResourceRegistry;
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
        @Nullable TokenIssuer issuer) {}
