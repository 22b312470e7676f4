package io.trimtab.apiserver.tokens;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** What others need to check our tokens by themselves. Stateless. */
public final class OpenIdDocuments {
    /** Where the configuration is served. */
    public static final String CONFIGURATION_PATH = "/.well-known/openid-configuration";

    /** Where the keys are served. */
    public static final String KEYS_PATH = "/openid/v1/jwks";

    private OpenIdDocuments() {}

    /**
     * The document at {@link #CONFIGURATION_PATH}; the one at {@link #KEYS_PATH} is {@link TokenKeys#jwks}.
     *
     * @param externalAddress host and port at which clients reach this server
     */
    public static ObjectNode configuration(TokenSettings settings, TokenKeys keys, String externalAddress) {
        ObjectNode document = JsonNodeFactory.instance.objectNode();
        document.put("issuer", settings.issuer());
        document.put("jwks_uri", "https://" + externalAddress + KEYS_PATH);
        document.putArray("response_types_supported").add("id_token");
        document.putArray("subject_types_supported").add("public");
        ArrayNode algorithms = document.putArray("id_token_signing_alg_values_supported");
        keys.algorithms().forEach(algorithms::add);
        return document;
    }
}
