package ${package};

import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.Version;

/** The custom resource. Its definition is made from this class when the project is built. */
@Group("${group}")
@Plural("${kind.toLowerCase()}s")
@Version("v1")
public class ${kind} extends CustomResource<${kind}Spec, ${kind}Status> implements Namespaced {
    private static final long serialVersionUID = 1L;

    @Override
    protected ${kind}Status initStatus() {
        return new ${kind}Status();
    }
}
