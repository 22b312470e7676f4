package io.trimtab.apiserver.allocation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.kinds.IpAddresses;
import io.trimtab.apiserver.kinds.IpAddresses.Range;
import io.trimtab.apiserver.kinds.Times;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Objects;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.runtime.Driver;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;

/**
 * Gives out the addresses of the service range, and of the further ranges that ServiceCIDRs of the same family name once they are
 * ready.
 *
 * <p>An address is taken by creating the IPAddress object of that name: the store refuses the second creator, so that any number
 * of servers may share one store. What is kept in memory is only a guess of what is free, which saves attempts.
 *
 * <p>The lowest addresses are left to those who ask for a certain one: a Service that needs a well-known address then seldom
 * finds it gone. Picks are random above that band, and go into it when all above are taken.
 *
 * <p>Safe for use by any thread.
 */
public final class ClusterIpAllocator {
    private final Range range;
    private final ReentrantLock lock = new ReentrantLock();

    /** Canonical texts; guarded by the lock. Complete only after {@link #load}. */
    private final Set<String> taken = new HashSet<>();

    private boolean loaded;

    /** @param cidr the service range */
    public ClusterIpAllocator(String cidr) {
        Range parsed = IpAddresses.parseRange(cidr);
        if (parsed == null) {
            throw new IllegalArgumentException("not a range of addresses: " + cidr);
        }
        this.range = parsed;
    }

    /** The service range. */
    public Range range() {
        return range;
    }

    /** {@code IPv4} or {@code IPv6}. */
    public String family() {
        return range.isV6() ? "IPv6" : "IPv4";
    }

    /** The range's first usable address: that of the Service {@code default/kubernetes}. */
    public String firstAddress() {
        return range.at(BigInteger.ONE);
    }

    /** What a dry run shows as the address that would be picked: the range's base, since none is looked for. */
    public String dryRunAddress() {
        return range.at(BigInteger.ZERO);
    }

    /**
     * Checks that an address may be asked for.
     *
     * @throws AllocationException if it is in no range, or is one of its unusable ends
     */
    public void check(String address, Storage storage) throws AllocationException {
        if (pools(storage).stream().noneMatch(pool -> pool.has(address))) {
            throw new AllocationException("the provided network does not match the current range");
        }
    }

    /** What addresses may be taken from now, the server's own range first. */
    private List<AddressPool> pools(Storage storage) {
        List<StoredObject> objects = Objects.list(storage, CoreResources.SERVICE_CIDRS, null);
        if (objects.isEmpty()) {
            return List.of(new AddressPool(range)); // a server that is just starting
        }
        Set<Range> ranges = new LinkedHashSet<>();
        for (StoredObject object : objects) {
            ObjectNode tree = object.tree();
            if (!isReady(tree)) {
                continue;
            }
            for (String cidr : Trees.texts(Trees.child(tree, "spec"), "cidrs")) {
                Range found = IpAddresses.parseRange(cidr);
                if (found != null && found.isV6() == range.isV6()) {
                    ranges.add(found);
                }
            }
        }
        List<AddressPool> pools = new ArrayList<>();
        if (ranges.remove(range)) {
            pools.add(new AddressPool(range));
        }
        ranges.forEach(other -> pools.add(new AddressPool(other)));
        return pools;
    }

    private static boolean isReady(ObjectNode serviceCidr) {
        if (Trees.at(serviceCidr, "metadata").hasNonNull("deletionTimestamp")) {
            return false;
        }
        for (JsonNode condition : Trees.items(Trees.child(serviceCidr, "status"), "conditions")) {
            if (Trees.text(condition, "type").equals("Ready")) {
                return Trees.text(condition, "status").equals("True");
            }
        }
        return false;
    }

    /**
     * Takes a certain address.
     *
     * @throws AllocationException if it is not in the range or taken
     */
    public void allocate(String address, String namespace, String service, Storage storage, Driver driver)
            throws AllocationException {
        check(address, storage);
        if (!create(canonical(address), namespace, service, storage, driver)) {
            throw new AllocationException("provided IP is already allocated");
        }
    }

    /**
     * Takes any free address.
     *
     * @throws AllocationException if there is none
     */
    public String allocateNext(String namespace, String service, Storage storage, Driver driver)
            throws AllocationException {
        load(storage);
        for (AddressPool pool : pools(storage)) {
            BigInteger band = pool.band();
            Optional<String> found = search(pool, band, pool.last(), namespace, service, storage, driver);
            if (found.isEmpty()) {
                BigInteger below = band.subtract(BigInteger.ONE);
                found = search(pool, BigInteger.ONE, below, namespace, service, storage, driver);
            }
            if (found.isEmpty()) {
                // Others may have given addresses back since we looked.
                reload(storage);
                found = search(pool, BigInteger.ONE, pool.last(), namespace, service, storage, driver);
            }
            if (found.isPresent()) {
                return found.get();
            }
        }
        throw new AllocationException("range is full");
    }

    private Optional<String> search(
            AddressPool pool,
            BigInteger first,
            BigInteger last,
            String namespace,
            String service,
            Storage storage,
            Driver driver) {
        BigInteger count = last.subtract(first).add(BigInteger.ONE);
        if (count.signum() <= 0) {
            return Optional.empty();
        }
        BigInteger start = random(driver.random(), count);
        // Ranges with more addresses than an int counts are never full.
        int tries = count.bitLength() > 31 ? Integer.MAX_VALUE : count.intValueExact();
        for (int i = 0; i < tries; i++) {
            String address =
                    pool.range().at(first.add(start.add(BigInteger.valueOf(i)).mod(count)));
            if (isTaken(address)) {
                continue;
            }
            if (create(address, namespace, service, storage, driver)) {
                return Optional.of(address);
            }
        }
        return Optional.empty();
    }

