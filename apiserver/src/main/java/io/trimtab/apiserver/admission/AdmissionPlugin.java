package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.WriteContext;
import org.jspecify.annotations.Nullable;

/**
 * Changes or refuses writes. Refusals are {@link io.trimtab.apiserver.errors.StatusException}s. Safe for use by any thread.
 */
public interface AdmissionPlugin {

    /** The name that flags and messages use, such as {@code LimitRanger}. */
    String name();

    /** First phase: may change {@code attributes.object()} in place. */
    default void admit(Attributes attributes) {}

    /**
     * First phase, for plugins whose changes others must see, or that must see the changes of others: asked instead of {@link
     * #admit(Attributes)}.
     */
    default void admit(Attributes attributes, Reinvocation reinvocation) {
        admit(attributes);
    }

    /** Second phase, after validation: may only refuse. */
    default void validate(Attributes attributes) {}

    /** What is done. */
    enum Operation {
        CREATE,
        UPDATE,
        DELETE,
        CONNECT
    }

    /**
     * A write on its way in.
     *
     * @param object the new state; null on delete
     * @param old the stored state; null on create
     * @param options the CreateOptions, UpdateOptions, PatchOptions or DeleteOptions
     * @param context resource, subresource, namespace, name, dry run, storage, time, warnings
     */
    record Attributes(
            Operation operation,
            @Nullable ObjectNode object,
            @Nullable ObjectNode old,
            ObjectNode options,
            WriteContext context) {
        public ApiResource resource() {
            return context.resource();
        }

        public String subresource() {
            return context.subresource();
        }

        public String namespace() {
            return context.namespace();
        }

        public String name() {
            return context.name();
        }

        public @Nullable UserInfo user() {
            return context.user();
        }

        /** True for the resource itself (no subresource) of this group and plural. */
        public boolean isFor(String group, String plural) {
            return subresource().isEmpty()
                    && resource().plural().equals(plural)
                    && resource().group().equals(group);
        }
    }
}
