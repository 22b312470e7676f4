package io.trimtab.apiserver.admission;

/** Refuses every write. */
final class AlwaysDeny implements AdmissionPlugin {
    @Override
    public String name() {
        return "AlwaysDeny";
    }

    @Override
    public void admit(Attributes attributes) {
        throw Refusals.forbidden(attributes, "admission control is denying all modifications");
    }

    @Override
    public void validate(Attributes attributes) {
        admit(attributes);
    }
}
