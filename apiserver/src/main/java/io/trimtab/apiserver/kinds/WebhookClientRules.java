package io.trimtab.apiserver.kinds;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import java.net.URI;
import java.util.List;

/** What is wrong with the place where a webhook is said to be (apiserver, util/webhook/validation.go). Stateless. */
public final class WebhookClientRules {
    private static final String FORM = "; desired format: https://host[/path]";

    private WebhookClientRules() {}

    /** A URL of its own. */
    public static void url(FieldErrors errors, String path, String text) {
        URI uri;
        try {
            uri = URI.create(text);
        } catch (IllegalArgumentException e) {
            errors.required(path, "url must be a valid URL: " + e.getMessage() + FORM);
            return;
        }
        if (!"https".equals(uri.getScheme())) {
            errors.invalid(
                    path,
                    uri.getScheme() == null ? "" : uri.getScheme(),
                    "'https' is the only allowed URL scheme" + FORM);
        }
        if (uri.getRawAuthority() == null) {
            errors.invalid(path, "", "host must be specified" + FORM);
        }
        if (uri.getUserInfo() != null) {
            errors.invalid(path, uri.getUserInfo(), "user information is not permitted in the URL");
        }
        if (uri.getFragment() != null && !uri.getFragment().isEmpty()) {
            errors.invalid(path, uri.getFragment(), "fragments are not permitted in the URL");
        }
        if (uri.getRawQuery() != null && !uri.getRawQuery().isEmpty()) {
            errors.invalid(path, uri.getRawQuery(), "query parameters are not permitted in the URL");
        }
    }

    /**
     * A service of the cluster.
     *
     * @param service whose port and path are looked at
     */
    public static void service(FieldErrors errors, String path, String namespace, String name, JsonNode service) {
        if (name.isEmpty()) {
            errors.required(path + ".name", "");
        }
        if (namespace.isEmpty()) {
            errors.required(path + ".namespace", "");
        }
        long port = Trees.number(service, "port");
        List<String> wrong = Names.portNumber(port);
        if (!wrong.isEmpty()) {
            errors.invalid(path + ".port", port, "port is not valid: " + String.join(", ", wrong));
        }
        String urlPath = Trees.text(service, "path");
        if (urlPath.isEmpty() || urlPath.equals("/")) {
            return;
        }
        if (urlPath.equals("//")) {
            errors.invalid(path + ".path", urlPath, "segment[0] may not be empty");
            return;
        }
        if (!urlPath.startsWith("/")) {
            errors.invalid(path + ".path", urlPath, "must start with a '/'");
        }
        String rest = urlPath.substring(1);
        String[] steps = (rest.endsWith("/") ? rest.substring(0, rest.length() - 1) : rest).split("/", -1);
        for (int i = 0; i < steps.length; i++) {
            String at = "segment[" + i + "]";
            if (steps[i].isEmpty()) {
                errors.invalid(path + ".path", urlPath, at + " may not be empty");
            } else {
                for (String step : Names.subdomain(steps[i])) {
                    errors.invalid(path + ".path", urlPath, at + ": " + step);
                }
            }
        }
    }
}
