package io.trimtab.apiserver.encryption;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.KindRegistry;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.store.EtcdStore;
import io.trimtab.apiserver.store.Store;
import io.trimtab.apiserver.store.StoreException;
import io.trimtab.encoding.GoDuration;
import io.trimtab.runtime.Driver;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An {@code apiserver.config.k8s.io/v1} EncryptionConfiguration at work: the first provider of a resource writes, all of them
 * read. What is stored looks as it does with Kubernetes, so that a store can change hands. Safe for use by any thread.
 */
public final class Encryption implements AutoCloseable {
    private volatile List<Rule> rules;
    /** Those of the rules that ask somebody else, closed with them. */
    private volatile List<KmsProvider> services = List.of();

    private final Map<String, String> resourceOfPrefix = new HashMap<>();
    private final Map<String, List<Transformer>> known = new ConcurrentHashMap<>();
    /** Keys whose value another provider than the first has written, or an older key. */
    private final Set<String> stale = ConcurrentHashMap.newKeySet();
    /** Null until keys or rules change while values are in use: from then on, what was not written since is stale. */
    private volatile @Nullable Set<String> writtenSince;

    private record Rule(List<String> resources, List<Transformer> providers) {}

    private Encryption(List<Rule> rules) {
        this.rules = List.copyOf(rules);
        ResourceRegistry.builtIn(KindRegistry.PLAIN).all().forEach(served -> {
            ApiResource resource = served.storage();
            resourceOfPrefix.putIfAbsent(resource.keyPrefix(), resource.plural() + "." + resource.group());
        });
    }

    /** Finds the key management service at an endpoint such as {@code unix:///run/kms.sock}. */
    public interface KmsConnector {
        /** @param timeout of one call */
        KmsService connect(String endpoint, Duration timeout);
    }

    /** Services behind Unix sockets, as Kubernetes has them. */
    public static KmsConnector unixSockets() {
        return (endpoint, timeout) ->
                new UnixKmsService(Path.of(URI.create(endpoint).getPath()), timeout);
    }

    /** The same without key management services. */
    public static Encryption parse(String text) {
        return parse(text, null, null);
    }

    /**
     * Reads a configuration, and asks its key management services for the first time.
     *
     * @param kms finds key management services; null if there are none
     * @param driver with it, to ask them again and again
     * @throws IllegalArgumentException if it is none, saying all that is wrong with it
     */
    public static Encryption parse(String text, @Nullable KmsConnector kms, @Nullable Driver driver) {
        Encryption made = new Encryption(List.of());
        made.install(read(text, kms, driver, made::keyChanged));
        return made;
    }

    /**
     * Goes on with another configuration. Values that the old one wrote must be readable by the new one.
     *
     * @throws IllegalArgumentException if it is none; the old one holds then
     */
    public void exchange(String text, @Nullable KmsConnector kms, @Nullable Driver driver) {
        Setup setup = read(text, kms, driver, this::keyChanged);
        for (KmsProvider service : setup.services()) {
            service.start();
            String problem = service.problem();
            if (problem != null) {
                setup.services().forEach(KmsProvider::close);
                throw new IllegalArgumentException(problem);
            }
        }
        List<KmsProvider> old = services;
        rules = setup.rules();
        services = setup.services();
        known.clear();
        keyChanged();
        old.forEach(KmsProvider::close);
    }

    private void install(Setup setup) {
        rules = setup.rules();
        services = setup.services();
        services.forEach(KmsProvider::start);
    }

    private void keyChanged() {
        writtenSince = ConcurrentHashMap.newKeySet();
    }

