package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;

/** Gives every pod a service account, and the volume with which it proves to be it. */
final class ServiceAccountAdmission implements AdmissionPlugin {
    private static final String VOLUME_PREFIX = "kube-api-access-";
    private static final String MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
    private static final String ENFORCE_SECRETS = "kubernetes.io/enforce-mountable-secrets";
    // As Kubernetes' names: no vowels, nothing that looks like another letter.
    private static final String LETTERS = "bcdfghjklmnpqrstvwxz2456789";
    private static final int DEFAULT_ACCOUNT_TRIES = 10;
    private static final Duration BETWEEN_TRIES = Duration.ofMillis(150);

    @Override
    public String name() {
        return "ServiceAccount";
    }

    @Override
    public void admit(Attributes attributes) {
        ObjectNode pod = attributes.object();
        if (pod == null || attributes.operation() != Operation.CREATE || !attributes.isFor("", "pods")) {
            return;
        }
        if (!PodTrees.isMirror(pod)) {
            ObjectNode spec = PodTrees.spec(pod);
            if (PodTrees.text(spec, "serviceAccountName").isEmpty()) {
                spec.put("serviceAccountName", "default");
            }
            spec.put("serviceAccount", PodTrees.text(spec, "serviceAccountName")); // its name of old
            JsonNode account = find(attributes, PodTrees.text(spec, "serviceAccountName"));
            if (mounts(spec, account)) {
                mount(attributes, spec);
            }
            if (spec.path("imagePullSecrets").isEmpty()
                    && !account.path("imagePullSecrets").isEmpty()) {
                spec.set("imagePullSecrets", account.path("imagePullSecrets").deepCopy());
            }
        }
        validate(attributes);
    }

    @Override
    public void validate(Attributes attributes) {
        ObjectNode pod = attributes.object();
        boolean isPods = attributes.resource().group().isEmpty()
                && attributes.resource().plural().equals("pods");
        boolean addsEphemeral = attributes.operation() == Operation.UPDATE
                && attributes.subresource().equals("ephemeralcontainers");
        boolean creates = attributes.operation() == Operation.CREATE
                && attributes.subresource().isEmpty();
        if (pod == null || !isPods || !creates && !addsEphemeral) {
            return;
        }
        if (creates && PodTrees.isMirror(pod)) {
            validateMirror(attributes, pod);
            return;
        }
        String name = PodTrees.text(pod.path("spec"), "serviceAccountName");
        if (name.isEmpty()) {
            throw Refusals.forbidden(
                    attributes,
                    "no service account specified for pod " + attributes.namespace() + "/"
                            + PodTrees.text(pod.path("metadata"), "name"));
        }
        JsonNode account = find(attributes, name);
        String enforce = account.path("metadata")
                .path("annotations")
                .path(ENFORCE_SECRETS)
                .asText("");
        if (Set.of("1", "t", "T", "true", "TRUE", "True").contains(enforce)) {
            limitSecrets(attributes, pod, account, name, addsEphemeral);
        }
    }

    private static void validateMirror(Attributes attributes, ObjectNode pod) {
        if (!PodTrees.text(pod.path("spec"), "serviceAccountName").isEmpty()) {
            throw Refusals.forbidden(attributes, "a mirror pod may not reference service accounts");
        }
        PodTrees.secrets(pod, secret -> {
            throw Refusals.forbidden(attributes, "a mirror pod may not reference secrets");
        });
        for (JsonNode volume : pod.path("spec").path("volumes")) {
            for (JsonNode source : volume.path("projected").path("sources")) {
                if (source.has("serviceAccountToken")) {
                    throw Refusals.forbidden(
                            attributes, "a mirror pod may not use ServiceAccountToken volume projections");
                }
            }
        }
    }

    private static JsonNode find(Attributes attributes, String name) {
        Storage storage = attributes.context().storage();
        Optional<StoredObject> found = storage.get(CoreResources.SERVICE_ACCOUNTS, attributes.namespace(), name);
        Driver driver = attributes.context().driver();
        // A controller makes the default account of a new namespace. In real time it is worth a short wait; in virtual
        // time
        // nothing happens while we wait.
        int tries = name.equals("default") && !driver.isVirtual() ? DEFAULT_ACCOUNT_TRIES : 0;
        for (int i = 0; i < tries && found.isEmpty(); i++) {
            pause(driver);
            found = storage.get(CoreResources.SERVICE_ACCOUNTS, attributes.namespace(), name);
        }
        return found.orElseThrow(() -> Refusals.forbidden(
                        attributes,
                        "error looking up service account " + attributes.namespace() + "/" + name + ": "
                                + notFound(name)))
                .tree();
    }

    /** A name that no path could have is not even asked for. */
    private static String notFound(String name) {
        List<String> wrong = Names.pathSegment(name);
        return wrong.isEmpty()
                ? "serviceaccount " + FieldErrors.quote(name) + " not found"
                : "invalid resource name " + FieldErrors.quote(name) + ": [" + String.join(" ", wrong) + "]";
    }

    private static void pause(Driver driver) {
        CompletableFuture<Boolean> over = new CompletableFuture<>();
        driver.schedule(BETWEEN_TRIES, () -> over.complete(true));
        try {
            driver.await(over, BETWEEN_TRIES.multipliedBy(20));
        } catch (TimeoutException e) {
            return; // waited for long enough
        }
    }

