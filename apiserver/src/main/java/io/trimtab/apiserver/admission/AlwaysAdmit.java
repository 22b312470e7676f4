package io.trimtab.apiserver.admission;

/** Does nothing. */
final class AlwaysAdmit implements AdmissionPlugin {
    @Override
    public String name() {
        return "AlwaysAdmit";
    }
}