    /** Why one of the key management services cannot be relied on; null if all can, or there are none. */
    public @Nullable String problem() {
        return services.stream()
                .map(KmsProvider::problem)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    /** Whether there are key management services. */
    public boolean asksOthers() {
        return !services.isEmpty();
    }

    @Override
    public void close() {
        services.forEach(KmsProvider::close);
    }

    private record Setup(List<Rule> rules, List<KmsProvider> services) {}

    private static Setup read(String text, @Nullable KmsConnector kms, @Nullable Driver driver, Runnable keyChanged) {
        JsonNode config;
        try {
            config = new YAMLMapper().readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    "error decoding encryption provider configuration: " + e.getOriginalMessage(), e);
        }
        String version = config.path("apiVersion").asText("");
        if (!config.path("kind").asText("").equals("EncryptionConfiguration")
                || !Set.of("apiserver.config.k8s.io/v1", "v1").contains(version)) {
            throw new IllegalArgumentException("error decoding encryption provider configuration: no kind "
                    + FieldErrors.quote(config.path("kind").asText("")) + " is registered for version "
                    + FieldErrors.quote(version));
        }
        FieldErrors errors = new FieldErrors();
        List<Rule> rules = new ArrayList<>();
        Map<String, KmsProvider> services = new LinkedHashMap<>();
        for (JsonNode rule : config.path("resources")) {
            String path = "resources[" + rules.size() + "]";
            List<String> resources = new ArrayList<>();
            rule.path("resources").forEach(r -> resources.add(r.asText()));
            if (resources.isEmpty()) {
                errors.required(path + ".resources", "at least one " + path + ".resources is required");
            }
            checkResources(rule.path("resources"), resources, path + ".resources", errors);
            List<Transformer> providers = new ArrayList<>();
            int i = 0;
            for (JsonNode provider : rule.path("providers")) {
                String at = path + ".providers[" + i++ + "]";
                if (provider.has("kms") && provider.size() == 1) {
                    kms(provider.path("kms"), at + ".kms", kms, driver, keyChanged, services, providers, errors);
                } else {
                    provider(provider, at, providers, errors);
                }
            }
            if (i == 0) {
                errors.required(path + ".providers", "at least one " + path + ".providers is required");
            }
            rules.add(new Rule(List.copyOf(resources), List.copyOf(providers)));
        }
        if (rules.isEmpty()) {
            errors.required("resources", "at least one resources is required");
        }
        if (!errors.isEmpty()) {
            List<String> all =
                    errors.list().stream().map(FieldErrors.FieldError::message).toList();
            throw new IllegalArgumentException(all.size() == 1 ? all.get(0) : "[" + String.join(", ", all) + "]");
        }
        return new Setup(List.copyOf(rules), List.copyOf(services.values()));
    }

    private static void kms(
            JsonNode config,
            String path,
            @Nullable KmsConnector connector,
            @Nullable Driver driver,
            Runnable keyChanged,
            Map<String, KmsProvider> services,
            List<Transformer> into,
            FieldErrors errors) {
        String name = config.path("name").asText("");
        String version = config.path("apiVersion").asText("v1");
        String endpoint = config.path("endpoint").asText("");
        int before = errors.list().size();
        if (name.isEmpty()) {
            errors.required(path + ".name", "name is a mandatory field for a provider");
        }
        if (!version.equals("v1") && name.contains(":")) {
            errors.invalid(path + ".name", name, "invalid KMS provider name " + name + ", must not contain ':'");
        }
        if (!version.equals("v1") && services.containsKey(name)) {
            errors.invalid(path + ".name", name, "duplicate KMS provider name " + name + ", names must be unique");
        }
        Duration timeout = GoDuration.parse(config.path("timeout").asText("3s")).orElse(Duration.ZERO);
        if (timeout.isZero() || timeout.isNegative()) {
            errors.invalid(path + ".timeout", config.path("timeout"), "timeout should be a positive value");
        }
        if (endpoint.isEmpty()) {
            errors.invalid(path + ".endpoint", "", "endpoint is a mandatory field for a kms");
        } else {
            String scheme = scheme(endpoint);
            if (!scheme.equals("unix")) {
                errors.invalid(
                        path + ".endpoint",
                        endpoint,
                        "unsupported scheme \"" + scheme + "\" for KMS provider, only unix is supported");
            }
        }
        if (!version.equals("v1") && config.hasNonNull("cachesize")) {
            errors.invalid(path + ".cachesize", config.get("cachesize"), "cachesize is not supported in v2");
        }
        if (!version.equals("v1") && !version.equals("v2")) {
            errors.invalid(
                    path + ".apiVersion",
                    version,
                    "unsupported apiVersion apiVersion for KMS provider, only v1 and v2 are supported");
        }
        if (errors.list().size() > before) {
            return;
        }
        if (version.equals("v1")) {
            throw new IllegalArgumentException("error while building transformers: KMSv1 is deprecated and will only"
                    + " receive security updates going forward. Use KMSv2 instead.  Set --feature-gates=KMSv1=true to use"
                    + " the deprecated KMSv1 feature.");
        }
        if (connector == null || driver == null) {
            errors.forbidden(path, "there are no key management services here");
            return;
        }
        KmsProvider provider = new KmsProvider(name, connector.connect(endpoint, timeout), driver, keyChanged);
        services.put(name, provider);
        into.add(provider);
    }

