package io.trimtab.apiserver.kinds.certificates;

import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Names;
import java.util.List;

/** What names of signers look like: a domain, a slash, a path. Stateless. */
final class SignerNames {
    private static final int MAX_DOMAIN = 253;
    /** A path has room for a name in a namespace. */
    private static final int MAX = MAX_DOMAIN + 1 + 253 + 63 + 1;

    private SignerNames() {}

    static void validate(String path, String signer, FieldErrors errors) {
        if (signer.isEmpty()) {
            errors.required(path, "");
            return;
        }
        String[] parts = signer.split("/", -1);
        if (parts.length != 2) {
            errors.invalid(
                    path, signer, "must be a fully qualified domain and path of the form 'example.com/signer-name'");
            return;
        }
        if (parts[0].length() > MAX_DOMAIN) {
            errors.tooLong(path, MAX_DOMAIN);
        }
        String[] labels = parts[0].split("\\.", -1);
        for (String label : labels) {
            if (refuse(path, parts[0], label, Names.label(label), errors)) {
                break; // the others would say the same
            }
        }
        if (labels.length < 2) {
            errors.invalid(path, parts[0], "should be a domain with at least two segments separated by dots");
        }
        for (String label : parts[1].split("\\.", -1)) {
            if (refuse(path, parts[1], label, Names.subdomain(label), errors)) {
                break;
            }
        }
        if (signer.length() > MAX) {
            errors.tooLong(path, MAX);
        }
    }

    private static boolean refuse(String path, String value, String label, List<String> wrong, FieldErrors errors) {
        wrong.forEach(why -> errors.invalid(path, value, "validating label " + FieldErrors.quote(label) + ": " + why));
        return !wrong.isEmpty();
    }
}