    private static BigInteger random(RandomGenerator random, BigInteger bound) {
        return bound.bitLength() < 63
                ? BigInteger.valueOf(random.nextLong(bound.longValueExact()))
                : BigInteger.valueOf(random.nextLong() >>> 1).mod(bound);
    }

    private boolean isTaken(String address) {
        lock.lock();
        try {
            return taken.contains(address);
        } finally {
            lock.unlock();
        }
    }

    private boolean create(String address, String namespace, String service, Storage storage, Driver driver) {
        boolean created;
        try {
            storage.create(CoreResources.IP_ADDRESSES, object(address, namespace, service, driver));
            created = true;
        } catch (StatusException e) {
            if (!e.reason().equals("AlreadyExists")) {
                throw e;
            }
            created = false;
        }
        lock.lock();
        try {
            taken.add(address);
        } finally {
            lock.unlock();
        }
        return created;
    }

    private ObjectNode object(String address, String namespace, String service, Driver driver) {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        object.put("kind", "IPAddress").put("apiVersion", "networking.k8s.io/v1");
        ObjectNode metadata = object.putObject("metadata");
        metadata.put("name", address)
                .put("uid", uid(driver.random()))
                .put("creationTimestamp", Times.seconds(driver.now()));
        metadata.putObject("labels")
                .put("ipaddress.kubernetes.io/ip-family", family())
                .put("ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io");
        object.putObject("spec")
                .putObject("parentRef")
                .put("resource", "services")
                .put("namespace", namespace)
                .put("name", service);
        return object;
    }

    /** A random UUID (version 4) from the driver's randomness. */
    static String uid(RandomGenerator random) {
        long high = random.nextLong() & ~0xF000L | 0x4000L;
        long low = random.nextLong() & 0x3FFFFFFFFFFFFFFFL | 0x8000000000000000L;
        return new UUID(high, low).toString();
    }

    /** Gives an address back, if it is still the Service's; one that is not taken is left alone. */
    public void release(String address, String namespace, String service, Storage storage) {
        String name = canonical(address);
        while (true) {
            Optional<StoredObject> object = storage.get(CoreResources.IP_ADDRESSES, null, name);
            if (object.isPresent() && !isParent(object.get(), namespace, service)) {
                return;
            }
            if (object.isEmpty()
                    || storage.delete(CoreResources.IP_ADDRESSES, object.get()).isPresent()) {
                break;
            }
        }
        lock.lock();
        try {
            taken.remove(name);
        } finally {
            lock.unlock();
        }
    }

    private static boolean isParent(StoredObject object, String namespace, String service) {
        var parent = Trees.at(object.tree(), "spec", "parentRef");
        return Trees.text(parent, "namespace").equals(namespace)
                && Trees.text(parent, "name").equals(service);
    }

    /**
     * Brings the store in order when a server starts: the ServiceCIDR {@code kubernetes}, and an IPAddress for each address that
     * a Service has, if it is missing.
     */
    public void repair(Storage storage, Driver driver) {
        if (storage.get(CoreResources.SERVICE_CIDRS, null, "kubernetes").isEmpty()) {
            try {
                storage.create(CoreResources.SERVICE_CIDRS, serviceCidr(driver));
            } catch (StatusException e) {
                if (!e.reason().equals("AlreadyExists")) {
                    throw e;
                }
            }
        }
        reload(storage);
        for (StoredObject service : Objects.list(storage, CoreResources.SERVICES, null)) {
            for (String address : Trees.texts(Trees.child(service.tree(), "spec"), "clusterIPs")) {
                byte[] bytes = IpAddresses.parse(address);
                if (bytes != null && range.offset(bytes) != null && !isTaken(canonical(address))) {
                    create(canonical(address), service.namespace(), service.name(), storage, driver);
                }
            }
        }
    }

    private ObjectNode serviceCidr(Driver driver) {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        object.put("kind", "ServiceCIDR").put("apiVersion", "networking.k8s.io/v1");
        String now = Times.seconds(driver.now());
        ObjectNode metadata = object.putObject("metadata");
        metadata.put("name", "kubernetes")
                .put("uid", uid(driver.random()))
                .put("generation", 1)
                .put("creationTimestamp", now);
        object.putObject("spec").putArray("cidrs").add(range.toString());
        object.putObject("status")
                .putArray("conditions")
                .addObject()
                .put("type", "Ready")
                .put("status", "True")
                .put("lastTransitionTime", now)
                .put("reason", "")
                .put("message", "Kubernetes default Service CIDR is ready");
        return object;
    }

    private void load(Storage storage) {
        boolean needed;
        lock.lock();
        try {
            needed = !loaded;
        } finally {
            lock.unlock();
        }
        if (needed) {
            reload(storage);
        }
    }

    private void reload(Storage storage) {
        Set<String> names = new HashSet<>();
        Objects.list(storage, CoreResources.IP_ADDRESSES, null).forEach(object -> names.add(object.name()));
        lock.lock();
        try {
            taken.clear();
            taken.addAll(names);
            loaded = true;
        } finally {
            lock.unlock();
        }
    }

    private static String canonical(String address) {
        byte[] bytes = IpAddresses.parse(address);
        return bytes == null ? address : IpAddresses.canonical(bytes);
    }
}