    private static String scheme(String endpoint) {
        int colon = endpoint.indexOf(':');
        return colon < 0 ? "" : endpoint.substring(0, colon);
    }

    private static void checkResources(JsonNode node, List<String> resources, String path, FieldErrors errors) {
        if (resources.stream().distinct().count() < resources.size()) {
            errors.invalid(path, node, "the same resource cannot be specified multiple times");
        }
        for (int i = 0; i < resources.size(); i++) {
            String resource = resources.get(i);
            String at = path + "[" + i + "]";
            String group = group(resource);
            if (!resource.equals(resource.toLowerCase(java.util.Locale.ROOT))) {
                errors.invalid(at, resource, "resource name should not contain capital letters");
            } else if (resource.equals("*")) {
                errors.invalid(
                        at,
                        resource,
                        "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources");
            } else if (group.equals("events.k8s.io")) {
                errors.invalid(
                        at,
                        resource,
                        "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in"
                                + " the config file");
            } else if (group.equals("extensions")) {
                errors.invalid(at, resource, "'extensions' group has been removed and cannot be used for encryption");
            } else if (group.equals("*") && !resource.equals("*.*")) {
                errors.invalid(at, resource, "encrypting the same resource across groups is not supported");
            }
        }
        boolean overlap = resources.stream()
                .anyMatch(one -> resources.stream()
                        .anyMatch(other -> !one.equals(other)
                                && (one.equals("*.*")
                                        || one.startsWith("*") && group(one).equals(group(other)))));
        if (overlap) {
            errors.invalid(
                    path,
                    node,
                    "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they"
                            + " will be masked");
        }
    }

    private static String group(String resource) {
        int dot = resource.indexOf('.');
        return dot < 0 ? "" : resource.substring(dot + 1);
    }

    private static void provider(JsonNode provider, String path, List<Transformer> into, FieldErrors errors) {
        List<String> given = Stream.of("kms", "aesgcm", "aescbc", "secretbox", "identity")
                .filter(provider::has)
                .toList();
        if (given.size() != 1) {
            errors.invalid(
                    path,
                    provider,
                    given.isEmpty()
                            ? "provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox,"
                                    + " Identity"
                            : "more than one provider specified in a single element, should split into different list"
                                    + " elements");
            return;
        }
        String kind = given.get(0);
        switch (kind) {
            case "identity" -> into.add(Transformers.IDENTITY);
            default -> {
                String keysPath = path + "." + kind + ".keys";
                JsonNode keys = provider.path(kind).path("keys");
                if (keys.isEmpty()) {
                    errors.required(keysPath, "at least one keys is required");
                }
                int i = 0;
                for (JsonNode key : keys) {
                    key(kind, key, keysPath + "[" + i++ + "]", into, errors);
                }
            }
        }
    }

    private static void key(String kind, JsonNode key, String path, List<Transformer> into, FieldErrors errors) {
        String name = key.path("name").asText("");
        if (name.isEmpty()) {
            errors.required(path + ".name", "name is a mandatory field for a key");
        }
        byte[] secret;
        try {
            secret = Base64.getDecoder().decode(key.path("secret").asText(""));
        } catch (IllegalArgumentException e) {
            errors.invalidShown(path + ".secret", "\"REDACTED\"", "secrets must be base64 encoded");
            return;
        }
        if (secret.length == 0) {
            errors.required(path + ".secret", "secret is a mandatory field for a key");
            return;
        }
        boolean box = kind.equals("secretbox");
        List<Integer> lengths = box ? List.of(32) : List.of(16, 24, 32);
        if (!lengths.contains(secret.length)) {
            errors.invalidShown(
                    path + ".secret",
                    "\"REDACTED\"",
                    "secret is not of the expected length, got " + secret.length + ", expected one of "
                            + (box ? "[32]" : "[16 24 32]"));
            return;
        }
        into.add(
                switch (kind) {
                    case "aesgcm" -> Transformers.aesGcm(name, secret);
                    case "aescbc" -> Transformers.aesCbc(name, secret);
                    default -> Transformers.secretBox(name, secret);
                });
    }

    // ---- Values ----------------------------------------------------------------------------------------------------

    /** What is to be stored under a key. */
    byte[] seal(String key, byte[] plain) {
        List<Transformer> providers = providers(key);
        stale.remove(key);
        Set<String> written = writtenSince;
        if (written != null) {
            written.add(key);
        }
        if (providers.isEmpty()) {
            return plain;
        }
        Transformer first = providers.get(0);
        byte[] sealed = first.seal(plain, key.getBytes(StandardCharsets.UTF_8));
        byte[] prefix = first.prefix().getBytes(StandardCharsets.US_ASCII);
        if (prefix.length == 0) {
            return sealed;
        }
        byte[] whole = Arrays.copyOf(prefix, prefix.length + sealed.length);
        System.arraycopy(sealed, 0, whole, prefix.length, sealed.length);
        return whole;
    }

