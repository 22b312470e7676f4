package io.trimtab.apiserver.admission;

import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.UserInfo;
import org.jspecify.annotations.Nullable;

/** Whether a user may act for a signer: by its name, or by its domain as {@code example.com/*}. Stateless. */
final class SignerPermissions {
    private SignerPermissions() {}

    static boolean isAllowed(Authorizer authorizer, @Nullable UserInfo user, String verb, String signer) {
        if (user == null) {
            return true; // the server itself
        }
        int slash = signer.indexOf('/');
        String domain = (slash < 0 ? signer : signer.substring(0, slash)) + "/*";
        return asks(authorizer, user, verb, signer) || asks(authorizer, user, verb, domain);
    }

    private static boolean asks(Authorizer authorizer, UserInfo user, String verb, String name) {
        return authorizer
                        .authorize(
                                user,
                                Authorizer.Attributes.resource(
                                        verb, "certificates.k8s.io", "*", "signers", "", "", name))
                        .verdict()
                == Authorizer.Verdict.ALLOW;
    }
}