    private static boolean mounts(ObjectNode spec, JsonNode account) {
        if (spec.hasNonNull("automountServiceAccountToken")) {
            return spec.path("automountServiceAccountToken").asBoolean();
        }
        return account.path("automountServiceAccountToken").asBoolean(true);
    }

    private static void mount(Attributes attributes, ObjectNode spec) {
        String volume = "";
        for (JsonNode there : spec.path("volumes")) {
            if (PodTrees.text(there, "name").startsWith(VOLUME_PREFIX)) {
                volume = PodTrees.text(there, "name");
                break;
            }
        }
        boolean exists = !volume.isEmpty();
        String name =
                exists ? volume : VOLUME_PREFIX + suffix(attributes.context().driver());
        boolean needed = false;
        for (ObjectNode container : PodTrees.containers(spec, "initContainers", "containers")) {
            boolean taken = false;
            for (JsonNode mount : container.path("volumeMounts")) {
                taken |= PodTrees.text(mount, "mountPath").equals(MOUNT_PATH);
            }
            if (!taken) {
                PodTrees.array(container, "volumeMounts")
                        .addObject()
                        .put("mountPath", MOUNT_PATH)
                        .put("name", name)
                        .put("readOnly", true);
                needed = true;
            }
        }
        if (needed && !exists) {
            addVolume(spec, name);
        }
    }

    private static void addVolume(ObjectNode spec, String name) {
        ObjectNode volume = PodTrees.array(spec, "volumes").addObject().put("name", name);
        ObjectNode projected = volume.putObject("projected").put("defaultMode", 420);
        ArrayNode sources = projected.putArray("sources");
        sources.addObject()
                .putObject("serviceAccountToken")
                .put("expirationSeconds", 3607)
                .put("path", "token");
        ObjectNode map = sources.addObject().putObject("configMap");
        map.putArray("items").addObject().put("key", "ca.crt").put("path", "ca.crt");
        map.put("name", "kube-root-ca.crt");
        ObjectNode item =
                sources.addObject().putObject("downwardAPI").putArray("items").addObject();
        item.putObject("fieldRef").put("apiVersion", "v1").put("fieldPath", "metadata.namespace");
        item.put("path", "namespace");
    }

    private static String suffix(Driver driver) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 5; i++) {
            text.append(LETTERS.charAt(driver.random().nextInt(LETTERS.length())));
        }
        return text.toString();
    }

    // ---- Accounts that say which secrets their pods may use --------------------------------------------------------

    private static void limitSecrets(
            Attributes attributes, ObjectNode pod, JsonNode account, String accountName, boolean ephemeralOnly) {
        Set<String> mountable = names(account.path("secrets"));
        JsonNode spec = pod.path("spec");
        String end = " is not allowed because service account " + accountName + " does not reference that secret";
        if (ephemeralOnly) {
            limit(attributes, spec, "ephemeralContainers", "ephemeral container ", mountable, end);
            return;
        }
        for (JsonNode volume : spec.path("volumes")) {
            String secret = PodTrees.text(volume.path("secret"), "secretName");
            if (volume.has("secret") && !mountable.contains(secret)) {
                throw Refusals.forbidden(attributes, "volume with secret.secretName=\"" + secret + "\"" + end);
            }
        }
        limit(attributes, spec, "initContainers", "init container ", mountable, end);
        limit(attributes, spec, "containers", "container ", mountable, end);
        Set<String> pull = names(account.path("imagePullSecrets"));
        int index = 0;
        for (JsonNode reference : spec.path("imagePullSecrets")) {
            String secret = PodTrees.text(reference, "name");
            if (!pull.contains(secret)) {
                throw Refusals.forbidden(
                        attributes,
                        "imagePullSecrets[" + index + "].name=\"" + secret
                                + "\" is not allowed because service account " + accountName
                                + " does not reference that imagePullSecret");
            }
            index++;
        }
    }

    private static void limit(
            Attributes attributes, JsonNode spec, String list, String what, Set<String> mountable, String end) {
        for (ObjectNode container : PodTrees.containers(spec, list)) {
            String start = what + PodTrees.text(container, "name") + " with env";
            for (JsonNode variable : container.path("env")) {
                JsonNode reference = variable.path("valueFrom").path("secretKeyRef");
                String secret = PodTrees.text(reference, "name");
                if (reference.isObject() && !mountable.contains(secret)) {
                    throw Refusals.forbidden(
                            attributes,
                            start + "Var " + PodTrees.text(variable, "name") + " referencing secret.secretName=\""
                                    + secret + "\"" + end);
                }
            }
            for (JsonNode from : container.path("envFrom")) {
                String secret = PodTrees.text(from.path("secretRef"), "name");
                if (from.has("secretRef") && !mountable.contains(secret)) {
                    throw Refusals.forbidden(
                            attributes, start + "From referencing secret.secretName=\"" + secret + "\"" + end);
                }
            }
        }
    }

    private static Set<String> names(JsonNode references) {
        Set<String> names = new HashSet<>();
        references.forEach(reference -> names.add(PodTrees.text(reference, "name")));
        return names;
    }
}