    /**
     * What a stored value says.
     *
     * @throws StoreException if no provider can read it
     */
    byte[] open(String key, byte[] stored) {
        return open(key, stored, true);
    }

    /** @param latest whether this is the key's value now, so that it counts whether it is stale */
    byte[] open(String key, byte[] stored, boolean latest) {
        List<Transformer> providers = providers(key);
        if (providers.isEmpty()) {
            if (Transformers.isSealed(stored)) {
                throw new StoreException(key + " is encrypted, and no provider is configured for it");
            }
            return stored;
        }
        String why = "no matching prefix found";
        for (int i = 0; i < providers.size(); i++) {
            Transformer provider = providers.get(i);
            byte[] prefix = provider.prefix().getBytes(StandardCharsets.US_ASCII);
            boolean fits = prefix.length == 0
                    ? !Transformers.isSealed(stored)
                    : stored.length >= prefix.length
                            && Arrays.equals(stored, 0, prefix.length, prefix, 0, prefix.length);
            if (!fits) {
                continue;
            }
            try {
                byte[] body = Arrays.copyOfRange(stored, prefix.length, stored.length);
                byte[] plain = provider.open(body, key.getBytes(StandardCharsets.UTF_8));
                if (latest && (i > 0 || provider.isStale(body))) {
                    stale.add(key);
                }
                return plain;
            } catch (Transformer.SealException e) {
                why = String.valueOf(e.getMessage());
            }
        }
        throw new StoreException(key + " cannot be decrypted: " + why);
    }

    /** True if the value was written by a provider that is no longer the first: a write must not be spared. */
    boolean isStale(String key) {
        Set<String> written = writtenSince;
        return stale.contains(key)
                || written != null && !written.contains(key) && !providers(key).isEmpty();
    }

    private List<Transformer> providers(String key) {
        String prefix = prefixOf(key);
        return known.computeIfAbsent(prefix, p -> {
            String resource = resourceOfPrefix.get(p);
            if (resource == null) {
                // Custom resources have their group in the key. What has not, is no resource but something servers tell
                // each
                // other, as that they are alive, or which addresses are taken: no rule covers that, not even *.*.
                String[] parts = p.split("/");
                if (parts.length < 4) {
                    return List.of();
                }
                resource = parts[3] + "." + parts[2];
            }
            for (Rule rule : rules) {
                if (rule.resources().stream().anyMatch(matcher(resource))) {
                    return rule.providers();
                }
            }
            return List.of();
        });
    }

    private static java.util.function.Predicate<String> matcher(String resource) {
        String group = group(resource);
        return wanted -> wanted.equals("*.*")
                || wanted.equals("*." + group)
                || wanted.equals(resource)
                || group.isEmpty() && wanted.equals(resource.substring(0, Math.max(0, resource.length() - 1)));
    }

    /** The part of a key that says which resource it is. */
    private String prefixOf(String key) {
        int second = key.indexOf('/', "/registry/".length());
        if (second < 0) {
            return key;
        }
        String one = key.substring(0, second + 1);
        if (resourceOfPrefix.containsKey(one)) {
            return one;
        }
        int third = key.indexOf('/', second + 1);
        return third < 0 ? one : key.substring(0, third + 1);
    }

    // ---- In front of a store ---------------------------------------------------------------------------------------

    /** A store whose values are encrypted; closing it closes the other. */
    public Store over(Store store) {
        return new EncryptedStore(store, this);
    }

    /** The same for an etcd that others share. */
    public EtcdStore.Format over(EtcdStore.Format format) {
        return new EtcdStore.Format() {
            @Override
            public byte[] encode(String key, byte[] value) {
                return seal(key, format.encode(key, value));
            }

            @Override
            public byte[] decode(String key, byte[] stored, long revision) {
                return format.decode(key, open(key, stored), revision);
            }

            @Override
            public boolean mustRewrite(String key) {
                return isStale(key);
            }
        };
    }

    /** For tests: whether a key's values are encrypted at all. */
    @Nullable
    String writer(String key) {
        List<Transformer> providers = providers(key);
        return providers.isEmpty() ? null : providers.get(0).prefix();
    }
}
