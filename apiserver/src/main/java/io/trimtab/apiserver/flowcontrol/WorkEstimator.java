package io.trimtab.apiserver.flowcontrol;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.storage.Storage;

/**
 * Tells what a request will cost before it is served: a list by what it reads, a write by who watches. Figures are those of
 * Kubernetes' {@code flowcontrol/request}. Safe for use by any thread.
 */
final class WorkEstimator {
    private static final int MOST_LIST_SEATS = 100;
    private static final int MOST_WRITE_SEATS = 10;
    private static final double BYTES_PER_SEAT = 100_000;
    /** A list from the cache goes out in pieces, so it never holds more than this. */
    private static final double MOST_BYTES_FROM_CACHE = 1_000_000;

    private static final int WATCHES_PER_SEAT = 10;
    private static final long NANOS_PER_EVENT = 5_000_000;

    private final Storage storage;
    private final ResourceRegistry resources;

    WorkEstimator(Storage storage, ResourceRegistry resources) {
        this.storage = storage;
        this.resources = resources;
    }

    Work estimate(ApiRequest request, RequestInfo info, FlowSchema schema) {
        if (!info.resourceRequest()) {
            return Work.ONE;
        }
        return switch (info.verb()) {
            case "list" -> list(request, info, schema);
            case "watch" ->
                "true".equals(request.queryParameter("sendInitialEvents")) ? list(request, info, schema) : Work.ONE;
            case "create", "update", "patch", "delete" -> write(info, schema);
            default -> Work.ONE;
        };
    }

    private Work list(ApiRequest request, RequestInfo info, FlowSchema schema) {
        Served served = resources.find(info.group(), info.version(), info.resource());
        if (served == null) {
            return Work.ONE;
        }
        Storage.Stats stats = storage.stats(served.storage());
        long count = info.name().isEmpty() ? stats.count() : Math.min(1, stats.count());
        String limit = request.queryParameter("limit");
        if (limit != null && info.name().isEmpty()) {
            try {
                long most = Long.parseLong(limit);
                count = most > 0 ? Math.min(count, most) : count;
            } catch (NumberFormatException e) {
                return new Work(most(schema, MOST_LIST_SEATS), 0, 0); // will be refused, and is unusual
            }
        }
        double bytes = Math.min((double) count * stats.averageBytes(), MOST_BYTES_FROM_CACHE);
        int seats = (int) Math.ceil(bytes / BYTES_PER_SEAT);
        return seats <= 1 ? Work.ONE : new Work(Math.min(seats, most(schema, MOST_LIST_SEATS)), 0, 0);
    }

    private Work write(RequestInfo info, FlowSchema schema) {
        if (info.subresource().equals("token") && info.resource().equals("serviceaccounts")) {
            return Work.ONE; // changes nothing
        }
        Served served = resources.find(info.group(), info.version(), info.resource());
        if (served == null) {
            return Work.ONE;
        }
        int watchers = storage.watchersOf(served.storage(), info.namespace(), info.name());
        if (watchers < WATCHES_PER_SEAT) {
            return Work.ONE;
        }
        int seats = (watchers + WATCHES_PER_SEAT - 1) / WATCHES_PER_SEAT;
        return new Work(1, seats, NANOS_PER_EVENT).narrowedTo(most(schema, MOST_WRITE_SEATS));
    }

    private static int most(FlowSchema schema, int limit) {
        int widest = schema.level.widest;
        return widest == 0 ? limit : Math.min(widest, limit);
    }
}
