package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** ServiceAccounts: nothing but their deletion's answer is of their own. Stateless. */
public final class ServiceAccountKind implements Kind {

    @Override
    public boolean returnsDeletedObject() {
        return true;
    }

    @Override
    public void prepareCreate(ObjectNode account, WriteContext context) {
        nameSecrets(account);
    }

    @Override
    public void prepareUpdate(ObjectNode account, ObjectNode old, WriteContext context) {
        nameSecrets(account);
    }

    /** Of a secret nothing is kept but its name. */
    private static void nameSecrets(ObjectNode account) {
        for (ObjectNode secret : Trees.objects(account, "secrets")) {
            secret.retain("name");
        }
    }

    @Override
    public void warn(ObjectNode account, @Nullable ObjectNode old, List<String> warnings) {
        String key = "kubernetes.io/enforce-mountable-secrets";
        boolean had =
                old != null && Trees.map(old.get("metadata"), "annotations").containsKey(key);
        if (!had && Trees.map(account.get("metadata"), "annotations").containsKey(key)) {
            warnings.add("metadata.annotations[" + key
                    + "]: deprecated in v1.32+; prefer separate namespaces to isolate" + " access to mounted secrets");
        }
    }
}
