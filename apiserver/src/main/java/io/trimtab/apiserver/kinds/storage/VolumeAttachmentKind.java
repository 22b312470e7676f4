package io.trimtab.apiserver.kinds.storage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.kinds.core.PersistentVolumeKind;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.Locale;

/** VolumeAttachments. Stateless. */
public final class VolumeAttachmentKind implements Kind {

    @Override
    public void defaults(ObjectNode attachment) {
        Trees.make(Trees.make(attachment, "spec"), "source");
        Trees.fill(Trees.make(attachment, "status"), "attached", false);
    }

    @Override
    public void prepareCreate(ObjectNode attachment, WriteContext context) {
        attachment.putObject("status").put("attached", false);
    }

    @Override
    public void validateCreate(ObjectNode attachment, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(attachment, "spec");
        String attacher = Trees.text(spec, "attacher");
        if (attacher.isEmpty()) {
            errors.required("spec.attacher", "");
        }
        JsonNode source = Trees.child(spec, "source");
        boolean inline = Trees.has(source, "inlineVolumeSpec");
        boolean named = Trees.has(source, "persistentVolumeName");
        String one = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
        String volume = Trees.text(source, "persistentVolumeName");
        if (!inline && !named) {
            errors.required("spec.source", one);
        } else if (inline && named) {
            errors.forbidden("spec.source", one);
        } else if (named && volume.isEmpty()) {
            errors.required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName");
        }
        String node = Trees.text(spec, "nodeName");
        FieldRules.invalid(errors, "spec.nodeName", node, Names.subdomain(node));
        if (attacher.isEmpty()) {
            errors.required("spec.attacher", "");
        }
        if (attacher.length() > 63) {
            errors.tooLong("spec.attacher", 63);
        }
        FieldRules.invalid(errors, "spec.attacher", attacher, Names.subdomain(attacher.toLowerCase(Locale.ROOT)));
        if (named) {
            FieldRules.invalid(errors, "spec.source.persistentVolumeName", volume, Names.subdomain(volume));
        }
        if (inline) {
            PersistentVolumeKind.inline(source.get("inlineVolumeSpec"), "spec.source.inlineVolumeSpec", errors);
        }
    }

    @Override
    public void validateUpdate(ObjectNode attachment, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(attachment, errors, context);
        if (!Trees.same(attachment, old, "spec")) {
            errors.invalidShown(
                    "spec",
                    InternalForm.of(Trees.child(attachment, "spec"), "storage/v1.VolumeAttachmentSpec"),
                    FieldRules.IMMUTABLE);
        }
    }

    @Override
    public boolean allowsUnconditionalUpdate() {
        return false;
    }

    @Override
    public boolean returnsDeletedObject() {
        return true;
    }

    @Override
    public boolean isValidatedAsNewToo() {
        return true;
    }
}
