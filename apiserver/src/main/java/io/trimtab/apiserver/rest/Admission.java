package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.admission.AdmissionPlugin;
import io.trimtab.apiserver.admission.AdmissionPlugin.Attributes;
import io.trimtab.apiserver.admission.AdmissionPlugin.Operation;

/** Asks the admission plugins about writes that are not stored as they come. Stateless. */
final class Admission {
    private Admission() {}

    /** @param check what is checked between the two phases */
    static void create(
            Call call, String subresource, String name, ObjectNode object, WriteOptions options, Runnable check) {
        ask(
                call,
                new Attributes(
                        Operation.CREATE,
                        object,
                        null,
                        options.tree(),
                        call.context(subresource, name, options.dryRun())),
                check);
    }

    /** Somebody wants to reach what runs on a node. */
    static void connect(Call call, String subresource, ObjectNode options) {
        ask(
                call,
                new Attributes(
                        Operation.CONNECT,
                        options,
                        null,
                        Json.object(),
                        call.context(subresource, call.info.name(), false)),
                () -> {});
    }

    private static void ask(Call call, Attributes attributes, Runnable check) {
        for (AdmissionPlugin plugin : call.env.admission()) {
            plugin.admit(attributes);
        }
        check.run();
        for (AdmissionPlugin plugin : call.env.admission()) {
            plugin.validate(attributes);
        }
    }
}
