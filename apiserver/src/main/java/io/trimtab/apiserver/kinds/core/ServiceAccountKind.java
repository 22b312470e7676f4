package io.trimtab.apiserver.kinds.core;

import io.trimtab.apiserver.resource.Kind;

/** ServiceAccounts: nothing but their deletion's answer is of their own. Stateless. */
public final class ServiceAccountKind implements Kind {

    @Override
    public boolean returnsDeletedObject() {
        return true;
    }
}
